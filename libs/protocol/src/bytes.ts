/** Small byte helpers shared by every part; no I/O. */

declare const SECRET: unique symbol;

/** Public or sealed bytes, as they travel. Never mutated after they have been handed over. No {@link Secret} is one. */
export interface Bytes extends Uint8Array {
  readonly [SECRET]?: never;
}

/**
 * Secret bytes of one kind, for the compiler only: neither another kind's nor {@link Bytes} pass for them, nor they for
 * Bytes. The kinds, and what makes one of bytes, are in libs/crypto; a schema makes one by `secret`.
 */
export interface Secret<Kind extends string> extends Uint8Array {
  readonly [SECRET]: Kind;
}

// ECMAScript has no UTF-8 of its own and this library sees neither DOM nor Node types;
// both platforms have these two globals.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Map(Array.from(ALPHABET).map((letter, value) => [letter, value] as const));

/** UTF-8 of a text. */
export const utf8 = (text: string): Bytes => encoder.encode(text);

/** Text of UTF-8 bytes; throws a TypeError on malformed input. */
export const fromUtf8 = (bytes: Bytes): string => decoder.decode(bytes);

export function concat(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Plain comparison, for public values. Secrets are only ever compared by Themis. */
export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** base64url without padding. */
export function toBase64Url(bytes: Bytes): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(3, bytes.length - at);
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let digit = 0; digit <= left; digit++) text += ALPHABET[(group >> (18 - 6 * digit)) & 63] ?? '';
  }
  return text;
}

/** Bytes of canonical, unpadded base64url; null for anything else. */
export function fromBase64Url(text: string): Bytes | null {
  if (text.length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    const value = VALUES.get(letter);
    if (value === undefined) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  // Left-over bits must be zero, or two texts would name the same bytes.
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}

/** Lower-case hexadecimal. */
export const toHex = (bytes: Bytes): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
