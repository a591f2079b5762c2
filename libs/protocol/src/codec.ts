/**
 * Deterministic CBOR (docs/protocol.md section 2): maps with text keys in canonical
 * order, no duplicates, no floats, tags, indefinite lengths, undefined or bigints,
 * integers within ±(2^53-1). One value has one encoding, and nothing else decodes.
 */
import { decode, encode, Tokenizer, Type, type Token } from 'cborg';
import { ERROR_CODES, ProtocolError } from './errors.js';
import { fromUtf8, utf8, type Bytes } from './bytes.js';

/** Secrets among it: what is encoded is sealed or hashed next. */
export type CborValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly CborValue[]
  | { readonly [key: string]: CborValue };

const DEPTH = 16;

const malformed = (why: string): ProtocolError => new ProtocolError(ERROR_CODES.MALFORMED, why);

function check(value: unknown, depth: number): void {
  if (depth > DEPTH) throw malformed('nested too deeply');
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    checkText(value);
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw malformed('not a safe integer');
    return;
  }
  if (value instanceof Uint8Array) return;
  if (Array.isArray(value)) {
    for (const item of value) check(item, depth + 1);
    return;
  }
  if (typeof value === 'object' && isPlain(value)) {
    for (const [key, item] of Object.entries(value)) {
      checkText(key);
      check(item, depth + 1);
    }
    return;
  }
  throw malformed(`this ${typeof value} has no encoding`);
}

/** A lone surrogate has no UTF-8: it would silently become another text. */
function checkText(text: string): void {
  if (!text.isWellFormed()) throw malformed('text with a lone surrogate');
}

/** An object literal of any realm: a Map or a Date would be encoded as something else. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Encodes a value; an absent optional field must be absent, not undefined. Throws MALFORMED. */
export function encodeCbor(value: CborValue): Bytes {
  check(value, 0);
  // Node's codec makes Buffers, whose slice is no copy: what is cut and then wiped would wipe both.
  const { buffer, byteOffset, length } = encode(value);
  return new Uint8Array(buffer, byteOffset, length);
}

/** Refuses while reading what the canonical form does not have. */
class CanonicalTokenizer extends Tokenizer {
  override next(): Token {
    const token = super.next();
    if (Type.equals(token.type, Type.float)) throw malformed('a float');
    if (Type.equals(token.type, Type.tag)) throw malformed('a tag');
    // The reader would replace what is not UTF-8, and drop a byte order mark: two encodings, one text.
    if (token.byteValue !== undefined) token.value = fromUtf8(token.byteValue);
    return token;
  }
}

const OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
  retainStringBytes: true,
  useMaps: true,
} as const;

const ASCII = /^[\0-\x7f]*$/;

/** Canonical map order of cborg and of RFC 7049: shorter keys first, then bytewise. */
function precedes(a: string, b: string): boolean {
  // As nearly all keys are: a letter is a byte, and a browser's encoder takes longer than all else here.
  if (ASCII.test(a) && ASCII.test(b)) return a.length === b.length ? a < b : a.length < b.length;
  const left = utf8(a);
  const right = utf8(b);
  if (left.length !== right.length) return left.length < right.length;
  for (let at = 0; at < left.length; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function plain(value: unknown, depth: number): CborValue {
  if (depth > DEPTH) throw malformed('nested too deeply');
  if (value instanceof Map) {
    // Maps are read as Map first: a key like __proto__ must stay an ordinary key.
    const result: Record<string, CborValue> = {};
    let before: string | null = null;
    for (const [key, item] of value as Map<unknown, unknown>) {
      if (typeof key !== 'string') throw malformed('a map key that is not text');
      if (before !== null && !precedes(before, key)) throw malformed('map keys out of order');
      before = key;
      Object.defineProperty(result, key, {
        value: plain(item, depth + 1),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return result;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (value instanceof Uint8Array) {
    // A copy of its own: cborg may hand out a view (or a Buffer) over the whole frame.
    return Uint8Array.from(value);
  }
  check(value, depth);
  return value as CborValue;
}

/** Bytes of a head behind its first one, by the five bits that say how long it is; 28 to 31 are nobody's. */
const headBytes = (short: number): number => (short < 24 ? 0 : short < 28 ? 1 << (short - 24) : 0);

/**
 * How many values there are, keys of maps included, as far as the bytes are CBOR at all: heads are skipped over,
 * nothing is decoded. A value of one byte costs a reader some hundred times that. Throws TOO_LARGE beyond `most`.
 */
export function countItems(bytes: Bytes, most: number): number {
  let items = 0;
  for (let at = 0; at < bytes.length;) {
    if (++items > most) throw new ProtocolError(ERROR_CODES.TOO_LARGE, 'too many values');
    const first = bytes[at++] ?? 0;
    const [major, short] = [first >> 5, first & 31];
    const behind = headBytes(short);
    let length = behind === 0 ? short : 0;
    for (let n = 0; n < behind; n++) length = length * 256 + (bytes[at + n] ?? 0);
    at += behind + (major === 2 || major === 3 ? length : 0);
  }
  return items;
}

/**
 * Decodes exactly one canonical value. Throws {@link ProtocolError} MALFORMED on anything else, and TOO_LARGE before
 * anything is decoded where there are more values than `most`: to be given for whatever somebody else may fill.
 */
export function decodeCbor(bytes: Bytes, most?: number): CborValue {
  if (most !== undefined) countItems(bytes, most);
  try {
    const tokenizer = new CanonicalTokenizer(bytes, OPTIONS);
    return plain(decode(bytes, { ...OPTIONS, tokenizer }), 0);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw malformed('not canonical CBOR');
  }
}

/** Of what is signed, sealed and hashed; a room's genesis names the one that it was made for (docs/protocol.md section 2). */
export const PROTOCOL_VERSION = 2;

/** What the tag of every signed body, Seal context and hash begins with. */
export const tagOf = (kind: string): string => `0fc/${String(PROTOCOL_VERSION)}/${kind}`;

/** Kinds of Seal contexts and of hashes over several fields. */
export const CONTEXT_KINDS = [
  'key', 'invite-id', 'join-request', 'join-reply', 'join-confirm', 'message', 'signal', 'rotation', 'wrap',
  'grant', 'transcript', 'generation', 'checkpoint', 'safety-number', 'hybrid',
] as const; // prettier-ignore
export type ContextKind = (typeof CONTEXT_KINDS)[number];

/** `ctx(kind, a, …) = CBOR["0fc/2/"+kind, a, …]`: no context or hash of one kind is one of another (G4). Throws MALFORMED. */
export const ctx = (kind: ContextKind, ...fields: readonly CborValue[]): Bytes =>
  encodeCbor([tagOf(kind), ...fields]);

/**
 * Contexts of what lies in a vault or in an export. Their tag belongs to that format and stays as it is, whatever the
 * version of the protocol: a vault holds rooms of several versions (section 9).
 */
export const VAULT_CONTEXT_KINDS = [
  'vault-key', 'vault-lock', 'vault-slot', 'vault-record', 'vault-export',
] as const; // prettier-ignore
export const vaultCtx = (
  kind: (typeof VAULT_CONTEXT_KINDS)[number],
  ...fields: readonly CborValue[]
): Bytes => encodeCbor([`0fc/1/${kind}`, ...fields]);
