/** A relay whose store lost the tail of a log (docs/protocol.md section 6): nothing but the position goes back. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, equalBytes, type Entry, type Position } from '@0fc/protocol';
import { bodyHash } from '@0fc/crypto/verify';
import { makeRotation } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  messagesOf,
  alarmsOf,
  change,
  crypto,
  eventsOf,
  type RoomLog,
  readLog,
  recordsOf,
  readEntry,
  readGeneration,
  textsOf,
  type Person,
} from './log.spec-support.js';
import { lagsBehind, missingEntries } from '../outgoing/restore.js';
import { holdChain, set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';
import { applyTrimmedRotation } from './rotation.js';

let log: RoomLog;
let guest: Person;
let third: Person;
let reader: RoomState;

async function take(...entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    expect(await readEntry(reader, entry)).toBe('applied');
  }
}

async function lose(from: Position, generation: number): Promise<void> {
  await readGeneration(reader, await log.lose(from, generation), 9_000);
  expect(reader.core.t).toEqual(log.t);
}

const end = () => ({ head: log.roster.head, epoch: log.epoch });
const lossOf = (state: RoomState): unknown =>
  recordsOf(state)
    .flatMap((record) => record.items)
    .findLast((item) => item.type === 'alarm')?.numbers;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
  const { person, entry } = await log.admit();
  third = person;
  await take(entry);
});

describe('a lost tail', () => {
  test('across a removal and rotations leaves the client where it was, and is brought back in order', async () => {
    const before = log.position;
    const entries = [
      await log.say(log.owner, 'one'),
      await log.change('remove', { member: third.id, reason: 'removed' }),
      await log.rotate(guest.id),
      await log.say(log.owner, 'two'),
      await log.rotate(guest.id),
      await log.rotate(guest.id),
    ];
    await take(...entries);
    const { head } = reader.roster;
    await lose(before, 1_000);

    expect(reader.core.epoch).toBe(4);
    expect(reader.core.logEpoch).toBe(1);
    expect(reader.roster.head).toEqual(head);
    expect(reader.roster.members.has(third.id)).toBe(false);
    expect(lagsBehind(reader, end())).toBe(true);

    const missing = await missingEntries(nodeHash, reader, end());
    expect(missing.map(({ kind }) => kind)).toEqual(['roster', 'rotation', 'rotation', 'rotation']);
    const shown = eventsOf(reader);
    for (const entry of missing) await take(await log.again(entry));
    expect(lagsBehind(reader, { head: log.roster.head, epoch: 4 })).toBe(false);
    // What was shown once is not shown again, and what came back is counted.
    expect(eventsOf(reader)).toEqual(shown);
    expect(lossOf(reader)).toEqual({ from: 3, to: 8, restored: 4 });
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
    expect(reader.core.epoch).toBe(4);
    expect(reader.core.logEpoch).toBe(4);
    expect(reader.core.paused).toBe(false);
  });

  test('sends one’s own lost messages again, with the same n and mid, and counts them once back', async () => {
    await take(await log.say(guest, 'mine 1'));
    const from = log.position;
    const lost = await log.say(guest, 'mine 2');
    await take(lost, await log.say(log.owner, 'theirs'));
    const known = messagesOf(reader).find(({ sender, n }) => sender === guest.id && n === 2);
    await lose(from, 1_000);
    expect([...reader.outbox.values()]).toMatchObject([
      { n: 2, mid: known?.mid, content: { text: 'mine 2' } },
    ]);
    const again = log.seal(
      guest,
      log.body(guest, { type: 'text', text: 'mine 2' }, { n: 2, mid: known?.mid ?? lost.payload }),
    );
    await take(await log.add('message', guest.id, again.payload, again.clear));
    expect(reader.outbox.size).toBe(0);
    expect(textsOf(reader)).toEqual(['mine 1', 'mine 2', 'theirs']);
    expect(lossOf(reader)).toEqual({ from: 4, to: 5, restored: 1 });
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
  });

  test('twice is measured by what the log of that moment held', async () => {
    await take(await log.say(log.owner, 'a'));
    const old = log.position;
    await take(await log.say(log.owner, 'b'), await log.say(log.owner, 'c'));
    await lose(old, 1_000);
    log.owner.n = 10;
    await take(await log.say(log.owner, 'd', { n: 4 }));
    await lose(old, 2_000);
    expect(lossOf(reader)).toEqual({ from: 4, to: 4, restored: 0 });
    await take(await log.say(log.owner, 'e', { n: 5 }));
    expect(textsOf(reader)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST, ALARM_CODES.ALARM_RELAY_LOST]);
  });

  test('that took nothing of this client’s is no alarm', async () => {
    await lose(log.position, 1_000);
    await lose(log.position, 2_000);
    await take(await log.say(log.owner, 'after'));
    expect(alarmsOf(reader)).toEqual([]);
    expect(reader.core.losses).toEqual([]);
  });

  test('does not bring back a closed room', async () => {
    const before = log.position;
    await take(await log.change('close', {}));
    expect(reader.core.stage).toBe('closed');
    await lose(before, 1_000);
    expect(reader.core.stage).toBe('closed');
    expect((await missingEntries(nodeHash, reader, end())).map(({ payload }) => payload)).toEqual([
      reader.chain.get(reader.chain.size - 1),
    ]);
  });

  test('messages of the epoch that the log went back to are read with its key', async () => {
    const before = log.position;
    await take(await log.rotate(guest.id));
    await lose(before, 1_000);
    await take(await log.say(log.owner, 'under the old key'));
    expect(textsOf(reader)).toEqual(['under the old key']);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
  });
});

describe('what was told as missed before a loss', () => {
  test('and is said again after it, with the number that it had, is shown; another one with that number is an alarm', async () => {
    const from = log.position;
    await take(await log.say(log.owner, 'first'));
    log.owner.n += 1;
    const withheld = log.owner.n;
    await take(await log.say(log.owner, 'third'));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_MESSAGE_GAP]);
    await lose(from, 1_000);
    const mid = nodeRandom.bytes(16);
    await take(await log.say(log.owner, 'second', { n: withheld, mid }));
    await take(await log.say(log.owner, 'second', { n: withheld, mid }));
    expect(textsOf(reader)).toEqual(['first', 'third', 'second']);
    const before = alarmsOf(reader);
    await take(await log.say(log.owner, 'another', { n: withheld, mid: nodeRandom.bytes(16) }));
    expect(alarmsOf(reader)).toEqual([...before, ALARM_CODES.ALARM_DUPLICATE_N]);
    expect(before).not.toContain(ALARM_CODES.ALARM_DUPLICATE_N);
    // The numbers go on where they were.
    await take(await log.say(log.owner, 'fourth', { n: withheld + 2 }));
    expect(textsOf(reader).at(-1)).toBe('fourth');
    expect(alarmsOf(reader)).toHaveLength(before.length + 1);
  });
});

describe('an owner that says two things', () => {
  test('with two entries on one head is shown, and the first stays', async () => {
    const before = log.position;
    await take(await log.change('remove', { member: third.id, reason: 'removed' }));
    const { head } = reader.roster;
    await lose(before, 1_000);
    await take(await log.change('remove', { member: third.id, reason: 'misuse' }));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST, ALARM_CODES.ALARM_OWNER_EQUIVOCATED]);
    expect(equalBytes(reader.roster.head, head)).toBe(true);
  });

  test('with two rotations to one epoch is shown, and the first key stays', async () => {
    const before = log.position;
    await take(await log.rotate(guest.id));
    const { key } = reader.current;
    await lose(before, 1_000);
    await take(await log.rotate(guest.id));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST, ALARM_CODES.ALARM_OWNER_EQUIVOCATED]);
    expect(reader.current.key).toEqual(key);
  });
});

describe('what was lost and comes back in another order', () => {
  test('and was never here: an alarm that moves nothing, and the signed order is taken in after it', async () => {
    const before = log.position;
    const earlier = await log.rotate(guest.id);
    const removal = await log.change('remove', { member: third.id, reason: 'removed' });
    const later = await log.rotate(guest.id);
    await lose(before, 1_000);
    const { head } = reader.roster;
    await take(await log.add('roster', log.owner.id, removal.payload));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_ROSTER]);
    expect(reader.roster.head).toEqual(head);
    expect([reader.core.paused, reader.core.epoch, reader.core.logEpoch]).toEqual([false, 1, 1]);
    await take(await log.again(earlier), await log.again(removal));
    expect(reader.core.paused).toBe(true);
    await take(await log.again(later));
    expect(reader.core.paused).toBe(false);
    expect(reader.core.epoch).toBe(3);
    expect(reader.roster.members.has(third.id)).toBe(false);
    // The wraps went with the store.
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_ROSTER, ALARM_CODES.ALARM_NO_KEY]);
  });

  test.each([
    ['before the rotations that it came after', [1, 0]],
    ['after a rotation that came after it', [0, 2, 1]],
  ])('and was here: %s an entry is an alarm, and is not counted as back', async (_, order) => {
    const before = log.position;
    const made = [
      await log.rotate(guest.id),
      await log.change('remove', { member: third.id, reason: 'removed' }),
      await log.rotate(guest.id),
    ];
    await take(...made);
    const { head } = reader.roster;
    await lose(before, 1_000);
    for (const at of order)
      await take(await log.add(made[at]!.kind, log.owner.id, made[at]!.payload, made[at]!.clear));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST, ALARM_CODES.ALARM_BAD_ROSTER]);
    expect(reader.core.lost?.restored).toBe(order.length - 1);
    expect([reader.roster.head, reader.core.epoch]).toEqual([head, 3]);
  });

  test('G11: a rotation that a former owner signs on its old head is foreign', async () => {
    const old = log.owner;
    const before = { roster: log.roster, key: log.key };
    await lose(log.position, 1_000);
    await take(await log.transferOwnership(third));
    const { command } = await makeRotation(crypto, {
      identity: old.identity, roster: before.roster, epoch: 1, roomKey: before.key, prekeys: log.prekeys(), base: null, least: new Map(),
    }); // prettier-ignore
    await take(await log.add('rotation', old.id, command.payload, command.clear, command.wraps[guest.id]));
    expect(reader.core.epoch).toBe(1);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
  });
});

describe('a trimmed range', () => {
  test('in which the room changed hands ends with a rotation of its new owner', async () => {
    const before = log.containers.length;
    const old = log.owner;
    await log.transferOwnership(third);
    const trimmed = { position: log.position, t: log.t };
    await change(reader, set({ ...trimmed, skipped: true }), holdChain(log.containers.slice(before)));
    // Who owned it before says nothing any more.
    const usurped = await makeRotation(crypto, {
      identity: old.identity,
      roster: { ...log.roster, owner: old.id },
      epoch: log.epoch,
      roomKey: log.key,
      prekeys: log.prekeys(),
      base: null,
      least: new Map(),
    });
    await take(await log.rotate(guest.id));
    expect(alarmsOf(reader)).toEqual([]);
    const { clear, payload, wraps } = usurped.command;
    await take(await log.add('rotation', old.id, payload, clear, wraps[guest.id]));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
    expect(reader.core.epoch).toBe(2);
    expect(reader.current.key).toEqual(log.key);
  });

  test('with the last rotation beside it brings the key; told again, it is nothing', async () => {
    await log.say(log.owner, 'trimmed');
    const rotation = await log.rotate(guest.id);
    await log.say(log.owner, 'trimmed too');
    await change(reader, set({ position: log.position, t: log.t, skipped: true }));
    const tell = (): Promise<void> =>
      reader.write((draft) => applyTrimmedRotation(nodeHash, draft, rotation));
    await tell();
    const { length } = recordsOf(reader);
    await tell();
    expect(recordsOf(reader)).toHaveLength(length);
    expect(reader.current).toMatchObject({ epoch: 2, key: log.key });
    await take(await log.say(third, 'after it'), await log.rotate(guest.id), await log.say(third, 'and on'));
    expect(textsOf(reader).slice(-2)).toEqual(['after it', 'and on']);
    expect(reader.core.epoch).toBe(3);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('with rotations and roster entries in it is passed over, and what follows is read once the key is there', async () => {
    const start = reader.chain.size;
    await log.say(log.owner, 'trimmed');
    await log.rotate(guest.id);
    await log.change('remove', { member: third.id, reason: 'removed' });
    await log.rotate(guest.id);
    const fourth = await log.admit();
    const trimmed = { position: log.position, t: log.t };
    const containers = [...(await chainOf(log))].slice(start);
    await change(reader, set({ ...trimmed, skipped: true }), holdChain(containers));
    await take(
      await log.say(fourth.person, 'in an epoch that was trimmed'),
      await log.rotate(guest.id),
      await log.say(fourth.person, 'waits for its key'),
    );
    expect(reader.roster.head).toEqual(log.roster.head);
    expect([...reader.roster.members.keys()].sort()).toEqual([...log.roster.members.keys()].sort());
    expect(reader.core.epoch).toBe(4);
    expect(eventsOf(reader)).toContain('missed');
    expect(alarmsOf(reader)).toEqual([]);
    expect(recordsOf(reader).at(-1)?.items).toMatchObject([{ type: 'sealed' }]);
    expect(reader.core.paused).toBe(false);
  });
});

/** The chain of a log: what the relay never trims. */
async function chainOf(from: RoomLog): Promise<readonly Uint8Array[]> {
  const heads = new Set<string>();
  const chain = [from.genesis, ...from.containers];
  for (const container of chain) heads.add(String(await bodyHash(nodeHash, container)));
  expect(heads.size).toBe(chain.length);
  return chain;
}
