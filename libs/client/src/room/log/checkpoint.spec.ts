/** Rotations as checkpoints (docs/protocol.md section 6.5, G7): no fork gives a free pass for the next one. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Entry, type Position } from '@0fc/protocol';
import { bodyHash, transcriptHash } from '@0fc/crypto/verify';
import { signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { rotationIn } from './room-keys.js';
import { seenOf } from './fork.js';
import {
  alarmsOf, change, RoomLog, readEntry, readGeneration, recordsOf, type Person,
} from './log.spec-support.js'; // prettier-ignore
import { extendChain, set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';

const { ALARM_FORK, ALARM_RELAY_LOST } = ALARM_CODES;
const MINUTE = 60_000;

let log: RoomLog;
let people: readonly Person[];
/** two members: what `victim` is served, the relay chooses */
let other: RoomState;
let victim: RoomState;

const [OTHER, VICTIM] = [0, 1] as const;

/** As each of both is served it: with its own wrap. */
async function take(entry: Entry, readers: readonly RoomState[] = [other, victim]): Promise<void> {
  for (const reader of readers) {
    const { wrap: _whose, ...plain } = entry;
    const own = entry.kind === 'rotation' ? log.wraps[reader.core.me] : undefined;
    expect(await readEntry(reader, own === undefined ? plain : { ...plain, wrap: own })).toBe('applied');
  }
}

/** One line for `other`, and another one at the same position for `victim`. */
async function fork(): Promise<void> {
  const n = log.owner.n;
  const shown = await log.say(log.owner, 'as it is');
  await take(shown, [other]);
  log.owner.n = n;
  const content = { type: 'text', text: 'as the relay has it' };
  const sealed = log.seal(log.owner, log.body(log.owner, content, { seen: seenOf(victim) }));
  await take({ ...shown, ...sealed }, [victim]);
}

const rotate = async (): Promise<void> => take(await log.rotate(people[OTHER]!.id));

/** A line of one of both, with what that one has read. */
async function says(from: RoomState): Promise<void> {
  const person = people[from === other ? OTHER : VICTIM]!;
  await take(await log.say(person, 'a line', { seen: seenOf(from) }));
}

/** Members whose history was shown as another one, since the last time that this was asked. */
function forksOf(reader: RoomState): readonly (string | null)[] {
  const from = asked.get(reader) ?? 0;
  const records = recordsOf(reader);
  asked.set(reader, records.length);
  const items = records.slice(from).flatMap((record) => record.items);
  return items.flatMap((item) => (item.type === 'alarm' && item.code === ALARM_FORK ? [item.member] : []));
}
let asked: Map<RoomState, number>;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  const admitted = [await log.admit(), await log.admit()];
  people = admitted.map(({ person }) => person);
  [other, victim] = await Promise.all([log.reader(people[OTHER]!), log.reader(people[VICTIM]!)]);
  for (const { entry } of admitted) await take(entry);
  asked = new Map();
});

describe('a fork', () => {
  test('is shown in its epoch and in the next, to both sides, and transcripts meet again', async () => {
    await rotate();
    await fork();
    await says(other);
    expect(forksOf(victim)).toEqual([people[OTHER]!.id]);
    await says(victim);
    expect(forksOf(other)).toEqual([people[VICTIM]!.id]);
    await rotate();
    // What the epoch before had in it differs: so does what follows.
    expect(victim.core.t).not.toEqual(other.core.t);
    await says(other);
    await says(victim);
    expect([forksOf(victim), forksOf(other)]).toEqual([[people[OTHER]!.id], [people[VICTIM]!.id]]);
    await rotate();
    expect(victim.core.t).toEqual(other.core.t);
    expect(victim.core.t).toEqual(log.t);
    // The owner's checkpoint was another one than here: shown, and said to the others.
    expect(forksOf(victim)).toEqual([log.owner.id]);
    await says(other);
    await says(victim);
    expect([forksOf(victim), forksOf(other)]).toEqual([[people[OTHER]!.id], [people[VICTIM]!.id]]);
    await rotate();
    for (const reader of [other, victim, other]) await says(reader);
    expect([forksOf(victim), forksOf(other)]).toEqual([[], []]);
  });

  test('after one that was shown is shown like the first', async () => {
    await fork();
    await says(other);
    await says(victim);
    for (let epoch = 1; epoch <= 4; epoch++) await rotate();
    forksOf(victim);
    forksOf(other);
    await fork();
    await says(other);
    await says(victim);
    expect([forksOf(victim), forksOf(other)]).toEqual([[people[OTHER]!.id], [people[VICTIM]!.id]]);
  });

  test('that only the members of one side can tell is shown to the other by what they seal', async () => {
    await fork();
    await rotate();
    // Nobody has said anything in that epoch.
    await rotate();
    expect([forksOf(victim), forksOf(other)]).toEqual([[log.owner.id], []]);
    await says(victim);
    expect(forksOf(other)).toEqual([people[VICTIM]!.id]);
  });

  test('is shown once for each member and epoch', async () => {
    await fork();
    for (let line = 0; line < 3; line++) await says(other);
    expect(forksOf(victim)).toEqual([people[OTHER]!.id]);
  });

  test('behind any number of entries in its epoch is shown, and ends like any other', async () => {
    await rotate();
    await fork();
    for (let line = 0; line < 200; line++)
      await take(await log.say(log.owner, String(line), { seen: seenOf(other) }));
    expect(forksOf(victim)).toEqual([log.owner.id]);
    await rotate();
    await rotate();
    expect(victim.core.t).toEqual(log.t);
  });
});

describe('who does not know its transcript', () => {
  /** The store goes back behind the rotation with which `victim` began, which is then restored. */
  async function begun(): Promise<{ readonly from: Position; readonly rotation: Entry }> {
    const from = log.position;
    await take(await log.say(log.owner, 'before'), [other]);
    const rotation = await log.rotate(people[OTHER]!.id);
    await take(rotation, [other]);
    // As a member begins that was admitted with that rotation: at its floor, with the chain and the key.
    victim = await log.reader(people[VICTIM]!);
    for (const container of log.containers)
      await change(victim, extendChain(container, await bodyHash(nodeHash, container), log.roster));
    const floor = { position: log.position, t: log.t };
    const [key] = other.core.keys.slice(-1);
    await change(
      victim,
      set({
        ...floor,
        chainShown: 3,
        logLength: 3,
        epoch: 2,
        logEpoch: 2,
        keys: [{ ...key!, counters: [] }],
      }),
    );
    return { from, rotation };
  }

  async function loses(from: Position): Promise<void> {
    const start = await log.lose(from, 1_000);
    for (const reader of [other, victim]) await readGeneration(reader, start, 9_000);
  }

  test('is shown no other side where it could not compare, and takes nobody for one who could not', async () => {
    const { from, rotation } = await begun();
    const { key } = log;
    await loses(from);
    await take(await log.again(rotation));
    log.key = key;
    await rotate();
    expect(victim.core.provisional).toBe(0);
    const differed = nodeRandom.bytes(32);
    const saysOther = async (): Promise<void> =>
      take(await log.say(people[OTHER]!, 'from the other side', { seen: { ...seenOf(other), differed } }));
    await saysOther();
    expect(forksOf(victim)).toEqual([]);
    await rotate();
    await saysOther();
    expect(forksOf(victim)).toEqual([people[OTHER]!.id]);
    const keys = victim.core.keys.map((one) =>
      one.epoch === victim.core.epoch ? { ...one, differed } : one,
    );
    await change(victim, set({ keys }));
    await take(await log.say(log.owner, 'who knows no transcript', { seen: { ...seenOf(other), t: null } }));
    expect(forksOf(victim)).toEqual([]);
    await take(await log.say(log.owner, 'who knows it', { seen: seenOf(other) }));
    expect(forksOf(victim)).toEqual([log.owner.id]);
  });

  test('shows no fork that is none, seals nothing that looks like one, and knows it again after a fresh rotation', async () => {
    const { from, rotation } = await begun();
    const { key } = log;
    await loses(from);
    expect([other.core.provisional, victim.core.provisional]).toEqual([0, 2]);
    await take(await log.again(rotation));
    log.key = key;
    expect(victim.core.provisional).toBe(1);
    expect(seenOf(victim).t).toBeNull();
    for (const reader of [other, victim]) await says(reader);
    expect([forksOf(victim), forksOf(other)]).toEqual([[], []]);
    await rotate();
    expect(victim.core.provisional).toBe(0);
    expect(victim.core.t).toEqual(log.t);
    expect(alarmsOf(victim)).toEqual([ALARM_RELAY_LOST]);
    for (const reader of [other, victim]) await says(reader);
    expect([forksOf(victim), forksOf(other)]).toEqual([[], []]);
    await fork();
    await says(other);
    expect(forksOf(victim)).toEqual([people[OTHER]!.id]);
  });
});

describe('a checkpoint that is another than the beginning here', () => {
  /** The next rotation as its owner signs it with another base, at a time. */
  async function rotateFrom(base: Uint8Array | null, signedAt: number): Promise<void> {
    const made = await log.rotate(people[OTHER]!.id);
    const clear = signBody(log.owner.identity, 'rotation', { ...rotationIn(made.clear), base, signedAt });
    await take({ ...made, clear }, [other]);
  }

  test('is a fork', async () => {
    await rotateFrom(nodeRandom.bytes(32), 5_000);
    expect(forksOf(other)).toEqual([log.owner.id]);
    expect(other.current.differed).toEqual(transcriptHash(log.firstT));
  });

  test('that the owner says not to know is one too, where no loss explains it', async () => {
    await rotateFrom(null, 5_000);
    expect(forksOf(other)).toEqual([log.owner.id]);
  });

  test.each([
    ['before its owner could know of a loss is none', 10 * MINUTE, []],
    ['later than that is a fork', 10 * MINUTE + 1, ['owner']],
  ])('after a loss of that beginning: signed %s', async (_, after, forks) => {
    const told = 9_000;
    const from = log.position;
    await take(await log.say(log.owner, 'before it'), [other]);
    const begin = await log.rotate(people[OTHER]!.id);
    const { key } = log;
    await take(begin, [other]);
    await readGeneration(other, await log.lose(from, 1_000), told);
    await take(await log.say(log.owner, 'behind the loss'), [other]);
    await take(await log.again(begin), [other]);
    log.key = key;
    await rotateFrom(after > 10 * MINUTE ? nodeRandom.bytes(32) : null, told + after);
    expect(forksOf(other)).toEqual(forks.map(() => log.owner.id));
  });

  test('after a generation that lost nothing of that beginning is a fork, however often one is announced', async () => {
    for (const generation of [1_000, 2_000])
      await readGeneration(other, await log.lose(log.position, generation), 9_000);
    await rotateFrom(nodeRandom.bytes(32), 9_000);
    expect(forksOf(other)).toEqual([log.owner.id]);
  });
});

test('the hash of genesis is where the first epoch begins', async () => {
  expect(other.current.t).toEqual(log.firstT);
  expect(transcriptHash(log.firstT)).toEqual(await nodeHash.sha256(genesisBody()));
});

/** What genesis signs: its container without head and signature. */
function genesisBody(): Uint8Array {
  const view = new DataView(log.genesis.buffer, log.genesis.byteOffset);
  return log.genesis.slice(12, 12 + view.getUint32(4, true));
}
