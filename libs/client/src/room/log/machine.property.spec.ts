/**
 * The room's state machine under any interleaving (docs/protocol.md G3 to G16 as far as they can be
 * stated on it): honest rooms with losses and restores, and the same rooms served by a lying relay.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ALARM_CODES,
  comparePositions,
  decodeCbor,
  toBase64Url,
  type Entry,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  alarmsOf,
  messagesOf,
  newVault,
  recordsOf,
  RoomLog,
  readEntry,
  readGap,
  readGeneration,
  textsOf,
  type Person,
} from './log.spec-support.js';
import { logWindow } from '../../vault/migrations/02-log-window.js';
import { version2 } from '../../vault/migrations/version-2.spec-support.js';
import { prefixOf, STORES } from '../../vault/records.js';
import { lagsBehind, missingEntries } from '../outgoing/restore.js';
import { RoomState } from '../state/state.js';
import { Conversation } from '../conversation/conversation.js';
import type { Vault } from '../../vault/vault.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const parameters = { seed: SEED, numRuns: 25 };

const LAST = 'the last word';

/** Holds one record in memory, and reads all others from its vault when they are wanted. */
let narrowVault: Vault;
const NARROW = 1;

/** A room with its honest relay, and one reader that takes everything in: twice, with a short memory too. */
class World {
  readonly log: RoomLog;
  readonly reader: RoomState;
  narrow: RoomState;
  readonly me: Person;
  readonly people = new Map<MemberId, Person>();
  /** texts that each member has really sent, by sender */
  readonly said = new Map<string, MemberId>();
  /** the log of this moment, oldest first */
  entries: Entry[] = [];
  #generation = 1_000;
  #epoch = 1;
  #length = 1;

  private constructor(log: RoomLog, me: Person, reader: RoomState, narrow: RoomState) {
    this.log = log;
    this.me = me;
    this.reader = reader;
    this.narrow = narrow;
    this.people.set(log.owner.id, log.owner);
    this.people.set(me.id, me);
  }

  static async begin(): Promise<World> {
    const log = await RoomLog.begin();
    const { person, entry } = await log.admit();
    const narrow = await log.reader(person, narrowVault, NARROW);
    const world = new World(log, person, await log.reader(person), narrow);
    await world.deliver(entry);
    return world;
  }

  async deliver(entry: Entry): Promise<void> {
    this.entries.push(entry);
    expect(await readEntry(this.reader, entry)).toBe('applied');
    expect(await readEntry(this.narrow, entry)).toBe('applied');
    this.check();
  }

  /** Closed and opened again. */
  async restart(): Promise<void> {
    const again = await RoomState.load(narrowVault, this.log.roster.roomId, nodeHash, NARROW);
    if (again === null) throw new Error('the room is gone');
    this.narrow = again;
  }

  /** How much is in memory makes no difference to anybody. */
  async compare(): Promise<void> {
    const { reader, narrow } = this;
    await expectSame(reader, narrow);
    await this.#compareMigrated();
    const [wide, short] = [new Conversation(reader), new Conversation(narrow)];
    await Promise.all([wide.prepare(), short.prepare()]);
    expect([short.last()?.text, short.unread()]).toEqual([wide.last()?.text, wide.unread()]);
  }

  /** What this client has counted and indexed while it read is what an older client's records come to. */
  async #compareMigrated(): Promise<void> {
    const { roomId } = this.log.roster;
    const changes = await logWindow.migrate(await version2(narrowVault, roomId), nodeHash);
    for (const { store, key, value } of changes) {
      const kept = await narrowVault.get(store, key);
      expect([store, kept && decodeCbor(kept)]).toEqual([store, value && decodeCbor(value)]);
    }
    for (const store of [STORES.messages, STORES.effects]) {
      const made = changes.filter((change) => change.store === store);
      expect(await narrowVault.listFrom(store, prefixOf(roomId))).toHaveLength(made.length);
    }
  }

  /** What never goes back, whatever happens. */
  check(): void {
    const { core, roster } = this.reader;
    expect(core.epoch).toBeGreaterThanOrEqual(this.#epoch);
    expect(roster.length).toBeGreaterThanOrEqual(this.#length);
    expect(roster.length).toBe(this.reader.chain.size);
    this.#epoch = core.epoch;
    this.#length = roster.length;
    expect(this.narrow.core).toEqual(core);
    expect(this.narrow.senders).toEqual(this.reader.senders);
    const texts = textsOf(this.reader);
    expect(new Set(texts).size).toBe(texts.length);
  }

  /** Members of the roster beside the owner and the reader. */
  get others(): readonly Person[] {
    return [...this.log.roster.members.keys()].flatMap((id) => {
      const person = this.people.get(id);
      return person === undefined || id === this.log.owner.id || id === this.me.id ? [] : [person];
    });
  }

  async say(pick: number): Promise<void> {
    const speakers = [this.log.owner, this.me, ...this.others];
    const speaker = speakers[pick % speakers.length] ?? this.log.owner;
    const text = `${String(this.said.size)} ${toBase64Url(nodeRandom.bytes(4))}`;
    this.said.set(text, speaker.id);
    await this.deliver(await this.log.say(speaker, text));
  }

  async rotate(): Promise<void> {
    await this.restart();
    await this.deliver(await this.log.rotate(this.me.id));
    expect(this.reader.current.key).toEqual(this.log.key);
  }

  async admit(): Promise<void> {
    if (this.log.roster.members.size >= 6) return;
    const { person, entry } = await this.log.admit();
    this.people.set(person.id, person);
    await this.deliver(entry);
  }

  async depart(pick: number, how: 'remove' | 'leave'): Promise<void> {
    const member = this.others[pick % Math.max(1, this.others.length)];
    if (member === undefined) return;
    const { roomId } = this.log.roster;
    if (how === 'leave') {
      const admit = this.log.roster.members.get(member.id)?.admit ?? nodeRandom.bytes(32);
      const request = signBody(member.identity, 'leaveRequest', { roomId, member: member.id, admit });
      await this.deliver(await this.log.add('leaveRequest', member.id, request));
      expect(this.reader.core.leaving.map(({ memberId }) => memberId)).toContain(member.id);
      await this.deliver(await this.log.change('leave', { member: member.id, request }));
    } else {
      await this.deliver(await this.log.change('remove', { member: member.id, reason: 'removed' }));
    }
    // G10: nothing is sealed between a departure and the rotation that follows it.
    expect(this.reader.core.paused).toBe(true);
    await this.rotate();
    expect(this.reader.core.paused).toBe(false);
    expect(this.reader.roster.members.has(member.id)).toBe(false);
  }

  /** The room goes to another member, who rotates first. */
  async transferOwnership(pick: number): Promise<void> {
    const to = this.others[pick % Math.max(1, this.others.length)];
    if (to === undefined) return;
    await this.deliver(await this.log.transferOwnership(to));
    await this.rotate();
  }

  #ownerOfNow(): void {
    const owner = this.people.get(this.log.roster.owner);
    if (owner === undefined) throw new Error('owned by nobody');
    this.log.owner = owner;
  }

  /**
   * The store goes back to an earlier place of its log. Somebody spiteful brings back what was lost in
   * any order, the relay refuses what it does not stand on, and the reader brings the rest.
   */
  async lose(pick: number, spite: readonly number[]): Promise<void> {
    const at = pick % this.entries.length;
    const entry = this.entries[at];
    if (entry === undefined) return;
    const from: Position = entry.position;
    const before = { ...this.reader.core, head: this.reader.roster.head };
    this.entries = this.entries.slice(0, at + 1);
    const start = await this.log.lose(from, ++this.#generation);
    await readGeneration(this.reader, start, 9_000);
    await readGeneration(this.narrow, start, 9_000);
    expect(this.reader.core.t).toEqual(this.log.t);
    this.#ownerOfNow();
    this.check();
    const end = { head: this.log.roster.head, epoch: this.log.epoch };
    const missing = await missingEntries(nodeHash, this.reader, end);
    expect(missing.length > 0).toBe(lagsBehind(this.reader, end));
    expect(await this.narrow.read(() => missingEntries(nodeHash, this.narrow, end))).toEqual(missing);
    const back: Entry[] = [];
    const bring = async (lost: Entry): Promise<void> => {
      if (back.includes(lost) || !(await this.log.takesBack(lost))) return;
      back.push(lost);
      await this.deliver(await this.log.again(lost));
      this.#ownerOfNow();
    };
    for (const at of missing.length === 0 ? [] : spite) await bring(missing[at % missing.length]!);
    for (const lost of missing) await bring(lost);
    expect(back).toEqual(missing);
    this.log.key = this.reader.current.key ?? this.log.key;
    expect(this.reader.roster.head).toEqual(before.head);
    expect(this.reader.core.epoch).toBe(before.epoch);
    expect(this.reader.core.logEpoch).toBe(before.epoch);
    // Senders go on where they were: n never goes to other content.
    const { n } = this.me;
    for (const item of [...this.reader.outbox.values()]) {
      const body = this.log.body(this.me, item.content, { n: item.n, mid: item.mid });
      const sealed = this.log.seal(this.me, body);
      await this.deliver(await this.log.add('message', this.me.id, sealed.payload, sealed.clear));
    }
    this.me.n = n;
    expect(this.reader.outbox.size).toBe(0);
  }
}

const loss = fc.record({
  act: fc.constant('lose' as const),
  pick: fc.nat(100),
  spite: fc.array(fc.nat(100), { maxLength: 12 }),
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant('say' as const), pick: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('rotate' as const), pick: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('admit' as const), pick: fc.nat(100) }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('remove' as const, 'leave' as const), pick: fc.nat(100) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('transferOwnership' as const), pick: fc.nat(100) }) },
  { weight: 1, arbitrary: loss },
);
interface Step {
  readonly act: 'say' | 'rotate' | 'admit' | 'remove' | 'leave' | 'transferOwnership' | 'lose';
  readonly pick: number;
  /** what is tried before the reader's turn: indexes of what was lost */
  readonly spite?: readonly number[];
}

async function run(world: World, steps: readonly Step[]): Promise<void> {
  for (const { act, pick, spite } of steps) {
    if (act === 'say') await world.say(pick);
    else if (act === 'rotate') await world.rotate();
    else if (act === 'admit') await world.admit();
    else if (act === 'transferOwnership') await world.transferOwnership(pick);
    else if (act === 'lose') await world.lose(pick, spite ?? []);
    else await world.depart(pick, act);
  }
}

beforeAll(async () => {
  await loadThemis();
  narrowVault = await newVault();
});

describe(`any room (seed ${String(SEED)})`, () => {
  test('that loses its tail at any moment goes on where its members were, and shows only the loss', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), loss, async (steps, last) => {
        const world = await World.begin();
        await run(world, [...steps, last]);
        const texts = textsOf(world.reader);
        expect([...texts].sort()).toEqual([...world.said.keys()].sort());
        expect(alarmsOf(world.reader).filter((code) => code !== ALARM_CODES.ALARM_RELAY_LOST)).toEqual([]);
        await world.compare();
        expect(world.reader.core.t).toEqual(world.log.t);
        expect([...world.reader.roster.members.keys()]).toEqual([...world.log.roster.members.keys()]);
      }),
      parameters,
    );
  });

  const lie = fc.record({
    at: fc.nat(100),
    how: fc.constantFrom('drop', 'repeat', 'swap', 'kind', 'sender', 'flip', 'clear', 'old' as const),
    byte: fc.nat(10_000),
  });

  test('told by a lying relay shows nothing that its sender did not say, and no other roster or key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 6, maxLength: 14 }),
        fc.array(lie, { minLength: 1, maxLength: 4 }),
        async (steps, lies) => {
          const world = await World.begin();
          await run(
            world,
            steps.filter(({ act }) => act !== 'lose'),
          );
          const victim = await world.log.reader(world.me);
          const honest = world.entries;
          // A message that the owner seals after all this: what it has seen gives the lie away (G6, G7).
          await world.deliver(await world.log.say(world.log.owner, LAST));
          const told = [...lied(honest, lies), ...world.entries.slice(-1)];
          await tell(victim, told);
          const short = await world.log.reader(world.me, await newVault(), NARROW);
          await tell(short, told);
          await expectSame(victim, short);
          for (const { sender, content } of messagesOf(victim)) {
            if (content.text !== LAST) expect(world.said.get(String(content.text))).toBe(sender);
          }
          const texts = textsOf(victim);
          expect(new Set(texts).size).toBe(texts.length);
          // Heads and keys are the owner's own, or none.
          const heads = [...world.reader.chain.values()].map((container) => toBase64Url(container));
          for (const container of victim.chain.values()) expect(heads).toContain(toBase64Url(container));
          for (const key of victim.core.keys) {
            if (key.epoch > 1 && key.key !== null) {
              expect(world.reader.rotation(key.epoch)).not.toBeNull();
              expect(key.rotation).toEqual(world.reader.rotation(key.epoch)?.entry.clear);
            }
          }
          // A lie that changed what is shown is shown as one.
          if (texts.length < textsOf(world.reader).length) expect(alarmsOf(victim).length).toBeGreaterThan(0);
        },
      ),
      parameters,
    );
  });
});

/** Delivers as the feed does: what does not follow is a gap, accepted as one. Nothing may throw. */
async function tell(reader: RoomState, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    if ((await readEntry(reader, entry)) !== 'gap') continue;
    if (comparePositions(entry.position, reader.core.position) <= 0) continue;
    await readGap(reader, entry);
    await readEntry(reader, entry);
  }
}

/** What is in memory makes no difference to what is known of a log. */
async function expectSame(wide: RoomState, narrow: RoomState): Promise<void> {
  const { first, end } = wide.log;
  expect(narrow.core).toEqual(wide.core);
  expect(await narrow.records(first, end)).toEqual(recordsOf(wide));
  for (const message of messagesOf(wide)) {
    expect(await narrow.read(() => narrow.messageAt(message))).toEqual(wide.messageAt(message));
  }
  for (const { at } of recordsOf(wide)) {
    for (const s of at === null ? [] : [at.position.s, at.position.s + 1_000]) {
      const place = { g: at?.position.g ?? 0, s };
      const known = (state: RoomState) => [state.transcriptAt(place), state.isKnownEmpty(place)];
      expect(await narrow.read(() => known(narrow))).toEqual(known(wide));
    }
  }
}

interface Lie {
  readonly at: number;
  readonly how: string;
  readonly byte: number;
}

function lied(honest: readonly Entry[], lies: readonly Lie[]): readonly Entry[] {
  let entries = [...honest];
  for (const { at, how, byte } of lies) {
    const i = at % entries.length;
    const entry = entries[i];
    const other = entries[byte % entries.length];
    if (entry === undefined || other === undefined) continue;
    const changed: Record<string, () => Entry[]> = {
      drop: () => [],
      repeat: () => [entry, { ...entry, position: { g: entry.position.g, s: entry.position.s + 1 } }],
      swap: () => [{ ...other, position: entry.position }],
      kind: () => [{ ...entry, kind: other.kind }],
      sender: () => [{ ...entry, sender: other.sender }],
      flip: () => [{ ...entry, payload: flipped(entry.payload, byte) }],
      clear: () => [{ ...entry, clear: entry.clear.length === 0 ? entry.clear : flipped(entry.clear, byte) }],
      old: () => [{ ...entry, clear: other.clear, payload: other.payload }],
    };
    entries = [...entries.slice(0, i), ...(changed[how]?.() ?? [entry]), ...entries.slice(i + 1)];
  }
  return entries;
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(bytes, (byte, index) => (index === at % bytes.length ? byte ^ 1 : byte));
