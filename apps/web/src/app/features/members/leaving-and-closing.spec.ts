import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';

import { members, row, submit, texts } from '../../../../test-support/members-screen';
import { element, fill, maybe, settle } from '../../../../test-support/render';
import { Preferences } from '../../core/preferences';

describe('oneself', () => {
  it('changes one’s name here', async () => {
    const [fixture, client] = await members('guest');
    expect((element(fixture, 'my-name') as HTMLInputElement).value).toBe('Inès Faure');
    fill(fixture, 'my-name', '');
    submit(element(fixture, 'my-name'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('NAME_EMPTY');
    fill(fixture, 'my-name', 'Inès F.');
    submit(element(fixture, 'my-name'));
    await settle(fixture, 8);
    expect(client.calls).toContain('renameMe Inès F.');
    expect(maybe(fixture, 'my-name-saved')).not.toBeNull();
    expect(texts(row(fixture, 'ines'))).toContain('Inès F.');
  });

  it('leaves after a question, and then waits for the relay', async () => {
    const [fixture, client] = await members('guest');
    element(fixture, 'leave-room').click();
    await settle(fixture);
    expect(client.calls).not.toContain('leaveRoom');
    element(fixture, 'leave-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('leaveRoom');
    expect(maybe(fixture, 'leaving-me')).not.toBeNull();
    expect(maybe(fixture, 'leave-room')).toBeNull();
  });

  it.each([
    ['en', 'the others may still see you as a member, and their keys are not changed'],
    ['fr', 'les autres peuvent encore vous voir comme membre, et leurs clés ne changent pas'],
  ] as const)(
    'deletes a room at once whose leaving nobody confirms, after a warning (%s)',
    async (language, warning) => {
      const [fixture, client] = await members('leaving');
      TestBed.inject(Preferences).chooseLanguage(language);
      await settle(fixture);
      element(fixture, 'forget-room').click();
      await settle(fixture);
      expect(texts(element(fixture, 'forget-unconfirmed'))).toContain(warning);
      expect(client.calls).not.toContain('forgetRoom');
      element(fixture, 'forget-confirm').click();
      await settle(fixture, 8);
      expect(client.calls).toContain('forgetRoom');
      expect(TestBed.inject(Router).url).toBe('/');
      TestBed.inject(Preferences).chooseLanguage('en');
    },
  );

  it.each([
    ['rooms', 'Hand it over to a member'],
    ['quiet', 'Close the room instead'],
  ])('tells the owner first to hand over or close (%s)', async (scenario, sentence) => {
    const [fixture] = await members(scenario);
    element(fixture, 'leave-room').click();
    await settle(fixture);
    expect(texts(element(fixture, 'leave-owner'))).toContain(sentence);
    expect(maybe(fixture, 'leave-confirm')).toBeNull();
  });

  it('explains the refusal should the room have become one’s own meanwhile', async () => {
    const [fixture, client] = await members('guest');
    client.leaveRoom = () => Promise.resolve({ ok: false, error: { code: 'OWNER_MUST_HAND_OVER' } });
    element(fixture, 'leave-room').click();
    await settle(fixture);
    element(fixture, 'leave-confirm').click();
    await settle(fixture, 8);
    expect(texts(element(fixture, 'error'))).toContain('Hand it over to a member first');
  });
});

describe('closing a room', () => {
  it.each([
    ['en', 'For ever, and for everyone', 'keeps what is on their device'],
    ['fr', 'Pour toujours et pour tout le monde', 'garde ce qui est sur son appareil'],
  ] as const)('needs the room’s name, and says that it is for ever (%s)', async (language, ...sentences) => {
    const [fixture, client] = await members('rooms', language);
    element(fixture, 'close-room').click();
    await settle(fixture);
    const confirm = element(fixture, 'close-confirm') as HTMLButtonElement;
    for (const sentence of sentences) expect(texts(confirm.closest('dialog')!)).toContain(sentence);
    fill(fixture, 'close-word', 'Collectif');
    submit(element(fixture, 'close-word'));
    await settle(fixture);
    expect(confirm.disabled).toBe(true);
    expect(client.calls).not.toContain('closeRoom');
    fill(fixture, 'close-word', ' collectif  rive droite');
    await settle(fixture);
    expect(confirm.disabled).toBe(false);
    submit(element(fixture, 'close-word'));
    await settle(fixture, 10);
    expect(client.calls).toContain('closeRoom');
    expect(element(fixture, 'room-ended').dataset.stage).toBe('closed');
    expect(maybe(fixture, 'make-invite')).toBeNull();
  });

  it('says that it is under way, and takes every other act away', async () => {
    const [fixture] = await members('closing');
    expect(maybe(fixture, 'closing')).not.toBeNull();
    for (const id of ['close-room', 'member-actions', 'make-invite', 'save-settings'])
      expect(maybe(fixture, id)).toBeNull();
  });
});
