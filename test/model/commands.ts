/** The model's commands for fast-check: one act, two at once, or the room brought to rest. */
import fc, { type AsyncCommand } from 'fast-check';
import type { Model } from './model.js';
import { settle } from './settle.js';
import { SORTS, type Sort, type SortName } from './sorts.js';
import type { Room } from './world.js';

export type Command = AsyncCommand<Model, Room>;

const sorts: Readonly<Record<SortName, Sort>> = SORTS;
const names = Object.keys(SORTS) as readonly SortName[];

/** The last of them is what an unwrap leads to. */
export const SORT_NAMES: readonly string[] = [...names, 'together', 'settle', 'granted'];

/** Commands of a run, and the most messages that go by between two of them. */
const FEWEST = 30;
const MOST = 50;
const MOST_BETWEEN = 12;
const SETTLE_WEIGHT = 3;
const TOGETHER_WEIGHT = 8;

interface Choice {
  readonly name: SortName;
  readonly pick: number;
}

/** Asks for the act, if it can be done now, and waits for no answer. */
async function act(model: Model, room: Room, { name, pick }: Choice): Promise<void> {
  const { who, run } = sorts[name];
  const able = who(model);
  const at = able[pick % able.length];
  if (at === undefined) return;
  room.note(name, `${room.nameOf(at)} (${String(pick)})`);
  if (await run(model, room, at, pick)) room.count(name);
}

class Act implements Command {
  readonly #choice: Choice;
  readonly #between: number;

  constructor(choice: Choice, between: number) {
    this.#choice = choice;
    this.#between = between;
  }

  check(model: Readonly<Model>): boolean {
    return sorts[this.#choice.name].who(model).length > 0;
  }

  async run(model: Model, room: Room): Promise<void> {
    await act(model, room, this.#choice);
    await room.pace(this.#between);
    await room.glance();
  }

  toString(): string {
    return `${this.#choice.name}(${String(this.#choice.pick)}, then ${String(this.#between)})`;
  }
}

/** Two acts in one turn of the event loop, where both can be done. */
class Together implements Command {
  readonly #choices: readonly [Choice, Choice];

  constructor(first: Choice, second: Choice) {
    this.#choices = [first, second];
  }

  check(model: Readonly<Model>): boolean {
    return this.#choices.every(({ name }) => sorts[name].who(model).length > 0);
  }

  async run(model: Model, room: Room): Promise<void> {
    room.note('together', '');
    room.count('together');
    await Promise.all(this.#choices.map((choice) => act(model, room, choice)));
    await room.glance();
  }

  toString(): string {
    return `together(${this.#choices.map(({ name, pick }) => `${name} ${String(pick)}`).join(', ')})`;
  }
}

class Settle implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, room: Room): Promise<void> {
    await settle(model, room);
  }

  toString(): string {
    return 'settle';
  }
}

const choice = fc.record({
  name: fc.oneof(
    ...names.map((name) => ({ weight: Math.round(sorts[name].weight * 10), arbitrary: fc.constant(name) })),
  ),
  pick: fc.nat(1_000),
});
/** What members do: the relay's own fate, and a device's, is not done at the same time as anything. */
const APART: readonly SortName[] = ['restart', 'close', 'offline', 'online', 'import', 'rollback'];
const done = choice.filter(({ name }) => !APART.includes(name));

const oneOf = fc.oneof(
  {
    weight: 80,
    arbitrary: fc.tuple(choice, fc.nat(MOST_BETWEEN)).map(([one, between]) => new Act(one, between)),
  },
  {
    weight: TOGETHER_WEIGHT,
    arbitrary: fc.tuple(done, done).map(([one, other]) => new Together(one, other)),
  },
  { weight: SETTLE_WEIGHT, arbitrary: fc.constant(null).map(() => new Settle()) },
);

/** How every run begins: three in the room, or two of them at its door. */
export const opening = (): readonly Command[] => [
  ...[0, 0].flatMap((pick) =>
    (['invite', 'join'] as const).map((name) => new Act({ name, pick }, MOST_BETWEEN)),
  ),
  new Settle(),
  ...[0, 0].map((pick) => new Act({ name: 'admit', pick }, MOST_BETWEEN)),
];

/** Every sort once, at rest between most of them: what random choices may miss. For a room with approval. */
export function rehearsal(): readonly Command[] {
  const parts: readonly (readonly SortName[])[] = [
    ['admit'], ['invite', 'join'], ['decline'], ['invite'], ['revoke'], ['say', 'rotate', 'settings'],
    ['unwrap', 'rotate', 'say'], ['invite', 'import', 'say'], ['offer'], ['refuse'], ['offer'], ['withdraw'], ['offer'], ['accept'],
    ['hold', 'release', 'lose', 'cut', 'say'], ['offline', 'online', 'restart'], ['import'],
    ['keep', 'say', 'rotate', 'say', 'rollback', 'say'], ['keep', 'between', 'remove', 'say', 'rollback'], ['leave'], ['close'],
  ]; // prettier-ignore
  const rest = parts.flatMap((part) => [
    ...part.map((name) => new Act({ name, pick: 0 }, MOST_BETWEEN)),
    new Settle(),
  ]);
  const say = { name: 'say', pick: 0 } as const;
  return [new Settle(), new Together(say, { name: 'say', pick: 1 }), ...rest];
}

/** How a run ends that ends with the room: whatever else is under way. */
export const closing = (): Command => new Act({ name: 'close', pick: 0 }, 0);

export const commands = fc.array(oneOf, {
  minLength: FEWEST,
  maxLength: MOST,
  size: 'max',
});
