/** A room's record changes as a whole, in the vault first and in memory after it (docs/protocol.md section 9). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toBase64Url, type InviteId, type MemberId } from '@0fc/protocol';
import { bodyHash, encodeRoster } from '@0fc/crypto/verify';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { alarm, system } from '../log/items.js';
import {
  change,
  newVault,
  messagesOf,
  readLog,
  RoomLog,
  readEntry,
  waitingItem,
  type Person,
} from '../log/log.spec-support.js';
import { type Vault } from '../../vault/vault.js';
import type { RoomChange } from './changes.js';
import {
  append,
  dropInvite,
  dropOutbox,
  extendChain,
  holdChain,
  keepRotation,
  putInvite,
  putOutbox,
  rememberTranscript,
  replaceItems,
  set,
  setSender,
  writeRecord,
  type RoomSnapshot,
} from './draft.js';
import { keyOf, STORES, type OutboxItem, type OwnerInvite, type StoredItem } from '../../vault/records.js';
import { RoomState } from './state.js';
import { WatchedStorage } from './storage.spec-support.js';

let storage: WatchedStorage;
let vault: Vault;
let log: RoomLog;
let owner: Person;
let state: RoomState;
/** indexes of the local log that the views were notified of, a set for each write */
let told: number[][];

beforeAll(async () => {
  await loadThemis();
  storage = new WatchedStorage();
  vault = await newVault(storage);
});

beforeEach(async () => {
  storage.fails = null;
  storage.unreadable = null;
  log = await RoomLog.begin();
  owner = log.owner;
  state = await log.reader(owner, vault);
  told = [];
  state.watch((indexes) => told.push([...indexes]));
});

const byKey = (a: readonly [unknown, ...unknown[]], b: readonly [unknown, ...unknown[]]): number =>
  String(a[0]) < String(b[0]) ? -1 : 1;

/** All that the vault holds of a room, as it can be read. */
const storedOf = (room: RoomSnapshot) => ({
  core: room.core,
  roster: encodeRoster(room.roster),
  log: [...room.log.oldestFirst(room.log.first)],
  newest: [...room.log.newestFirst()].map(({ index }) => index),
  bounds: [room.log.first, room.log.end],
  chain: [...room.chain].sort(byKey),
  senders: [...room.senders].sort(byKey),
  counters: room.counters().length,
  outbox: [...room.outbox].sort(byKey),
  invites: [...room.invites].sort(byKey),
  rotations: Array.from({ length: room.core.epoch + 2 }, (_, epoch) => room.rotation(epoch)),
  messages: messagesOf(room).map((message) => room.messageAt(message)),
  places: [...room.log.oldestFirst(room.log.first)].map(({ at }) => at && room.transcriptAt(at.position)),
});

/** And what memory alone has beside it. */
const heldOf = (room: RoomSnapshot) => ({
  ...storedOf(room),
  ahead: room.chainAhead,
  remembered: room.transcriptAt({ g: 9, s: 9 }),
});

const reloaded = async (): Promise<RoomState> => {
  const again = await RoomState.load(vault, state.core.roomId, nodeHash);
  if (again === null) throw new Error('the room is gone');
  return again;
};

const member = toBase64Url(nodeRandom.bytes(16)) as MemberId;
const bytes = nodeRandom.bytes(32);
const instance = nodeRandom.bytes(16);
const waiting = (n: number): OutboxItem =>
  waitingItem({ n, instance, mid: instance, content: { type: 'text', text: `text ${String(n)}` } });
const inviteOf = (n: number): OwnerInvite => ({
  inviteId: toBase64Url(new Uint8Array(16).fill(n)) as InviteId, made: 1, expires: 2, pair: null, token: null, stage: 'asked',
  joiner: null, approved: n % 2 === 0, replies: [], repliedAt: null, dropReason: null,
}); // prettier-ignore
const message = (n: number): StoredItem => ({
  type: 'message', sender: member, instance, n, mid: instance, sentAt: n, content: { type: 'text', text: 'said' },
}); // prettier-ignore
const at = (s: number) => ({ position: { g: 2, s }, t: bytes, relayed: null });

/** Any change; those of the chain are real entries, in any order: the draft does not judge them. */
async function anyChange(): Promise<fc.Arbitrary<RoomChange>> {
  const { payload } = (await log.admit()).entry;
  const head = await bodyHash(nodeHash, payload);
  const { roster } = log;
  const rotation = { entry: await log.rotate(owner.id), wraps: null };
  const n = fc.integer({ min: 1, max: 4 });
  // No two messages are under one counter: the second is a repetition, or an alarm.
  const counter = fc.integer({ min: 1, max: 2 ** 40 });
  const items = fc
    .tuple(n, counter)
    .map(([k, of]) => [[], [system('rotated')], [message(of)], [alarm('ALARM_GAP')]][k - 1] ?? []);
  return fc.oneof(
    n.map((k) => set({ readIndex: k, verified: [member] })),
    n.map((k) => set({ paused: k % 2 === 0, epochMessages: k })),
    n.map((k) => set({ people: [{ memberId: member, name: `name ${String(k)}`, proof: null }] })),
    n.map((k) => set({ nextN: k, lost: { index: 0, from: k, to: k, restored: 0 }, rotationWanted: true })),
    fc.tuple(n, items).map(([k, shown]) => append(k === 1 ? null : at(k), k, shown)),
    fc.tuple(fc.nat(6), items).map(([index, shown]) => replaceItems(index, shown)),
    n.map((k) => setSender(member, { counter: { instance, n: k }, forkedIn: k % 2 })),
    n.map((k) => setSender(owner.id, { seen: { g: 1, s: k } })),
    n.map((k) => putOutbox(waiting(k))),
    n.map(dropOutbox),
    n.map((k) => putInvite(inviteOf(k))),
    n.map((k) => dropInvite(inviteOf(k).inviteId)),
    n.map((k) => keepRotation(k, rotation)),
    fc.constantFrom(
      rememberTranscript({ g: 9, s: 9 }, bytes),
      extendChain(payload, head, roster),
      holdChain([payload]),
      holdChain([]),
    ),
  );
}

describe('a draft', () => {
  test('of any changes leaves what is below as it was; once written, memory and vault are as it was', async () => {
    const changes = fc.array(await anyChange(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 4 }), async (writes) => {
        for (const [index, each] of writes.entries()) {
          const before = heldOf(state);
          const draft = state.fork();
          const over = state.fork().fork();
          draft.apply(...each);
          over.apply(...each);
          const drafted = heldOf(draft);
          expect(heldOf(over)).toEqual(drafted);
          expect(heldOf(state)).toEqual(before);
          // Half of the time as one piece of work, half as several on each other's drafts.
          await state.write((real) => {
            if (index % 2 === 0) real.apply(...each);
            else for (const single of each) real.apply(...viaDraft(real, single));
          });
          expect(heldOf(state)).toEqual(drafted);
          expect(storedOf(await reloaded())).toEqual(storedOf(state));
        }
      }),
      { numRuns: 25 },
    );
  });

  test('is told of to the views by what it added and replaced in the log, once it is stored', async () => {
    const { nextIndex } = state.core;
    await state.write((draft) => {
      draft.apply(
        append(null, 1, []),
        append(null, 1, [system('rotated')]),
        replaceItems(0, []),
        set({ readIndex: 1 }),
      );
      expect(told).toEqual([]);
    });
    expect(told.map((indexes) => indexes.sort())).toEqual([[0, nextIndex, nextIndex + 1]]);
    await change(state, set({ readIndex: 2 }));
    expect(told).toHaveLength(1);
  });

  test('begins where the one before it ended, and none is lost', async () => {
    const add = (): Promise<void> =>
      state.write(async (draft) => {
        const { readIndex } = draft.core;
        await Promise.resolve();
        draft.apply(set({ readIndex: readIndex + 1 }));
      });
    await Promise.all([add(), add(), add()]);
    expect(state.core.readIndex).toBe(3);
    expect((await reloaded()).core.readIndex).toBe(3);
  });
});

/** The changes of a draft over a draft: what applyEntry hands back. */
function viaDraft(below: RoomSnapshot, single: RoomChange): readonly RoomChange[] {
  const draft = below.fork();
  draft.apply(single);
  return draft.changes;
}

describe('what is written', () => {
  const places = async (...changes: readonly RoomChange[]): Promise<readonly string[]> => {
    const { length } = storage.writes;
    await change(state, ...changes);
    expect(storage.writes).toHaveLength(length + 1);
    return storage.lastPlaces.map((place) => place.replaceAll(state.core.roomId, 'room'));
  };
  const logPlace = (index: number): string => `log ${keyOf('room', index)}`;

  test('is what changed, each slice and record once, and nothing else', async () => {
    const { nextIndex } = state.core;
    const [payload, head] = [log.genesis, log.roster.head];
    expect(await places(set({ readIndex: 1 }))).toEqual(['slices room/reading']);
    expect(await places(set({ readIndex: 2 }), set({ verified: [] }))).toEqual(['slices room/reading']);
    expect(await places(set({ instance }))).toEqual(['rooms room']);
    expect(await places(set({ paused: true, keys: state.core.keys }))).toEqual([
      'slices room/keys',
      'slices room/place',
    ]);
    expect(await places(append(null, 1, []))).toEqual([logPlace(nextIndex), 'slices room/place']);
    expect(await places(replaceItems(nextIndex, []))).toEqual([logPlace(nextIndex)]);
    expect(await places(setSender(member, { forkedIn: 1 }))).toEqual([`senders room/${member}`]);
    expect(await places(putOutbox(waiting(1)), dropOutbox(1))).toEqual([`outbox ${keyOf('room', 1)}`]);
    expect(await vault.get(STORES.outbox, keyOf(state.core.roomId, 1))).toBeNull();
    expect(await places(extendChain(payload, head, log.roster))).toEqual([
      `chain ${keyOf('room', 1)}`,
      'slices room/roster',
    ]);
    expect(await places(writeRecord(STORES.app, 'draft', bytes))).toEqual(['app draft']);
  });

  test('is nothing where nothing of it is kept in the vault', async () => {
    const { length } = storage.writes;
    await change(state);
    await change(state, holdChain([bytes]), rememberTranscript({ g: 9, s: 9 }, bytes), replaceItems(999, []));
    expect(storage.writes).toHaveLength(length);
  });

  test('of a message is as much in a room of many people, keys and records as in a small one', async () => {
    const small = await readLog();
    state = await small.log.reader(small.guest, vault);
    await change(state, extendChain(small.log.containers[0]!, small.log.roster.head, small.log.roster));
    await change(state, set({ position: small.log.position, t: small.log.t }));
    const say = async (): Promise<number> => {
      expect(await readEntry(state, await small.log.say(small.log.owner, 'as long as the other'))).toBe(
        'applied',
      );
      return storage.lastBytes;
    };
    await say();
    const before = await say();
    const many = Array.from({ length: 400 }, () => toBase64Url(nodeRandom.bytes(16)) as MemberId);
    const [key] = state.core.keys;
    await change(
      state,
      set({ people: many.map((memberId) => ({ memberId, name: 'somebody with a name', proof: null })) }),
      set({ verified: many, keys: many.map((_, n) => ({ ...key!, epoch: n + 1 })) }),
      ...many.map((memberId, n) => setSender(memberId, { counter: { instance, n } })),
      ...many.map((_, n) => append(null, n, [system('rotated')])),
    );
    const growth = storage.lastBytes;
    expect(growth).toBeGreaterThan(50_000);
    // Numbers take a few bytes more as they grow.
    expect(Math.abs((await say()) - before)).toBeLessThan(32);
  });
});

describe('a write that fails', () => {
  const some = (): readonly RoomChange[] => [
    set({ readIndex: 1, paused: true }),
    append(null, 7, [system('rotated')]),
    replaceItems(0, [system('created')]),
    putOutbox(waiting(1)),
    setSender(member, { forkedIn: 1 }),
    extendChain(log.genesis, log.roster.head, log.roster),
  ];

  /** The next write works, and memory and vault go on together. */
  async function goesOn(): Promise<void> {
    storage.fails = null;
    storage.unreadable = null;
    const { readIndex, nextIndex } = (await reloaded()).core;
    await state.write((draft) => {
      draft.apply(set({ readIndex: draft.core.readIndex + 10 }), append(null, 8, [system('settings')]));
    });
    expect(state.core).toMatchObject({ readIndex: readIndex + 10, nextIndex: nextIndex + 1 });
    expect(storedOf(await reloaded())).toEqual(storedOf(state));
  }

  test('leaves memory as it was, as the vault is', async () => {
    const before = heldOf(state);
    storage.fails = { code: 'VAULT_FULL', stored: false };
    await expect(change(state, ...some())).rejects.toMatchObject({ code: 'VAULT_FULL' });
    expect(heldOf(state)).toEqual(before);
    expect(told).toEqual([]);
    await goesOn();
  });

  test('but is on the disk all the same leaves memory as the disk is, and the views know of it', async () => {
    const { nextIndex } = state.core;
    storage.fails = { code: 'VAULT_UNAVAILABLE', stored: true };
    await expect(change(state, ...some())).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    expect(state.core).toMatchObject({ readIndex: 1, paused: true });
    expect(state.outbox.size).toBe(1);
    expect(state.log.at(0)?.items).toEqual([system('created')]);
    expect([...new Set(told.flat())].sort()).toEqual([0, nextIndex]);
    await goesOn();
  });

  test.each([false, true])(
    'on a disk that cannot be read either (stored: %s) is looked at again before the next write',
    async (stored) => {
      const before = heldOf(state);
      storage.fails = { code: 'VAULT_UNAVAILABLE', stored };
      storage.unreadable = 'VAULT_UNAVAILABLE';
      await expect(change(state, ...some())).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
      expect(heldOf(state)).toEqual(before);
      storage.fails = null;
      await expect(change(state, set({ readIndex: 99 }))).rejects.toMatchObject({
        code: 'VAULT_UNAVAILABLE',
      });
      storage.unreadable = null;
      expect((await reloaded()).core.readIndex).toBe(stored ? 1 : 0);
      const { nextIndex } = before.core;
      await goesOn();
      expect([...new Set(told.flat())].sort()).toEqual(stored ? [0, nextIndex, nextIndex + 1] : [nextIndex]);
    },
  );

  test('keeps the chain that was fetched and is not verified yet: the relay need not be asked again', async () => {
    await change(state, holdChain([bytes]));
    storage.fails = { code: 'VAULT_FULL', stored: false };
    await expect(change(state, set({ readIndex: 1 }))).rejects.toMatchObject({ code: 'VAULT_FULL' });
    expect(state.chainAhead).toEqual([bytes]);
    await goesOn();
  });
});

describe('what cannot be stored', () => {
  test.each<[string, () => RoomChange]>([
    ['a field', () => set({ readIndex: -1 })],
    ['a record of the log', () => append(null, 1, [system('rotated', { numbers: { epoch: -1 } })])],
    ['a replaced record', () => replaceItems(0, [system('')])],
    ['a message that waits', () => putOutbox({ ...waiting(1), instance: bytes })],
    ['a sender', () => setSender(member, { seen: { g: 0, s: -1 } })],
  ])('%s: moves nothing, beside what could be neither', async (_, wrong) => {
    const before = heldOf(state);
    const { length } = storage.writes;
    await expect(change(state, set({ paused: true }), append(null, 1, []), wrong())).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    expect(heldOf(state)).toEqual(before);
    expect([storage.writes.length, told]).toEqual([length, []]);
    await change(state, set({ paused: true }));
    expect(state.core.paused).toBe(true);
  });

  test('is looked at as it is written, once: of a record that changes again the last value counts', async () => {
    const { length } = storage.writes;
    const wrong = setSender(member, { seen: { g: 0, s: -1 } });
    await change(state, wrong, setSender(member, { seen: { g: 1, s: 1 } }));
    expect(state.sender(member).seen).toEqual({ g: 1, s: 1 });
    expect(storage.writes).toHaveLength(length + 1);
  });

  test('and work that fails move nothing', async () => {
    const before = heldOf(state);
    const { length } = storage.writes;
    const failing = state.write((draft) => {
      draft.apply(...[set({ paused: true }), putOutbox(waiting(1))]);
      throw new Error('thought better of it');
    });
    await expect(failing).rejects.toThrow('thought better of it');
    expect(heldOf(state)).toEqual(before);
    expect(storage.writes).toHaveLength(length);
  });
});
