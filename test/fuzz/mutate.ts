/** Changes to bytes that know nothing of their structure. */
import type { Bytes } from '@0fc/protocol';
import type { Dice } from '../support/random.js';

/** Bytes at which decoders and integers turn: CBOR heads, signs, limits. */
const INTERESTING = [
  0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x20, 0x3b, 0x40, 0x58, 0x5f, 0x60, 0x78, 0x7f, 0x80, 0x81, 0x9b, 0x9f,
  0xa0, 0xa1, 0xbf, 0xc0, 0xc2, 0xf4, 0xf6, 0xf7, 0xf8, 0xf9, 0xfb, 0xfe, 0xff,
] as const; // prettier-ignore

export const randomBytes = (dice: Dice, length: number): Bytes =>
  Uint8Array.from({ length }, () => dice.below(256));

const at = (dice: Dice, bytes: Bytes): number => dice.below(Math.max(1, bytes.length));

function spliced(bytes: Bytes, from: number, removed: number, added: Bytes): Bytes {
  const rest = bytes.subarray(from + removed);
  const whole = new Uint8Array(from + added.length + rest.length);
  whole.set(bytes.subarray(0, from));
  whole.set(added, from);
  whole.set(rest, from + added.length);
  return whole;
}

type Change = (dice: Dice, bytes: Bytes, other: Bytes) => Bytes;

const CHANGES: readonly Change[] = [
  function flip(dice, bytes) {
    const changed = bytes.slice();
    const where = at(dice, bytes);
    changed[where] = (changed[where] ?? 0) ^ (1 << dice.below(8));
    return changed;
  },
  function set(dice, bytes) {
    const changed = bytes.slice();
    changed[at(dice, bytes)] = dice.once(2) ? dice.of(INTERESTING) : dice.below(256);
    return changed;
  },
  (dice, bytes) => spliced(bytes, at(dice, bytes), 1 + dice.below(dice.once(4) ? 40 : 3), new Uint8Array()),
  (dice, bytes) => spliced(bytes, at(dice, bytes), 0, randomBytes(dice, 1 + dice.below(4))),
  (dice, bytes) => spliced(bytes, at(dice, bytes), 0, Uint8Array.of(dice.of(INTERESTING))),
  (dice, bytes) => bytes.slice(0, dice.below(bytes.length + 1)),
  (dice, bytes) => spliced(bytes, bytes.length, 0, randomBytes(dice, 1 + dice.below(9))),
  function repeat(dice, bytes) {
    const from = at(dice, bytes);
    return spliced(bytes, from, 0, bytes.slice(from, from + 1 + dice.below(24)));
  },
  function cross(dice, bytes, other) {
    const from = at(dice, other);
    return spliced(bytes, at(dice, bytes), dice.below(16), other.slice(from, from + 1 + dice.below(32)));
  },
  function swap(dice, bytes) {
    const changed = bytes.slice();
    const [a, b] = [at(dice, bytes), at(dice, bytes)];
    [changed[a], changed[b]] = [bytes[b] ?? 0, bytes[a] ?? 0];
    return changed;
  },
  function length(dice, bytes) {
    // A four-byte integer where some field may have its length.
    const changed = bytes.slice();
    const view = new DataView(changed.buffer);
    if (changed.length < 4) return changed;
    const value = dice.of([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, dice.below(65_536)]);
    view.setUint32(dice.below(changed.length - 3), value, dice.once(2));
    return changed;
  },
];

/** One to four changes; `others` is what parts may be taken from. */
export function mutate(dice: Dice, bytes: Bytes, others: readonly Bytes[] = []): Bytes {
  // A copy of its own: an encoder may hand out a Buffer, whose slice shares its memory.
  let changed: Bytes = Uint8Array.from(bytes);
  for (let left = 1 + dice.below(dice.once(3) ? 4 : 1); left > 0; left--) {
    const other = others.length === 0 ? changed : dice.of(others);
    changed = dice.of(CHANGES)(dice, changed, other);
  }
  return changed;
}
