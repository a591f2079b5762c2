/**
 * A body that its schema still admits, with one or two of its fields changed: to a value of the same sort that
 * is about in the room, to one near a limit, or to any at all.
 */
import fc from 'fast-check';
import type { CborValue } from '@0fc/protocol';
import { admits, arbitraryOf } from '../../support/arbitrary.js';
import type { Dice } from '../../support/random.js';

/** Values of a live room that may stand in another field than their own: ids, hashes, keys, containers, places. */
export type Pool = readonly CborValue[];

export interface Changed<T> {
  readonly value: T;
  /** paths of the fields that differ; empty: it is as it was */
  readonly where: readonly string[];
}

interface Node {
  readonly type: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly item?: unknown;
  readonly wrapped?: unknown;
}
type CborMap = Readonly<Record<string, CborValue>>;

const TRIES = 6;
/** A list is made as long as this at most: more than any room of these tests has members. */
const LONGEST = 300;

/** Half of all stay as they are, one in ten is any value of the schema, the others have one field changed, or two. */
export function perhapsChanged<T>(dice: Dice, schema: unknown, value: T, pool: Pool): Changed<T> {
  if (dice.once(2)) return { value, where: [] };
  if (dice.once(5)) return { value: anyOf(dice, schema) as T, where: ['all'] };
  const first = changed(dice, schema, value, pool);
  if (!dice.once(3)) return first;
  const second = changed(dice, schema, first.value, pool);
  return { value: second.value, where: [...first.where, ...second.where] };
}

/** With one field changed; unchanged where nothing else was admitted after some tries. */
export function changed<T>(dice: Dice, schema: unknown, value: T, pool: Pool): Changed<T> {
  for (let left = TRIES; left > 0; left--) {
    const path: string[] = [];
    const other = changedAt(dice, schema, value as CborValue, pool, path);
    if (admits(schema, other)) return { value: other as T, where: [path.join('.')] };
  }
  return { value, where: [] };
}

/** Any value of a schema. */
export const anyOf = (dice: Dice, schema: unknown): CborValue =>
  fc.sample(arbitraryOf(schema), { seed: dice.below(2 ** 31), numRuns: 1 })[0] ?? null;

function changedAt(dice: Dice, schema: unknown, value: CborValue, pool: Pool, path: string[]): CborValue {
  const node = schema as Node;
  if (node.type === 'strict_object' && node.entries !== undefined) {
    const names = Object.keys(node.entries);
    if (names.length === 0) return value;
    const name = dice.of(names);
    path.push(name);
    const fields = value as CborMap;
    const field = node.entries[name] as Node;
    if (field.type !== 'exact_optional')
      return { ...fields, [name]: changedAt(dice, field, fields[name] ?? null, pool, path) };
    const { [name]: known, ...others } = fields;
    if (known === undefined) return { ...others, [name]: anyOf(dice, field.wrapped) };
    return dice.once(3) ? others : { ...fields, [name]: changedAt(dice, field.wrapped, known, pool, path) };
  }
  if (node.type === 'nullable') {
    if (value === null) return anyOf(dice, node.wrapped);
    return dice.once(3) ? null : changedAt(dice, node.wrapped, value, pool, path);
  }
  if (node.type === 'array') return listed(dice, node.item, value as readonly CborValue[], pool, path);
  const fitting = pool.filter((other) => sortOf(other) === sortOf(value) && admits(schema, other));
  return fitting.length > 0 && !dice.once(3) ? dice.of(fitting) : anyOf(dice, schema);
}

function listed(
  dice: Dice,
  item: unknown,
  value: readonly CborValue[],
  pool: Pool,
  path: string[],
): CborValue {
  const [first] = value;
  switch (dice.below(5)) {
    case 0:
      return value.slice(1);
    case 1:
      return [...value, ...value];
    case 2:
      return Array.from({ length: dice.below(LONGEST) }, () => first ?? anyOf(dice, item));
    case 3:
      return [...value, first === undefined ? anyOf(dice, item) : changedAt(dice, item, first, pool, path)];
    default:
      return Array.from({ length: dice.below(LONGEST) }, () => anyOf(dice, item));
  }
}

/** Bytes of one length are of one sort: hashes, keys and nonces differ in it. */
function sortOf(value: CborValue): string {
  if (value instanceof Uint8Array) return value.length > 64 ? 'container' : `bytes ${String(value.length)}`;
  return typeof value;
}
