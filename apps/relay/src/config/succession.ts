/**
 * The statements of the key's succession that this relay publishes (docs/protocol.md section 3.1): given by the
 * operator, or kept beside the key in the data folder. All are checked at start: a client would follow none that fails.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, LIMITS, type Bytes } from '@0fc/protocol';
import {
  CryptoError,
  readSuccession,
  SuccessionError,
  successorsOf,
  type Succession,
} from '@0fc/crypto/verify';
import type { RelayConfig } from './environment.js';
import { ConfigError, systemErrorCode } from './errors.js';

export const SUCCESSION_FILE = 'relay.succession';
/** Longest text of statements that is read, in bytes. */
const MOST_BYTES = 65_536;

export interface PublishedSuccession {
  readonly texts: readonly string[];
  /** what the texts say, in their order */
  readonly statements: readonly Succession[];
  /** the key that the relay's own is announced to give way to; null: none is */
  readonly next: Bytes | null;
}

/** `elsewhere`: the key is not the data folder's own, so the statements that lie there are not its. Throws {@link ConfigError}. */
export async function publishedSuccession(
  config: RelayConfig,
  key: Bytes,
  elsewhere: boolean,
): Promise<PublishedSuccession> {
  const { succession, successionFile, dataDir } = config;
  if (succession !== null) return checked('RELAY_SUCCESSION', succession, key);
  if (successionFile !== null) {
    const text = await readShort('RELAY_SUCCESSION_FILE', successionFile);
    if (text === null)
      throw new ConfigError(`RELAY_SUCCESSION_FILE is ${successionFile}, which is not there.`);
    return checked('RELAY_SUCCESSION_FILE', text, key);
  }
  const path = join(dataDir, SUCCESSION_FILE);
  return checked(path, elsewhere ? '' : ((await readShort('DATA_DIR', path)) ?? ''), key);
}

/** Null: there is no such file. */
async function readShort(name: string, path: string): Promise<string | null> {
  try {
    if ((await stat(path)).size > MOST_BYTES)
      throw new ConfigError(
        `${name}: ${path} has more than ${String(MOST_BYTES)} bytes, and holds no statements.`,
      );
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw new ConfigError(`${name}: ${path} cannot be read (${systemErrorCode(error)}).`);
  }
}

function checked(name: string, text: string, key: Bytes): PublishedSuccession {
  const texts = text.split(/[\s,"']+/).filter((part) => part !== '');
  if (texts.length > LIMITS.successions) {
    throw new ConfigError(
      `${name} holds ${String(texts.length)} statements, of which a relay publishes ${String(LIMITS.successions)} at most; leave out the oldest.`,
    );
  }
  const statements = texts.map((one, at) => statementOf(name, one, at + 1));
  for (const { old, origin } of statements)
    assertLeadsHere(name, key, wayFrom(name, old, origin, statements));
  const successors = statements.filter(({ old }) => equalBytes(old, key)).map((one) => one.new);
  return { texts, statements, next: successors[0] ?? null };
}

function statementOf(name: string, text: string, number: number): Succession {
  try {
    return readSuccession(text);
  } catch (error) {
    if (!(error instanceof SuccessionError)) throw error;
    throw new ConfigError(
      `${name}: statement ${String(number)} does not hold (${error.reason}); it must be as \`succeed\` printed it, signed by both keys.`,
    );
  }
}

/** The key and all that follow it. The relay has one key at all its addresses: another successor elsewhere is a fork too. */
function wayFrom(
  name: string,
  old: Bytes,
  origin: string,
  statements: readonly Succession[],
): readonly Bytes[] {
  const everywhere = statements.map((one) => ({ ...one, origin }));
  try {
    return [old, ...successorsOf(old, origin, everywhere)];
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new ConfigError(
      error.code === 'RELAY_SUCCESSION_FORKED'
        ? `${name} names two successors of one key, which clients do not follow; keep the statements of the true one.`
        : `${name} leads back to a key that was left, which clients do not follow.`,
    );
  }
}

function assertLeadsHere(name: string, key: Bytes, way: readonly Bytes[]): void {
  const at = way.findIndex((one) => equalBytes(one, key));
  const remedy = 'give the relay the private key that `succeed` printed with them.';
  if (at === -1) throw new ConfigError(`${name} is of another key than the relay’s; ${remedy}`);
  // The next one may be announced before it is served; a key that was left twice over is one that a thief may have.
  if (way.length - 1 - at > 1)
    throw new ConfigError(`${name} says that the relay’s key was left long ago; ${remedy}`);
}
