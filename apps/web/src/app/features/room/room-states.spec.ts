import { describe, expect, it } from '@jest/globals';
import type { ComponentFixture } from '@angular/core/testing';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';
import { SETTINGS_FIELDS } from '@0fc/protocol';

import type { FakeClient } from '../../../../test-support/fake-client';
import { RELAY } from '../../../../test-support/fake-data';
import { everyAlarm, everyEvent } from '../../../../test-support/fake-timeline';
import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { READ_CLAIMED_RELAY } from '../../core/claimed-relay';
import { Preferences } from '../../core/preferences';

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ').trim();

async function open(
  scenario: string,
): Promise<{ client: FakeClient; fixture: ComponentFixture<unknown>; root: HTMLElement }> {
  const client = provideApp(scenario, routes);
  const { fixture } = await visit('/room/room-rive');
  await settle(fixture, 8);
  return { client, fixture, root: fixture.nativeElement as HTMLElement };
}

describe('what holds for the room', () => {
  it.each([
    ['departure', 'paused', 'Somebody just left'],
    ['restore', 'paused', 'is being brought back'],
    ['nokey', 'paused', 'no key for now'],
    ['leaving', 'leaving', 'You have asked to leave'],
    ['closing', 'closing', 'You have asked to close'],
    ['away', 'owner-away', 'The owner has been away since'],
    ['due', 'rotation-due', 'This device makes it'],
    ['rooms', 'others-leaving', 'Inès Faure is leaving and can still read'],
    ['offered', 'ownership-transfer', 'Amina Belkacem offers you this room'],
    ['offering', 'ownership-transfer', 'You offer this room to Lucie Marchand'],
    ['gone', 'room-stopped', 'says that this room is gone'],
    ['saidclosed', 'room-stopped', 'the owner’s signature does not say so'],
    ['lied', 'room-stopped', 'is dated far in the future'],
    ['replaced', 'room-stopped', 'in use elsewhere'],
    ['badkey', 'room-stopped', 'a key that this device keeps for it cannot be used'],
    ['full', 'room-stopped', 'no storage left'],
    ['unsent', 'held', '2 messages wait for your decision'],
    ['storefull', 'waiting', 'The relay has no room left: your messages wait here and go out by themselves'],
    ['ratelimited', 'waiting', 'go out by themselves in a moment'],
    ['relaybusy', 'waiting', 'The relay is busy'],
    ['relayfault', 'waiting', 'The relay has a fault'],
    ['staleepoch', 'waiting', 'takes no messages at the moment'],
    ['left', 'room-ended', 'You left this room'],
    ['removed', 'room-ended', 'You were removed'],
    ['closed', 'room-ended', 'closed this room'],
    ['unlisted', 'room-ended', 'not on this room’s list of members'],
  ])('is said in the scene "%s"', async (scenario, id, words) => {
    const { fixture } = await open(scenario);
    expect(texts(element(fixture, id))).toContain(words);
  });

  it('says nothing of the kind in a room where nothing is the matter', async () => {
    const { root } = await open('quiet');
    expect(root.querySelectorAll('.banner')).toHaveLength(0);
  });

  it.each([
    ['gone', true, 'Try now'],
    ['saidclosed', true, 'Try now'],
    ['lied', true, 'Try now'],
    ['full', true, 'Try now'],
    ['clock', true, 'Try now'],
    ['replaced', false, 'Use it here'],
    ['badkey', false, 'Try again'],
  ])('says in the scene "%s" whether it is tried again by itself', async (scenario, resumes, label) => {
    const { fixture } = await open(scenario);
    const banner = element(fixture, 'room-stopped');
    expect(texts(banner).includes('This page tries again by itself.')).toBe(resumes);
    expect(banner.getAttribute('role')).toBe(resumes ? 'status' : 'alert');
    expect(texts(element(fixture, 'resume-room'))).toBe(label);
  });

  it('speaks of what waits at the relay only where that is what holds sending up, and lets one go on writing', async () => {
    const { client, fixture } = await open('storefull');
    fill(fixture, 'composer', 'and another');
    await settle(fixture);
    element(fixture, 'send').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('sendText and another');
    for (const other of [
      { connection: 'offline' },
      { connection: 'connected', paused: 'key' },
      { paused: null, stopped: { code: 'VAULT_FULL', resumes: true } },
      { stopped: null, waiting: null },
    ] as const) {
      client.pushRoom(other);
      await settle(fixture);
      expect(maybe(fixture, 'waiting')).toBeNull();
    }
    client.pushRoom({ waiting: 'STORE_FULL' });
    await settle(fixture);
    expect(maybe(fixture, 'waiting')).not.toBeNull();
  });

  it('leaves no way to say anything where the room takes nothing in', async () => {
    const { fixture, root } = await open('removed');
    expect(maybe(fixture, 'composer')).toBeNull();
    root.querySelector<HTMLElement>('[data-id="m5"]')?.focus();
    await settle(fixture);
    expect(maybe(fixture, 'act-copy')).not.toBeNull();
    for (const id of ['act-reply', 'act-react', 'act-edit', 'act-delete'])
      expect(maybe(fixture, id)).toBeNull();
    expect((element(fixture, 'reaction') as HTMLButtonElement).disabled).toBe(true);
  });
});

describe('what can be done about it', () => {
  it.each([
    ['offered', 'accept-room', 'acceptOwnership'],
    ['offered', 'end-offer', 'endOwnershipOffer'],
    ['offering', 'end-offer', 'endOwnershipOffer'],
    ['replaced', 'resume-room', 'resumeRoom'],
    ['full', 'resume-room', 'resumeRoom'],
    ['lied', 'resume-room', 'resumeRoom'],
    ['saidclosed', 'resume-room', 'resumeRoom'],
    ['gone', 'restore-room', 'restoreRoom'],
  ])('in the scene "%s": %s', async (scenario, id, call) => {
    const { client, fixture } = await open(scenario);
    element(fixture, id).click();
    await settle(fixture, 12);
    expect(client.calls).toContain(call);
    expect(maybe(fixture, id)).toBeNull();
  });

  it('only the offering of an owner cannot be accepted', async () => {
    const { fixture } = await open('offering');
    expect(maybe(fixture, 'accept-room')).toBeNull();
  });

  it('says why an act failed, and leaves it to be tried again', async () => {
    const { client, fixture } = await open('offered');
    client.acceptOwnership = () => Promise.resolve({ ok: false, error: { code: 'NO_OFFER' } });
    element(fixture, 'accept-room').click();
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('NO_OFFER');
    expect((element(fixture, 'accept-room') as HTMLButtonElement).disabled).toBe(false);
  });

  it.each([
    ['RELAY_KEY_MISMATCH', 'this is not the relay that this device knows'],
    ['RELAY_KEY_LEFT', 'lead this device back'],
    ['RELAY_SUCCESSION_FORKED', '7F3A 91C2 and 0B4E D815'],
    ['RELAY_SUCCESSION_INVALID', 'does not hold (BAD_SIGNATURE)'],
  ])('offers no way around a relay with another key but a typed fingerprint: %s', async (code, words) => {
    const { client, fixture } = await open('rooms');
    const params = { reason: 'BAD_SIGNATURE', one: '7F3A 91C2', other: '0B4E D815' };
    client.pushRoom({ connection: 'stopped', stopped: { code, params, resumes: false } });
    await settle(fixture);
    const stopped = element(fixture, 'room-stopped');
    expect(texts(stopped)).toContain(words);
    expect(maybe(fixture, 'resume-room')).toBeNull();
    const buttons = [...stopped.querySelectorAll('button')].map(({ dataset }) => dataset.testid);
    expect(buttons).toEqual(['repin-relay']);
    element(fixture, 'repin-relay').click();
    await settle(fixture, 8);
    element(fixture, 'repin-confirm').click();
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('FINGERPRINT_MALFORMED');
    fill(fixture, 'repin-fingerprint', '7f3a 44d0 e19b 2c07');
    element(fixture, 'repin-confirm').click();
    await settle(fixture, 8);
    expect(texts(element(fixture, 'repin-done'))).toContain('7F3A 91C2 0B4E D815');
    expect(texts(element(fixture, 'repin-done'))).toContain('7F3A 44D0 E19B 2C07');
  });

  it('tells of a relay that changes its key and goes on by itself', async () => {
    const { client, fixture } = await open('rooms');
    client.pushRoom({ connection: 'stopped', stopped: { code: 'RELAY_KEY_CHANGING', resumes: true } });
    await settle(fixture);
    expect(texts(element(fixture, 'room-stopped'))).toContain('The relay is changing its key');
    expect(maybe(fixture, 'repin-relay')).toBeNull();
  });

  it.each([
    ['7F3A44D0E19B2C07', '7F3A 44D0 E19B 2C07', 'Ask the operator by another way'],
    [RELAY, '7F3A 91C2 0B4E D815', 'could not prove that it is theirs'],
    [null, 'none that can be read', 'Ask the operator by another way'],
  ])('shows the known key beside the one named now: %s', async (claimed, shown, words) => {
    TestBed.overrideProvider(READ_CLAIMED_RELAY, { useValue: () => Promise.resolve(claimed) });
    const client = provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive');
    client.pushRoom({ connection: 'stopped', stopped: { code: 'RELAY_KEY_MISMATCH', resumes: false } });
    await settle(fixture, 8);
    expect(texts(element(fixture, 'relay-known'))).toBe('7F3A 91C2 0B4E D815');
    expect(texts(element(fixture, 'relay-claimed'))).toContain(shown);
    expect(texts(element(fixture, 'room-stopped'))).toContain(words);
  });

  it.each(['left', 'gone'])(
    'a room of the scene "%s" is deleted once that is confirmed',
    async (scenario) => {
      const { client, fixture, root } = await open(scenario);
      element(fixture, 'forget-room').click();
      await settle(fixture);
      expect(client.calls).not.toContain('forgetRoom');
      element(fixture, 'forget-confirm').click();
      await settle(fixture, 8);
      expect(client.calls).toContain('forgetRoom');
      expect(TestBed.inject(Router).url).toBe('/');
      expect(root.querySelector('[data-room-id="room-rive"]')).toBeNull();
    },
  );
});

describe('the lines and alarms of the conversation', () => {
  it.each(['en', 'fr'] as const)('have a sentence for each event and alarm in %s', async (language) => {
    const { client, fixture, root } = await open('events');
    TestBed.inject(Preferences).chooseLanguage(language);
    await settle(fixture);
    const lines = [...root.querySelectorAll<HTMLElement>('[data-testid="system-line"] .sys__text')].map(
      texts,
    );
    expect(lines).toHaveLength(everyEvent.length);
    client.emit({ type: 'timeline', roomId: 'room-rive', reset: true, items: everyAlarm, removed: [] });
    await settle(fixture);
    const alarms = [...root.querySelectorAll<HTMLElement>('[data-testid="alarm"] .alarm')].map(texts);
    expect(alarms).toHaveLength(everyAlarm.length);
    // A key without a sentence is shown as itself; a value that is not filled in keeps its braces.
    const wrong = [...lines, ...alarms].filter((line) =>
      /\b(room|alarms)\.\w|\{\{|undefined|ALARM_/.test(line),
    );
    expect(wrong).toEqual([]);
    TestBed.inject(Preferences).chooseLanguage('en');
  });

  it('say each setting that changed with what it was, and warn of low ones', async () => {
    const { root } = await open('events');
    const lines = [...root.querySelectorAll<HTMLElement>('[data-event="settings"]')];
    const all = lines.find((line) => line.querySelector('[data-testid="setting-changed"]') !== null);
    const named = (kind: string): (string | undefined)[] =>
      [...(all?.querySelectorAll<HTMLElement>(`[data-testid="${kind}"]`) ?? [])].map(
        ({ dataset }) => dataset.name,
      );
    expect(named('setting-changed').sort()).toEqual([...SETTINGS_FIELDS].sort());
    expect(named('setting-low').sort()).toEqual(['history', 'joinDeadline', 'maxMembers']);
    expect(all === undefined ? '' : texts(all)).toMatch(
      /keeps 0 entries .*\(before: 100,000\).*: 1 min \(before: 1,440\)/s,
    );
  });

  it('count what came back after the relay lost it', async () => {
    const { root } = await open('alarms');
    const lost = root.querySelector<HTMLElement>('[data-code="ALARM_RELAY_LOST"]');
    expect(lost?.textContent).toContain('Entries 12 to 40');
    expect(lost?.textContent).toContain('3 have come back');
  });

  it('give the number of a report as it is, to be read out', async () => {
    const { root } = await open('alarms');
    const failed = root.querySelector<HTMLElement>('[data-code="ALARM_ENTRY_FAILED"]');
    expect(failed?.textContent).toContain('3141592653');
  });

  it('count alarms that are one of many, with the first place and the last', async () => {
    const { client, fixture, root } = await open('alarms');
    const [one, many] = everyAlarm.slice(0, 2);
    const counted = { ...many!, params: { ...many!.params, times: 92, first: 12, last: 104 } };
    client.emit({ type: 'timeline', roomId: 'room-rive', reset: true, items: [one!, counted], removed: [] });
    await settle(fixture);
    const times = [...root.querySelectorAll<HTMLElement>('[data-testid="alarm-times"]')].map(texts);
    expect(times).toEqual(['92 of this kind in a row, from entry 12 to entry 104.']);
  });
});
