/** Statements of a relay's succession: what each must be, and where they lead (docs/protocol.md section 3.1). */
import {
  decodeBody, decodeCbor, equalBytes, fromBase64Url, LIMITS, type Body, type Bytes, type ErrorCode,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, isRefusal } from '../errors.js';
import { containerBody, verifyContainer } from './container.js';

export type Succession = Body<'relay-succession'>;

/** Why the statements that a relay publishes lead nowhere. */
export class SuccessionError extends CryptoError {
  override readonly name = 'SuccessionError';
  readonly reason: ErrorCode | 'ORIGIN';

  constructor(reason: ErrorCode | 'ORIGIN', cause?: unknown) {
    super('RELAY_SUCCESSION_INVALID', reason, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** Two statements name two successors of one key. */
export class SuccessionFork extends CryptoError {
  override readonly name = 'SuccessionFork';
  readonly successors: readonly [Bytes, Bytes];

  constructor(successors: readonly [Bytes, Bytes]) {
    super('RELAY_SUCCESSION_FORKED', 'two successors of one key');
    this.successors = successors;
  }
}

/** Letters of base64url that a statement may have: two containers of one small body. */
const MOST_LETTERS = 2_048;

/** One statement as it is published. Throws {@link SuccessionError}: whatever is wrong with it, it is followed by nobody. */
export function readSuccession(text: string): Succession {
  try {
    return verified(text);
  } catch (error) {
    if (isRefusal(error)) throw new SuccessionError(error.code, error);
    throw error;
  }
}

function verified(text: string): Succession {
  if (text.length > MOST_LETTERS) throw new CryptoError('TOO_LARGE', 'statement too long');
  const bytes = fromBase64Url(text);
  if (bytes === null) throw new CryptoError('MALFORMED', 'not base64url');
  const value = decodeCbor(bytes);
  const parts: readonly unknown[] = Array.isArray(value) ? value : [];
  const [byOld, byNew] = parts;
  if (!(byOld instanceof Uint8Array) || !(byNew instanceof Uint8Array) || parts.length > 2)
    throw new CryptoError('MALFORMED', 'not two containers');
  const body = verifiedBody(byOld, ({ old }) => old);
  const again = verifiedBody(byNew, (signed) => signed.new);
  const same =
    equalBytes(body.old, again.old) && equalBytes(body.new, again.new) && body.origin === again.origin;
  if (!same || equalBytes(body.old, body.new)) throw new CryptoError('MALFORMED', 'not one statement');
  return body;
}

/** The body of a container that is signed by the key that it names itself. */
function verifiedBody(signed: Bytes, keyOf: (body: Succession) => Bytes): Succession {
  const { body } = decodeBody(containerBody(signed), 'relay-succession');
  verifyContainer(keyOf(body), signed);
  return body;
}

/** All that a relay publishes, each verified. Throws {@link SuccessionError}. */
export function readSuccessions(texts: readonly string[]): readonly Succession[] {
  if (texts.length > LIMITS.successions) throw new SuccessionError('TOO_LARGE');
  return texts.map(readSuccession);
}

/**
 * The keys that `statements` lead to from `key`, the nearest first, at this origin; none where it has no successor. The
 * key itself proves the first one, and each the next: nothing else has to be believed. Throws {@link SuccessionFork} for
 * two successors of one key on the way, RELAY_KEY_LEFT for a way that comes back to one of its own keys, and
 * {@link SuccessionError} ORIGIN where the key has successors at other addresses alone.
 */
export function successorsOf(
  key: Bytes,
  origin: string,
  statements: readonly Succession[],
): readonly Bytes[] {
  const way: Bytes[] = [];
  for (let at = key; ; at = way.at(-1) ?? at) {
    const next = successorOf(at, origin, statements);
    if (next === null) break;
    if ([key, ...way].some((passed) => equalBytes(passed, next)))
      throw new CryptoError('RELAY_KEY_LEFT', 'leads back');
    way.push(next);
  }
  const elsewhere = way.length === 0 && statements.some(({ old }) => equalBytes(old, key));
  if (elsewhere) throw new SuccessionError('ORIGIN');
  return way;
}

function successorOf(key: Bytes, origin: string, statements: readonly Succession[]): Bytes | null {
  const own = statements.filter((one) => one.origin === origin && equalBytes(one.old, key));
  const first = own[0]?.new ?? null;
  const other = own.find((one) => first !== null && !equalBytes(one.new, first));
  if (first !== null && other !== undefined) throw new SuccessionFork([first, other.new]);
  return first;
}
