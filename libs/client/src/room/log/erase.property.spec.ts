/**
 * Deleted means deleted (docs/protocol.md section 9): whatever is edited and deleted in whatever order, across restarts and
 * losses, however much of a log is in memory, no record holds words that the view does not show, and everything that it
 * has to show is there.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toHex, type AnyContent, type Bytes, type Entry, type Target } from '@0fc/protocol';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { Conversation } from '../conversation/conversation.js';
import { Outbox } from '../member/outbox.js';
import { RoomState } from '../state/state.js';
import { targetKey } from '../../vault/content.js';
import { goneTexts } from '../../vault/migrations/04-gone-texts.js';
import { overlaid } from '../../vault/migrations/run.js';
import { version4 } from '../../vault/migrations/version-4.spec-support.js';
import { STORES } from '../../vault/records.js';
import type { Vault } from '../../vault/vault.js';
import { alarmsOf, newVault, readEntry, readGeneration, RoomLog, type Person } from './log.spec-support.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const parameters = { seed: SEED, numRuns: 30 };
/** Written long before it is sent: nothing is on its way. */
const CLOCK = 9_000_000;

/** One who reads all that the log has. */
class Side {
  state: RoomState;
  readonly vault: Vault;
  readonly #window: number;

  private constructor(vault: Vault, window: number, state: RoomState) {
    this.vault = vault;
    this.#window = window;
    this.state = state;
  }

  static async of(log: RoomLog, who: Person, window: number): Promise<Side> {
    const vault = await newVault();
    return new Side(vault, window, await log.reader(who, vault, window));
  }

  async restart(): Promise<void> {
    const again = await RoomState.load(this.vault, this.state.core.roomId, nodeHash, this.#window);
    if (again === null) throw new Error('the room is gone');
    this.state = again;
  }

  async held(): Promise<string> {
    const lists = await Promise.all(Object.values(STORES).map((store) => this.vault.list(store)));
    return lists
      .flat()
      .map(({ value }) => Buffer.from(value).toString('latin1'))
      .join('\n');
  }

  /** The words of each line that is shown, by its name; null: it is shown as deleted. */
  async shown(): Promise<ReadonlyMap<string, string | null>> {
    while (await this.state.loadEarlier());
    const conversation = new Conversation(this.state);
    await conversation.prepare();
    const { log } = this.state;
    const lines = [...log.oldestFirst(log.first)].flatMap(({ items }) =>
      items.flatMap((item) => (item.type === 'message' ? (conversation.target(item) ?? []) : [])),
    );
    return new Map(
      [...lines, ...conversation.pending].map((line) => {
        const { deleted, text } = conversation.annotationsOf(line);
        return [line.key, deleted ? null : (text ?? line.text)];
      }),
    );
  }
}

/** A message that its sender has signed. */
interface Said {
  readonly who: 0 | 1;
  readonly n: number;
  readonly mid: Bytes;
  readonly content: AnyContent;
}

/** What became of a message. */
interface Fate {
  deleted: boolean;
  line: string | null;
  /** by the counter of each edit */
  readonly edits: Map<number, string>;
  readonly emoji: string[];
}

const newFate = (): Fate => ({ deleted: false, line: null, edits: new Map(), emoji: [] });

/** Whatever order the relay gave them. */
const lastOf = (edits: ReadonlyMap<number, string>): string | undefined =>
  edits.get(Math.max(...edits.keys()));

class World {
  readonly log: RoomLog;
  /** the first writes by its own client; the second by hand */
  readonly people: readonly [Person, Person];
  mine: Side;
  other: Side;
  /** signed by the second, and not in the log yet */
  readonly late: Said[] = [];
  /** all that can be changed */
  readonly targets: (Target & { readonly who: 0 | 1 })[] = [];
  #outbox!: Outbox;
  /** what the log held, oldest first, since everybody is in */
  #entries: { readonly entry: Entry; readonly said: Said }[] = [];
  /** what the first has written and the log never held, by counter */
  readonly #waiting = new Map<number, AnyContent>();
  readonly #read = new Map<string, Fate>();
  /** words and emoji that were ever written */
  readonly #written: string[] = [];
  /** what each message said where it was read, by its nonce */
  readonly #wire = new Map<string, AnyContent>();
  #generation = 1_000;

  private constructor(log: RoomLog, people: readonly [Person, Person], mine: Side, other: Side) {
    this.log = log;
    this.people = people;
    this.mine = mine;
    this.other = other;
    this.#open();
  }

  static async begin(window: number): Promise<World> {
    const log = await RoomLog.begin();
    const admitted = [await log.admit(), await log.admit(), await log.admit()];
    const [me, writer, reader] = admitted.map(({ person }) => person) as [Person, Person, Person];
    const sides = [await Side.of(log, me, window), await Side.of(log, reader, window)] as const;
    for (const { entry } of admitted) for (const { state } of sides) await readEntry(state, entry);
    return new World(log, [me, writer], ...sides);
  }

  get sides(): readonly Side[] {
    return [this.mine, this.other];
  }

  #open(): void {
    const room = new FakeRoom(this.mine.state, new FakeClock(CLOCK));
    // The log gets what waits by hand.
    room.live = false;
    this.#outbox = new Outbox(room);
  }

  words(kind: string): string {
    const made = `${kind}${String(this.#written.length)}-${toHex(nodeRandom.bytes(3))}`;
    this.#written.push(made);
    return made;
  }

  /** `held`: it is signed now, and reaches the log after what is signed later. */
  async say(who: 0 | 1, content: AnyContent, held = false): Promise<void> {
    const line = content.type === 'text' || content.type === 'reply';
    const { id: sender, instance } = this.people[who];
    if (who === 0) {
      const n = this.mine.state.core.nextN;
      await this.#outbox.submit(content);
      this.#waiting.set(n, content);
      if (line) this.targets.push({ who, sender, instance, n });
      return;
    }
    const said = { who, n: ++this.people[1].n, mid: nodeRandom.bytes(16), content };
    if (line) this.targets.push({ who, sender, instance, n: said.n });
    if (held) this.late.push(said);
    else await this.place(said);
  }

  async place(said: Said): Promise<void> {
    const person = this.people[said.who];
    const { n } = person;
    const body = this.log.body(person, said.content, { n: said.n, mid: said.mid });
    person.n = n;
    const { payload, clear } = this.log.seal(person, body);
    const entry = await this.log.add('message', person.id, payload, clear);
    this.#entries.push({ entry, said });
    for (const { state } of this.sides) expect(await readEntry(state, entry)).toBe('applied');
    if (this.#wire.has(toHex(said.mid))) return;
    this.#wire.set(toHex(said.mid), said.content);
    // A void stands for what its sender had meant, which nobody else learns.
    if (said.who === 0) this.#waiting.delete(said.n);
    this.#note(this.#read, { ...said, sender: person.id, instance: person.instance });
  }

  /** What waits reaches the log. */
  async flush(): Promise<void> {
    const items = [...this.mine.state.outbox.values()].sort((a, b) => a.n - b.n);
    for (const { n, mid, content } of items) await this.place({ who: 0, n, mid, content });
    expect(this.mine.state.outbox.size).toBe(0);
  }

  async lose(pick: number): Promise<void> {
    const from = this.#entries[pick % Math.max(1, this.#entries.length)]?.entry.position;
    if (from === undefined) return;
    const at = this.#entries.findIndex(({ entry }) => entry.position === from);
    const lost = this.#entries.splice(at + 1);
    const start = await this.log.lose(from, ++this.#generation);
    for (const { state } of this.sides) await readGeneration(state, start, CLOCK);
    for (const { said } of lost) if (said.who === 1) await this.place(said);
  }

  async restart(which: number): Promise<void> {
    await this.sides[which]?.restart();
    this.#open();
  }

  #note(fates: Map<string, Fate>, { content, ...of }: Target & { readonly content: AnyContent }): void {
    const to = content.to as Target | undefined;
    const key = targetKey(content.type === 'text' || content.type === 'reply' ? of : (to ?? of));
    const fate = fates.get(key) ?? newFate();
    fates.set(key, fate);
    const own = to?.sender === of.sender;
    if (content.type === 'delete' && own) fate.deleted = true;
    if (content.type === 'edit' && own) fate.edits.set(of.n, String(content.text));
    if (content.type === 'reaction') fate.emoji.push(String(content.emoji));
    if (content.type === 'text' || content.type === 'reply') fate.line = String(content.text);
  }

  /** What the first sees beside what was read: its own, which waits. */
  #waited(): ReadonlyMap<string, Fate> {
    const [{ id: sender, instance }] = this.people;
    const fates = new Map<string, Fate>();
    for (const [n, content] of this.#waiting) this.#note(fates, { sender, instance, n, content });
    return fates;
  }

  /** Every word that is nowhere to be found, and what is shown, by what was written and has arrived. */
  async check(): Promise<void> {
    const waited = this.#waited();
    for (const side of this.sides) {
      const before = side === this.mine ? waited : new Map<string, Fate>();
      const kept = new Set<string>();
      const lines = new Map<string, string | null>();
      for (const key of new Set([...this.#read.keys(), ...before.keys()])) {
        const read = this.#read.get(key) ?? newFate();
        const own = before.get(key) ?? newFate();
        const deleted = read.deleted || own.deleted;
        const line = read.line ?? own.line;
        const words = lastOf(own.edits) ?? lastOf(read.edits) ?? line;
        if (line !== null && (read.line !== null || !deleted)) lines.set(key, deleted ? null : words);
        if (deleted) continue;
        // What the log holds stays until it holds the edit.
        for (const one of [words, lastOf(read.edits) ?? read.line, ...read.emoji, ...own.emoji])
          if (one !== null) kept.add(one);
      }
      const held = await side.held();
      expect(this.#written.filter((one) => held.includes(one) && !kept.has(one))).toEqual([]);
      const shown = await side.shown();
      for (const [key, words] of lines) expect([key, shown.get(key)]).toEqual([key, words]);
      expect(shown.size).toBe(lines.size);
    }
  }

  /** A vault of version 4 that had read the same comes to the same. Nothing waits. */
  async checkMigrated(): Promise<void> {
    const { roomId } = this.mine.state.core;
    for (const { vault } of this.sides) {
      const earlier = await version4(vault, roomId, this.#wire);
      const now = overlaid(earlier, await goneTexts.migrate(earlier, nodeHash));
      expect(await now.list(STORES.log)).toEqual(await vault.list(STORES.log));
    }
  }

  checkAlarms(): void {
    const expected = ['ALARM_RELAY_LOST', 'ALARM_MESSAGE_GAP'];
    for (const { state } of this.sides)
      expect(alarmsOf(state).filter((code) => !expected.includes(code))).toEqual([]);
  }
}

const step = fc.record({
  act: fc.constantFrom(
    'say', 'say', 'reply', 'late', 'arrive', 'edit', 'edit', 'edit', 'delete', 'delete', 'react', 'flush', 'restart', 'lose',
  ),
  who: fc.constantFrom(0 as const, 1 as const),
  pick: fc.nat(1_000),
}); // prettier-ignore
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(world: World, { act, who, pick }: Step): Promise<void> {
  const any = world.targets[pick % Math.max(1, world.targets.length)];
  const own = world.targets.filter((target) => target.who === who);
  // Of one's own mostly: what is said of another's counts for nothing (G3).
  const target = pick % 7 === 0 ? any : own[pick % Math.max(1, own.length)];
  const bare = ({ sender, instance, n }: Target): Target => ({ sender, instance, n });
  switch (act) {
    case 'say':
      return world.say(who, { type: 'text', text: world.words('said') });
    case 'late':
      return world.say(1, { type: 'text', text: world.words('late') }, true);
    case 'arrive': {
      const [said] = world.late.splice(pick % Math.max(1, world.late.length), 1);
      return said === undefined ? undefined : world.place(said);
    }
    case 'reply':
      if (any !== undefined)
        await world.say(who, { type: 'reply', to: bare(any), text: world.words('reply') });
      return;
    case 'edit':
      if (target?.sender !== world.people[who].id) return;
      await world.say(who, { type: 'edit', to: bare(target), text: world.words('edit') }, pick % 3 === 0);
      return;
    case 'delete':
      if (target !== undefined) await world.say(who, { type: 'delete', to: bare(target) }, pick % 5 === 0);
      return;
    case 'react':
      if (any !== undefined)
        await world.say(who, { type: 'reaction', to: bare(any), emoji: world.words('r'), on: true });
      return;
    case 'flush':
      return world.flush();
    case 'restart':
      return world.restart(pick % 2);
    case 'lose':
      return world.lose(pick);
    default:
      throw new Error(act);
  }
}

beforeAll(async () => {
  await loadThemis();
});

describe(`what is edited and deleted (seed ${String(SEED)})`, () => {
  test.each([
    ['one record', 1],
    ['all', 512],
  ])('is in no record that the view does not show it from, where memory holds %s', async (_, window) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), async (steps) => {
        const world = await World.begin(window);
        for (const one of steps) {
          await run(world, one);
          await world.check();
        }
        for (const said of world.late.splice(0)) await world.place(said);
        await world.flush();
        await world.check();
        await world.checkMigrated();
        world.checkAlarms();
      }),
      parameters,
    );
  });
});
