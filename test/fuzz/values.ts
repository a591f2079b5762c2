/** Values that have an encoding, and changes to them that keep them encodable: what passes the codec. */
import type { CborValue } from '@0fc/protocol';
import type { Dice } from '../support/random.js';
import { randomBytes } from './mutate.js';

type CborMap = Readonly<Record<string, CborValue>>;

const NUMBERS = [
  0, 1, 2, 23, 24, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -1, -24, -25,
  -256, -257, -(2 ** 31), -(2 ** 53) + 1,
] as const; // prettier-ignore
const LENGTHS = [0, 1, 2, 15, 16, 17, 31, 32, 33, 44, 45, 46, 255, 256, 257, 4_096, 4_097] as const;
const TEXTS = [
  '', 'a', '0', ' ', '\0', '\ufeff', '\u202e', 'e\u0301', '💥', '\ud7ff', '￿', '__proto__', 'constructor', 'toString',
  'AAECAwQFBgcICQoLDA0ODw', 'AAECAwQFBgcICQoLDA0ODx', 'text', 'x'.repeat(300), '../../etc', '<img src=x>',
] as const; // prettier-ignore

const isMap = (value: CborValue): value is CborMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

export function randomText(dice: Dice): string {
  if (dice.once(2)) return dice.of(TEXTS);
  const points = Array.from({ length: dice.below(12) }, () => {
    const point = dice.below(dice.once(4) ? 0x11_0000 : 0x80);
    return point >= 0xd800 && point < 0xe000 ? 0x20 : point;
  });
  return String.fromCodePoint(...points);
}

function randomLeaf(dice: Dice): CborValue {
  switch (dice.below(6)) {
    case 0:
      return null;
    case 1:
      return dice.once(2);
    case 2:
      return dice.of(NUMBERS);
    case 3:
      return randomBytes(dice, dice.once(20) ? dice.of(LENGTHS) : dice.below(48));
    case 4:
      return dice.below(2 ** 31) * (dice.once(2) ? 1 : 4_194_304);
    default:
      return randomText(dice);
  }
}

export function randomValue(dice: Dice, depth = 0): CborValue {
  if (depth > 4 || dice.below(5) < 3) return randomLeaf(dice);
  const size = dice.below(5);
  if (dice.once(2)) return Array.from({ length: size }, () => randomValue(dice, depth + 1));
  return Object.fromEntries(
    Array.from({ length: size }, () => [randomText(dice), randomValue(dice, depth + 1)] as const),
  );
}

const MOST = Number.MAX_SAFE_INTEGER;
const inRange = (value: number): number => Math.max(-MOST, Math.min(MOST, value));

/** Another value of the same type, at or near a limit. */
function near(dice: Dice, value: CborValue): CborValue {
  if (typeof value === 'number') {
    return dice.once(2) ? dice.of(NUMBERS) : inRange(value + dice.below(5) - 2);
  }
  if (typeof value === 'string') return dice.once(3) ? `${value}${randomText(dice)}` : randomText(dice);
  if (value instanceof Uint8Array) {
    if (dice.once(2)) return randomBytes(dice, dice.of(LENGTHS));
    const changed = value.slice();
    const where = dice.below(Math.max(1, changed.length));
    if (changed.length > 0) changed[where] = (changed[where] ?? 0) ^ (1 << dice.below(8));
    return changed;
  }
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return list(dice, value as readonly CborValue[]);
  return isMap(value) ? map(dice, value) : randomLeaf(dice);
}

function list(dice: Dice, items: readonly CborValue[]): CborValue {
  switch (dice.below(4)) {
    case 0:
      return items.slice(1);
    case 1:
      return [...items, ...items];
    case 2:
      return [...items, randomLeaf(dice)];
    default:
      return items.toReversed();
  }
}

function map(dice: Dice, fields: CborMap): CborValue {
  const names = Object.keys(fields);
  const name = names.length === 0 ? '' : dice.of(names);
  switch (dice.below(4)) {
    case 0:
      return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
    case 1:
      return withField(fields, randomText(dice), randomLeaf(dice));
    case 2:
      return withField(fields, name === '' ? 'x' : dice.of(names), fields[name] ?? null);
    default:
      return withField(fields, `${name}2`, fields[name] ?? null);
  }
}

/** By definition and not by assignment: `__proto__` is a key like others. */
function withField(fields: CborMap, name: string, value: CborValue): CborMap {
  return Object.fromEntries([...Object.entries(fields).filter(([key]) => key !== name), [name, value]]);
}

/** The value with one place in it changed, by preference deep inside. */
export function vary(dice: Dice, value: CborValue): CborValue {
  const inside = !dice.once(4);
  if (inside && Array.isArray(value) && value.length > 0) {
    const items = value as readonly CborValue[];
    const where = dice.below(items.length);
    return items.map((item, index) => (index === where ? vary(dice, item) : item));
  }
  if (inside && isMap(value) && Object.keys(value).length > 0) {
    const name = dice.of(Object.keys(value));
    return withField(value, name, vary(dice, value[name] ?? null));
  }
  return dice.once(4) ? randomLeaf(dice) : near(dice, value);
}

/** Varied from no time to three times. */
export function varied(dice: Dice, value: CborValue): CborValue {
  let result = value;
  for (let left = dice.below(4); left > 0; left--) result = vary(dice, result);
  return result;
}
