/** Names and times of others in the views: whatever they are, they are drawn, clamped, stripped and marked. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { displayName, type Entry } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { fingerprintOf } from '@0fc/crypto/verify';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import type { TimelineItem, TimelineMessage } from '../contract/api.js';
import { system } from '../room/log/items.js';
import { change, recordsOf } from '../room/log/log.spec-support.js';
import { append, putInvite, set } from '../room/state/draft.js';
import type { OwnerInvite } from '../vault/records.js';
import { relayRowsOf } from './relay-rows.js';
import { roomViewOf } from './room-view.js';
import { stage, START, type Stage } from './room.spec-support.js';
import { summaryOf } from './summary.js';
import { itemsOf, pendingItems } from './timeline.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const EARLIEST = Date.UTC(2020, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

let on: Stage;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  on = await stage();
});

const shown = (): readonly TimelineItem[] =>
  recordsOf(on.source.state).flatMap((record) => itemsOf(on.source, record));
const messages = () => shown().filter((item): item is TimelineMessage => item.type === 'message');
const view = () => roomViewOf(on.room, on.identities, { draft: '', earlier: false });

/** A message of the owner, signed with that time, which the relay has at its own. */
const said = async (sentAt: number, time: number): Promise<Entry> => ({
  ...(await on.log.say(on.log.owner, 'x', { sentAt })),
  time,
});

describe('times', () => {
  test('whatever the schema admits lies in 2020–2100 in every view', async () => {
    const time = fc.oneof(fc.constantFrom(0, 2 ** 53 - 1, 8.64e15, 8.64e15 + 1), fc.maxSafeNat());
    await fc.assert(
      fc.asyncProperty(time, time, time, async (sentAt, relayed, elsewhere) => {
        on = await stage();
        const { state } = on.source;
        await on.take(await said(sentAt, relayed));
        const handed = {
          memberId: on.log.owner.id, nonce: new Uint8Array(16), since: elsewhere, offer: new Uint8Array(1), acceptance: null,
        }; // prettier-ignore
        const keys = state.core.keys.map((known) => ({ ...known, since: elsewhere }));
        await change(
          state,
          append(null, elsewhere, [system('offered', { actor: on.log.owner.id })]),
          set({ keys, ownershipTransfer: handed }),
        );
        const { key, ownershipTransfer } = view();
        const summary = summaryOf(on.room, '');
        const times = [
          ...shown().map((item) => item.time),
          summary.time,
          summary.last?.time,
          key?.since,
          ownershipTransfer?.since,
        ];
        for (const shownTime of times) {
          expect(shownTime).toBeGreaterThanOrEqual(EARLIEST);
          expect(shownTime).toBeLessThanOrEqual(LATEST);
        }
        // As the relay has it: the true number, and a mark where it cannot be one.
        const row = relayRowsOf(state, on.identities, 2, START).at(-1);
        expect(row).toMatchObject({ time: relayed });
        expect(row?.timeDoubtful).toBe(relayed < EARLIEST || relayed > START + DAY);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['as the relay has it', 0, 0, false],
    ['ten minutes ahead of this clock', 10 * MINUTE, 0, false],
    ['more than ten minutes ahead', 10 * MINUTE + 1, 0, true],
    ['a day before the relay’s', -DAY, 0, false],
    ['more than a day before the relay’s', -DAY - 1, 0, true],
    ['more than a day after the relay’s', 0, -DAY - 1, true],
    ['beyond 2100', 2 ** 53 - 1 - START, 0, true],
    ['beyond 2100 by both', 2 ** 53 - 1 - START, 2 ** 53 - 1 - START, true],
    ['before 2020 by both', -START, -START, true],
  ])('a message’s time that is %s is marked: %s, %s, %s', async (_what, sent, relayed, doubtful) => {
    await on.take(await said(START + sent, START + relayed));
    expect(messages().at(-1)?.timeDoubtful).toBe(doubtful);
  });

  test.each([
    ['of now', 0, false],
    ['of last year', -365 * DAY, false],
    ['a day ahead of this clock', DAY, false],
    ['more than a day ahead', DAY + 1, true],
    ['of 1970', -START, true],
  ])('the relay’s time of an event %s is marked: %s, %s', async (_what, offset, doubtful) => {
    await change(
      on.source.state,
      append(null, START + offset, [system('created', { actor: on.log.owner.id })]),
    );
    expect(shown().at(-1)).toMatchObject({ type: 'system', timeDoubtful: doubtful });
  });

  test('a message of this device that waits is not marked: no other clock has had its say', async () => {
    on.clock.advance(-10 * DAY);
    await on.room.composer.sendText('waits');
    on.source.conversation.sync();
    on.clock.advance(10 * DAY);
    expect(pendingItems(on.source)).toMatchObject([{ time: START - 10 * DAY, timeDoubtful: false }]);
  });
});

describe('names', () => {
  const HIDDEN = '\u202eA\u200bmi\u2800na\u3164';

  test('are stripped of what is not seen, everywhere', async () => {
    await on.name(on.log.owner, HIDDEN);
    await on.take(
      await on.log.say(on.log.owner, 'x'),
      await on.send(on.log.owner, { type: 'roomName', name: 'First' }),
      await on.send(on.log.owner, { type: 'roomName', name: `${HIDDEN}’s` }),
    );
    const { state } = on.source;
    await change(
      state,
      append(null, START, [system('offered', { actor: on.log.owner.id, member: on.guest.id })]),
    );
    expect(view().members.map(({ name }) => name)).toContain('Amina');
    expect(view().name).toBe('Amina’s');
    expect(summaryOf(on.room, '')).toMatchObject({ name: 'Amina’s', last: { sender: 'Amina' } });
    expect(messages().at(-1)?.senderName).toBe('Amina');
    const events = shown().filter((item) => item.type === 'system');
    expect(events.at(-1)?.params).toMatchObject({ actor: 'Amina' });
    expect(events.find(({ event }) => event === 'name')?.params).toMatchObject({ name: 'Amina’s' });
    const all = JSON.stringify([
      view(),
      summaryOf(on.room, ''),
      shown(),
      relayRowsOf(state, on.identities, 500, START),
    ]);
    expect(all).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u2800\u3164]/);
  });

  test('of nothing that is seen give way to the whole fingerprint: 64 bits', async () => {
    await on.name(on.log.owner, '\u3164\u2800');
    await on.take(await on.log.say(on.log.owner, 'x'));
    const { state } = on.source;
    const fingerprint = await fingerprintOf(nodeHash, on.log.owner.identity.publicKey);
    expect(fingerprint).toMatch(/^[0-9A-F]{16}$/);
    expect(on.identities.nameFor(state, on.log.owner.id)).toBe(fingerprint);
    expect(messages().at(-1)).toMatchObject({ senderName: '', fingerprint });
    await change(
      state,
      append(null, START, [system('offered', { actor: on.log.owner.id, member: on.guest.id })]),
    );
    expect(shown().at(-1)).toMatchObject({ params: { actor: fingerprint } });
  });

  test('that are another one’s fingerprint, or another one’s but for what is not seen, look alike', async () => {
    const fingerprint = await fingerprintOf(nodeHash, on.log.owner.identity.publicKey);
    await on.name(on.log.owner, '\u3164');
    await on.name(on.guest, fingerprint.toLowerCase());
    await on.identities.load(on.source.state);
    expect([...on.source.confusable].sort()).toEqual([on.log.owner.id, on.guest.id].sort());
    await change(on.source.state, set({ people: [] }));
    await on.name(on.log.owner, 'Amina');
    await on.name(on.guest, 'Ami\u2800na');
    expect(on.source.confusable.size).toBe(2);
  });

  test('of whoever asks to enter are stripped, or the fingerprint', async () => {
    on = await stage('owner');
    const { state } = on.source;
    await on.take(await on.log.change('settings', { settings: { ...on.log.roster.settings, approval: true } }));
    const key = generateKeyPair().publicKey;
    const fingerprint = await fingerprintOf(nodeHash, key);
    const asks = (name: string): OwnerInvite => ({
      inviteId: 'AAAAAAAAAAAAAAAAAAAAAA' as OwnerInvite['inviteId'], made: START, expires: START, pair: null, token: null,
      stage: 'asked', approved: false, replies: [], repliedAt: null, dropReason: null,
      joiner: { key, name, joinKey: null, prekey: new Uint8Array(1), ek: new Uint8Array(1_184), request: new Uint8Array(1) },
    }); // prettier-ignore
    for (const [name, drawn] of [[HIDDEN, 'Amina'], ['\u2800', fingerprint]] as const) {
      await change(state, putInvite(asks(name)));
      await on.identities.load(state);
      expect(view().approvals).toMatchObject([{ name: drawn, fingerprint }]);
      expect(view().invites).toMatchObject([{ claimedBy: drawn }]);
    }
  }); // prettier-ignore

  test('are, whatever they are, the same twice, and never hide who they are of', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }), async (name) => {
        await change(on.source.state, set({ people: [] }));
        await on.name(on.guest, name);
        const drawn = on.identities.nameFor(on.source.state, on.guest.id);
        expect(drawn).toBe(displayName(name) || on.identities.fingerprint(on.guest.id));
        expect(drawn).not.toBe('');
      }),
    );
  });
});
