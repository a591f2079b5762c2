/**
 * Argon2id (RFC 9106) in front of Themis's PBKDF2 (docs/decisions/0028): what Themis gets as a passphrase is
 * `base64url(Argon2id(passphrase, salt))`, so that whoever guesses pays memory as well as rounds. By hash-wasm, which
 * nothing else touches; WebAssembly, so a worker's policy must allow it (`wasm-unsafe-eval`).
 */
import { argon2id } from 'hash-wasm';
import { concat, toBase64Url, utf8, type Bytes } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import type { KdfCost } from '../ports.js';
import { exposeSecret, type ErasableKey } from '../secrets.js';

/** What this version writes: 0.1 s of a worker on the machine it was measured on, 0.4 s on a phone of a quarter of that. */
export const KDF_COST: KdfCost = { m: 32_768, t: 2, p: 1 };
/** Bytes of a new salt. */
export const KDF_SALT_BYTES = 16;

/**
 * What is read may cost from what OWASP calls the least (19 MiB, 2 passes) to a quarter of a GiB and 32 times ours:
 * far less was not written by any version, far more would hang or end the opener.
 */
const BOUNDS = { m: [19_456, 262_144], t: [2, 16], p: [1, 4], salt: [KDF_SALT_BYTES, 64] } as const;
const MOST_WORK = 32 * KDF_COST.m * KDF_COST.t;
const TAG_BYTES = 32;

/** One passphrase has one byte string, whatever keyboard or system composed its accents. */
export const normalPassphrase = (passphrase: string): string => passphrase.normalize('NFC');

/**
 * The passphrase for Themis: 43 letters of base64url, 86 with a key beside it.
 *
 * @param salt 16 to 64 bytes; a new one for each vault and export
 * @param cost as read from beside the salt
 * @param beside follows Argon2id's result, so that nothing can be guessed without it
 *
 * Rejects, before any work, with VAULT_DAMAGED for a salt or a cost that no version writes, PASSPHRASE_WEAK for an empty
 * passphrase; INTERNAL where there is no memory or no WebAssembly.
 */
export async function stretchPassphrase(
  passphrase: string,
  salt: Bytes,
  cost: KdfCost = KDF_COST,
  beside?: ErasableKey,
): Promise<string> {
  assertKdf(salt, cost);
  const { m, t, p } = cost;
  if (passphrase === '') throw new CryptoError('PASSPHRASE_WEAK', 'empty passphrase');
  const password = utf8(normalPassphrase(passphrase));
  try {
    const tag = await argon2id({
      password, salt, memorySize: m, iterations: t, parallelism: p, hashLength: TAG_BYTES, outputType: 'binary',
    }); // prettier-ignore
    const whole = beside === undefined ? tag : concat(tag, exposeSecret(beside));
    const text = toBase64Url(whole);
    for (const bytes of [tag, whole]) bytes.fill(0);
    return text;
  } catch (error) {
    throw new CryptoError('INTERNAL', 'no key of a passphrase', { cause: error });
  } finally {
    password.fill(0);
  }
}

/** Throws VAULT_DAMAGED for a salt or a cost that no version writes. */
export function assertKdf(salt: Bytes, { m, t, p }: KdfCost): void {
  const within = (value: number, [least, most]: readonly [number, number]): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  const bounded =
    within(m, BOUNDS.m) &&
    within(t, BOUNDS.t) &&
    within(p, BOUNDS.p) &&
    m * t <= MOST_WORK &&
    within(salt.length, BOUNDS.salt);
  if (!bounded) throw new CryptoError('VAULT_DAMAGED', 'cost of a passphrase');
}
