import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';
import type { RouterTestingHarness } from '@angular/router/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import type { Language } from '../../core/preferences';
import { Preferences } from '../../core/preferences';
import { named } from '../../core/names';
import { endsInDeparture } from './member-rules';
import { wholeOf } from './room-settings';

type Fixture = RouterTestingHarness['fixture'];

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');
const screen = (fixture: Fixture): HTMLElement => fixture.nativeElement as HTMLElement;
const submit = (field: HTMLElement): boolean =>
  field.closest('form')?.dispatchEvent(new Event('submit', { cancelable: true })) ?? false;
const row = (fixture: Fixture, memberId: string): HTMLElement => {
  const found = screen(fixture).querySelector<HTMLElement>(`[data-member-id="${memberId}"]`);
  if (found === null) throw new Error(`no row of ${memberId}`);
  return found;
};

async function members(scenario: string, language: Language = 'en'): Promise<[Fixture, FakeClient]> {
  const client = provideApp(scenario, routes);
  TestBed.inject(Preferences).chooseLanguage(language);
  const { fixture } = await visit('/room/room-rive/members');
  await settle(fixture, 8);
  return [fixture, client];
}

async function act(fixture: Fixture, memberId: string, id: string): Promise<void> {
  element(row(fixture, memberId), 'member-actions').click();
  await settle(fixture);
  element(row(fixture, memberId), id).click();
  await settle(fixture);
}

describe('removing a member', () => {
  it.each([
    ['en', 'Remove', 'A new key is made at once', 'They keep what they have read'],
    ['fr', 'Retirer', 'Une nouvelle clé est faite aussitôt', 'Elle garde ce qu’elle a lu'],
  ] as const)('says what happens, with the key, and asks (%s)', async (language, ...sentences) => {
    const [fixture, client] = await members('rooms', language);
    await act(fixture, 'jonas', 'remove-member');
    const dialog = element(fixture, 'remove-confirm').closest('dialog')!;
    expect(dialog.open).toBe(true);
    for (const sentence of [...sentences, 'Jonas Weber', 'B6F2 3C18 54E0 A97D'])
      expect(texts(dialog)).toContain(sentence);
    expect(client.calls).not.toContain('removeMember jonas');
    element(fixture, 'remove-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('removeMember jonas');
    expect(dialog.open).toBe(false);
    expect(screen(fixture).querySelector('[data-member-id="jonas"]')).toBeNull();
  });

  it('is shown until it is done, and cannot be asked for twice', async () => {
    const [fixture] = await members('busy');
    expect(texts(element(row(fixture, 'maryam'), 'member-removing'))).toContain('a new key is on its way');
    element(row(fixture, 'maryam'), 'member-actions').click();
    await settle(fixture);
    expect(row(fixture, 'maryam').querySelector('[data-testid="remove-member"]')).toBeNull();
    expect(row(fixture, 'maryam').querySelector('[data-testid="verify"]')).not.toBeNull();
  });

  it('says that it waits where there is no link', async () => {
    const [fixture] = await members('offline');
    await act(fixture, 'jonas', 'remove-member');
    expect(texts(element(fixture, 'remove-offline'))).toContain('as soon as there is one');
  });

  it('keeps the question open, with the reason, when it is refused', async () => {
    const [fixture, client] = await members('rooms');
    client.removeMember = () => Promise.resolve({ ok: false, error: { code: 'MEMBER_UNKNOWN' } });
    await act(fixture, 'jonas', 'remove-member');
    element(fixture, 'remove-confirm').click();
    await settle(fixture, 8);
    expect(element(row(fixture, 'jonas'), 'member-actions').getAttribute('aria-expanded')).toBe('true');
    const dialog = element(fixture, 'remove-confirm').closest('dialog')!;
    expect(dialog.open).toBe(true);
    expect(element(dialog, 'error').dataset.code).toBe('MEMBER_UNKNOWN');
  });
});

describe('the list of members', () => {
  it('marks who is leaving, whose key is old, and who has not taken in a departure', async () => {
    const [fixture, client] = await members('busy');
    expect(texts(row(fixture, 'ines'))).toContain('can still read');
    expect(texts(row(fixture, 'tomas'))).toContain('their key is old');
    // The newest change in view is the removal of Karim.
    expect(texts(row(fixture, 'jonas'))).toContain('Has not taken in the last departure yet');
    expect(texts(row(fixture, 'ines'))).toContain('Not heard since the last departure');
    expect(row(fixture, 'lucie').querySelector('[data-testid="member-behind"]')).toBeNull();
    client.emit({
      type: 'timeline',
      roomId: 'room-rive',
      reset: false,
      removed: [],
      items: [
        {
          type: 'system',
          id: 'later',
          order: 50,
          time: Date.now(),
          timeDoubtful: false,
          event: 'admitted',
          params: { member: 'Noé', actor: 'Amina Belkacem' },
          me: false,
        },
      ],
    });
    await settle(fixture);
    expect(maybe(fixture, 'member-behind')).toBeNull();
  });

  it('tells names that look alike apart by the key', async () => {
    const [fixture] = await members('twins');
    expect(screen(fixture).querySelectorAll('[data-testid="member-confusable"]')).toHaveLength(2);
    expect(texts(row(fixture, 'jonas'))).toContain('go by the key');
    expect(texts(row(fixture, 'jonas'))).toContain('B6F2 3C18 54E0 A97D');
  });

  it('closes the actions with Escape and gives the focus back', async () => {
    const [fixture] = await members('rooms');
    document.body.append(screen(fixture));
    const button = element(row(fixture, 'lucie'), 'member-actions');
    button.click();
    await settle(fixture);
    expect(button.getAttribute('aria-expanded')).toBe('true');
    const verify = element(row(fixture, 'lucie'), 'verify');
    verify.focus();
    verify.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await settle(fixture);
    expect(button.getAttribute('aria-expanded')).toBe('false');
    expect(document.activeElement).toBe(button);
  });

  it('offers a member nothing that only the owner may do, and an ended room nothing at all', async () => {
    const [fixture] = await members('guest');
    element(row(fixture, 'lucie'), 'member-actions').click();
    await settle(fixture);
    for (const id of ['remove-member', 'hand-over', 'save-settings', 'close-room'])
      expect(maybe(fixture, id)).toBeNull();
    expect(maybe(fixture, 'verify')).not.toBeNull();
  });

  it.each(['left', 'removed', 'closed'])('offers nothing in a room that is %s', async (stage) => {
    const [fixture] = await members(stage);
    expect(element(fixture, 'room-ended').dataset.stage).toBe(stage);
    for (const id of ['member-actions', 'rename-me', 'leave-room', 'make-invite'])
      expect(maybe(fixture, id)).toBeNull();
  });
});

describe('handing over', () => {
  it('says what it means and that keys were not compared, offers, waits, and takes back', async () => {
    const [fixture, client] = await members('rooms');
    await act(fixture, 'maryam', 'hand-over');
    const dialog = element(fixture, 'hand-over-confirm').closest('dialog')!;
    expect(texts(dialog)).toContain('Nothing changes before they accept');
    expect(maybe(fixture, 'hand-unverified')).not.toBeNull();
    element(fixture, 'hand-over-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('offerRoom maryam');
    const card = element(fixture, 'hand-over-card');
    expect([card.dataset.role, card.dataset.accepted]).toEqual(['offering', 'false']);
    expect(texts(card)).toContain('Maryam Haddad');
    element(fixture, 'take-back').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('endOffer');
    expect(maybe(fixture, 'hand-over-card')).toBeNull();
  });

  it('needs no such warning for a verified member, and says which offer it replaces', async () => {
    const [fixture] = await members('offering');
    await act(fixture, 'jonas', 'hand-over');
    expect(maybe(fixture, 'hand-unverified')).toBeNull();
    expect(texts(element(fixture, 'hand-over-confirm').closest('dialog')!)).toMatch(
      /Your offer to .Lucie Marchand. ends/,
    );
  });

  it('lets the one it is offered to accept, and shows the owner’s acts once it is signed', async () => {
    const [fixture, client] = await members('offered');
    expect(texts(element(fixture, 'hand-over-card'))).toContain('Amina Belkacem');
    expect(maybe(fixture, 'take-back')).toBeNull();
    element(fixture, 'accept-room').click();
    await settle(fixture, 10);
    expect(client.calls).toContain('acceptRoom');
    expect(maybe(fixture, 'hand-over-card')).toBeNull();
    expect(maybe(fixture, 'close-room')).not.toBeNull();
  });

  it('lets them decline, and says so when the offer is gone', async () => {
    const [fixture, client] = await members('offered');
    client.endOffer = () => Promise.resolve({ ok: false, error: { code: 'NO_OFFER' } });
    element(fixture, 'decline-room').click();
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('NO_OFFER');
    expect(texts(element(fixture, 'error'))).toContain('no such offer any more');
  });
});

describe('room settings', () => {
  it('refuses a rotation out of range by its code, and sends nothing', async () => {
    const [fixture, client] = await members('rooms');
    for (const wrong of ['0', '1000001', '-5', '1.5e3', '']) {
      fill(fixture, 'set-every', wrong);
      submit(element(fixture, 'set-every'));
      await settle(fixture);
      expect(element(fixture, 'error').dataset.code).toBe('OUT_OF_RANGE');
      expect(element(fixture, 'set-every').getAttribute('aria-invalid')).toBe('true');
    }
    expect(client.calls.some((call) => call.startsWith('changeSettings'))).toBe(false);
  });

  it('sends what changed and nothing else, and says that it is saved', async () => {
    const [fixture, client] = await members('rooms');
    fill(fixture, 'set-every', '1,000');
    submit(element(fixture, 'set-every'));
    await settle(fixture, 8);
    expect(client.calls).toContain('changeSettings {"rotateEvery":1000}');
    expect(client.calls.some((call) => call.startsWith('renameRoom'))).toBe(false);
    expect(maybe(fixture, 'settings-saved')).not.toBeNull();
    fill(fixture, 'set-name', ' Jeudi ');
    expect(maybe(fixture, 'error')).toBeNull();
    submit(element(fixture, 'set-name'));
    await settle(fixture, 8);
    expect(client.calls).toContain('renameRoom Jeudi');
    expect(client.calls.filter((call) => call.startsWith('changeSettings'))).toHaveLength(1);
  });

  it.each([
    ['set-every', '0', '25', '{"rotateEvery":25}'],
    ['set-history', '1000001', '0', '{"history":0}'],
    ['set-members', '1', '2', '{"maxMembers":2}'],
    ['set-deadline', '0', '90', '{"joinDeadline":5400000}'],
  ] as const)(
    'says at once that %s is out of its bounds, and sends nothing else',
    async (id, wrong, right, sent) => {
      const [fixture, client] = await members('rooms');
      fill(fixture, id, wrong);
      await settle(fixture);
      expect(element(fixture, 'error').dataset.code).toBe('OUT_OF_RANGE');
      expect(texts(element(fixture, 'error'))).toMatch(/from \d+ to [\d,]+ is needed/);
      fill(fixture, id, right);
      await settle(fixture);
      expect(maybe(fixture, 'error')).toBeNull();
      submit(element(fixture, id));
      await settle(fixture, 8);
      expect(client.calls.filter((call) => call.startsWith('changeSettings'))).toEqual([
        `changeSettings ${sent}`,
      ]);
    },
  );

  it('takes back a change that waits', async () => {
    const [fixture, client] = await members('rooms');
    const settings = { rotateEvery: 50, approval: false, history: 9, maxMembers: 9, joinDeadline: 60_000 };
    client.pushRoom({ settings: { ...settings, rotateEvery: 100 }, settingsWished: settings });
    await settle(fixture, 4);
    expect((element(fixture, 'set-every') as HTMLInputElement).value).toBe('50');
    expect(maybe(fixture, 'settings-wait')).not.toBeNull();
    fill(fixture, 'set-every', '100');
    submit(element(fixture, 'set-every'));
    await settle(fixture, 8);
    expect(client.calls).toContain('changeSettings {"rotateEvery":100}');
    client.pushRoom({ settings: { ...settings, rotateEvery: 100 }, settingsWished: null });
    await settle(fixture, 4);
    expect(maybe(fixture, 'settings-wait')).toBeNull();
  });

  it('leaves a deadline between two minutes as it is, unless it is changed', async () => {
    const [fixture, client] = await members('rooms');
    client.pushRoom({
      settings: { rotateEvery: 100, approval: true, history: 9, maxMembers: 9, joinDeadline: 90_500 },
    });
    await settle(fixture, 4);
    element(fixture, 'set-approval').click();
    submit(element(fixture, 'set-every'));
    await settle(fixture, 8);
    expect(client.calls).toContain('changeSettings {"approval":false}');
  });

  it('does not undo what is typed when the room is told again', async () => {
    const [fixture, client] = await members('rooms');
    fill(fixture, 'set-name', 'Half a na');
    await client.rotateNow();
    await settle(fixture, 4);
    expect((element(fixture, 'set-name') as HTMLInputElement).value).toBe('Half a na');
  });

  it('wants a name', async () => {
    const [fixture] = await members('rooms');
    fill(fixture, 'set-name', '  ');
    submit(element(fixture, 'set-name'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('NAME_EMPTY');
  });

  it('reads numbers however they are grouped', () => {
    const whole = (text: string): number | null => wholeOf(text, 1, 1_000_000);
    expect(['1', '1 000', '1\u202f000\u202f000', '1,000', "10'000"].map(whole)).toEqual([
      1, 1_000, 1_000_000, 1_000, 10_000,
    ]);
    expect(['', '0', '1000001', '1.5', '0,5', 'ten', '-1', '99999999'].map(whole)).toEqual(
      Array(8).fill(null),
    );
  });
});

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

describe('an entry that waits', () => {
  it('shows the number to compare before anybody is admitted', async () => {
    const [fixture] = await members('rooms');
    const number = element(element(fixture, 'approval-request'), 'safety-number');
    expect(number.dataset.digits).toMatch(/^\d{60}$/);
    expect([...number.querySelectorAll('span')].map(({ textContent }) => textContent).join('')).toBe(
      number.dataset.digits,
    );
    expect(number.querySelectorAll('span')).toHaveLength(12);
  });
});

describe('names', () => {
  it('cannot turn the words around them, and have a stand-in', () => {
    expect(named('\u202eevil\u2066', 'nobody')).toBe('\u2068evil\u2069');
    expect(named('', 'nobody')).toBe('\u2068nobody\u2069');
  });

  it('a room without a roster entry in view ends in no departure', () => {
    expect(endsInDeparture([])).toBe(false);
  });
});
