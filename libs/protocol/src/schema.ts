/** Building blocks of the schemas: valibot with our branded types and limits. */
import * as v from 'valibot';
import { utf8, type Bytes, type Secret } from './bytes.js';
import { ERROR_CODES, ProtocolError } from './errors.js';
import { decodeCbor, encodeCbor, type CborValue } from './codec.js';
import { LIMITS } from './limits.js';

export type { InferOutput } from 'valibot';
/** A schema whose output is what its input is: nothing is transformed on the wire. */
export type Schema<T> = v.GenericSchema<unknown, T>;

/** Bytes of a length from `min` to `max`, inclusive. */
export const bytes = (min: number, max: number = min) =>
  v.pipe(
    v.custom<Bytes>((value) => value instanceof Uint8Array, 'bytes expected'),
    v.check(
      (value) => value.length >= min && value.length <= max,
      `${String(min)} to ${String(max)} bytes expected`,
    ),
  );

/** A secret of one kind, of `min` to `max` bytes, inclusive. */
export const secret = <Kind extends string>(kind: Kind, min: number = LIMITS.hashBytes, max: number = min) =>
  v.pipe(
    v.custom<Secret<Kind>>((value) => value instanceof Uint8Array, `${kind}: bytes expected`),
    v.check(
      (value) => value.length >= min && value.length <= max,
      `${kind}: ${String(min)} to ${String(max)} bytes expected`,
    ),
  );

/** An integer from `min` to `max`, inclusive. */
export const integer = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** Text of at most `maxBytes` of UTF-8. Lone surrogates have no UTF-8 and are refused. */
export const text = (minChars: number, maxBytes: number) =>
  v.pipe(
    v.string(),
    v.minLength(minChars),
    v.check((value) => !/\p{Surrogate}/u.test(value) && utf8(value).length <= maxBytes, 'text too long'),
  );

/** 16 bytes as 22 letters of canonical base64url. */
const idText = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{21}[AQgw]$/));

export const roomId = v.pipe(idText, v.brand('RoomId'));
export const memberId = v.pipe(idText, v.brand('MemberId'));
export const inviteId = v.pipe(idText, v.brand('InviteId'));
export type RoomId = v.InferOutput<typeof roomId>;
export type MemberId = v.InferOutput<typeof memberId>;
export type InviteId = v.InferOutput<typeof inviteId>;

export const hash32 = bytes(LIMITS.hashBytes);
export const random32 = bytes(32);
export const random16 = bytes(16);
export const publicKey = bytes(LIMITS.publicKeyBytes);
/** the public half of an ML-KEM-768 pair */
export const encapsulationKey = bytes(LIMITS.kemKeyBytes);
export const kemCiphertext = bytes(LIMITS.kemCiphertextBytes);
export const container = bytes(1, LIMITS.containerBytes);
export const time = integer(0);
export const epoch = integer(1);
export const name = v.pipe(text(1, LIMITS.nameBytes), v.maxLength(LIMITS.nameChars));

export const position = v.strictObject({ g: integer(1), s: integer(0) });
/** A place in a room's log: generation and sequence number, compared lexicographically. */
export type Position = v.InferOutput<typeof position>;

/** Negative, zero or positive as `a` lies before, at or after `b`. */
export const comparePositions = (a: Position, b: Position): number => a.g - b.g || a.s - b.s;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Whether whatever came out as a map went in as one, with as many keys: valibot takes bytes and lists for
 * objects too, and drops a key like __proto__ from a record.
 */
function mapsWereMaps(input: unknown, output: unknown): boolean {
  if (typeof output !== 'object' || output === null || output instanceof Uint8Array) return true;
  if (Array.isArray(output)) {
    return output.every((item, at) => mapsWereMaps((input as readonly unknown[])[at], item));
  }
  if (Array.isArray(input) || input instanceof Uint8Array) return false;
  const fields = Object.entries(output);
  if (fields.length !== Object.keys(input as Fields).length) return false;
  return fields.every(([name, item]) => mapsWereMaps((input as Fields)[name], item));
}

/** Validates a decoded value. Throws MALFORMED naming the field, never its value. */
export function parse<T>(schema: Schema<T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success && mapsWereMaps(value, result.output)) return result.output;
  const path = result.success ? '' : (v.getDotPath(result.issues[0]) ?? '');
  // A key that is no field of ours came from the other side, and stays out of the text.
  const where = /^[a-zA-Z0-9.]{1,64}$/.test(path) ? path : 'the value';
  throw new ProtocolError(ERROR_CODES.MALFORMED, `${where} is not as the schema says`);
}

/** Decodes and validates. Throws MALFORMED, or TOO_LARGE as {@link decodeCbor}. */
export const decodeAs = <T>(schema: Schema<T>, data: Bytes, most?: number): T =>
  parse(schema, decodeCbor(data, most));

/** Validates and encodes: nothing leaves that the other side would refuse. Throws MALFORMED. */
export const encodeAs = <T>(schema: Schema<T>, value: T): Bytes =>
  encodeCbor(parse(schema, value) as CborValue);
