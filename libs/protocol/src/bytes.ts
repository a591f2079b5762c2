/** Small byte helpers shared by every part; no I/O. Codecs of text: docs/decisions/0024. */
import { base64urlnopad, hex } from '@scure/base';

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

/** UTF-8 of a text; U+FFFD for half a character. */
export const utf8 = (text: string): Bytes => encoder.encode(text);

/** Text of UTF-8 bytes; throws a TypeError on malformed input. */
export const fromUtf8 = (bytes: Bytes): string => decoder.decode(bytes);

/** The parts behind each other, in an array of its own. */
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

/** base64url without padding (RFC 4648 section 5). */
export const toBase64Url = (bytes: Bytes): string => base64urlnopad.encode(bytes);

/**
 * Bytes of canonical, unpadded base64url; null for anything else: padding, white space, another alphabet, and left-over
 * bits that are not zero, or two texts would name the same bytes.
 */
export function fromBase64Url(text: string): Bytes | null {
  try {
    return base64urlnopad.decode(text);
  } catch {
    return null;
  }
}

/** Lower-case hexadecimal. */
export const toHex = (bytes: Bytes): string => hex.encode(bytes);
