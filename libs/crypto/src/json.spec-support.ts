/** Vectors as JSON: bytes are `{"hex": "…"}`. Shared by the spec and by vectors/generate.spec-support.ts. */
import { toHex, type Bytes } from '@0fc/protocol';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return { hex: toHex(value) };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  }
  return value as Json;
}

/** What {@link toJson} was given; the caller knows its type. */
export function fromJson(value: Json): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === 'hex' && typeof first[1] === 'string') return fromHex(first[1]);
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item)]));
}

const fromHex = (text: string): Bytes =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
