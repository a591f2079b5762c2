/**
 * What is sealed under a passphrase (docs/protocol.md section 9; G14): by Argon2id and by Themis's own PBKDF2 behind it
 * (docs/decisions/0028), so that a guess costs both. Vaults and exports of versions 1 to 3 have the second alone; they
 * are opened, and never made again.
 */
import { SecureCellSeal } from 'wasm-themis';
import type { Bytes } from '@0fc/protocol';
import { attempt, CryptoError } from '../errors.js';
import type { Passphrases, PassphraseSeal, Random } from '../ports.js';
import type { ErasableKey, SlotSecret, VaultKey } from '../secrets.js';
import {
  assertKdf, KDF_COST, KDF_SALT_BYTES, normalPassphrase, stretchPassphrase,
} from './passphrase-kdf.js'; // prettier-ignore

const HEADER_BYTES = 20;
/** AES-256-GCM under a key that PBKDF2 makes of a passphrase */
const PASSPHRASE_TYPE = 0x41010100;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** rounds, salt length, salt */
const KDF_BYTES = 22;
/** Bytes that such a cell adds to its plaintext. */
export const PASSPHRASE_OVERHEAD = HEADER_BYTES + IV_BYTES + TAG_BYTES + KDF_BYTES;
/** Themis makes 314,110 rounds; far less was not written by it, far more would hang the opener. */
const ROUNDS = { least: 100_000, most: 10_000_000 };

/** What every vault and every export is sealed with. Each call takes about 0.3 s of the thread. */
export const passphrasesOf = (random: Random): Passphrases => ({
  seal: (passphrase, data, context, beside) => sealWithPassphrase(random, passphrase, data, context, beside),
  open: openWithPassphrase,
});

async function sealWithPassphrase(
  random: Random,
  passphrase: string,
  data: Bytes | VaultKey | SlotSecret,
  context: Bytes,
  beside?: ErasableKey,
): Promise<PassphraseSeal> {
  const salt = random.bytes(KDF_SALT_BYTES);
  const stretched = await stretchPassphrase(passphrase, salt, KDF_COST, beside);
  const sealed = attempt('INTERNAL', 'cannot seal', () =>
    SecureCellSeal.withPassphrase(stretched).encrypt(data, context),
  );
  return { salt, cost: KDF_COST, sealed };
}

async function openWithPassphrase(
  passphrase: string,
  { salt, cost, sealed }: PassphraseSeal,
  context: Bytes,
  beside?: ErasableKey,
): Promise<Bytes> {
  assertPassphraseCell(sealed);
  assertKdf(salt, cost);
  if (passphrase === '') throw new CryptoError('WRONG_PASSPHRASE', 'empty passphrase');
  return openCellWith(await stretchPassphrase(passphrase, salt, cost, beside), sealed, context);
}

/** What versions 1 to 3 sealed, under the passphrase as it is. Throws as {@link Passphrases.open} rejects. */
export function openUnstretched(passphrase: string, sealed: Bytes, context: Bytes): Bytes {
  assertPassphraseCell(sealed);
  if (passphrase === '') throw new CryptoError('WRONG_PASSPHRASE', 'empty passphrase');
  return openCellWith(normalPassphrase(passphrase), sealed, context);
}

const openCellWith = (passphrase: string, sealed: Bytes, context: Bytes): Bytes =>
  attempt('WRONG_PASSPHRASE', 'does not open', () =>
    SecureCellSeal.withPassphrase(passphrase).decrypt(sealed, context),
  );

function assertPassphraseCell(sealed: Bytes): void {
  if (!isPassphraseCell(sealed)) throw new CryptoError('VAULT_DAMAGED', 'not sealed under a passphrase');
}

function isPassphraseCell(sealed: Bytes): boolean {
  if (sealed.length <= PASSPHRASE_OVERHEAD) return false;
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const rounds = view.getUint32(HEADER_BYTES + IV_BYTES + TAG_BYTES, true);
  return (
    view.getUint32(0, true) === PASSPHRASE_TYPE &&
    view.getUint32(4, true) === IV_BYTES &&
    view.getUint32(8, true) === TAG_BYTES &&
    view.getUint32(12, true) === sealed.length - PASSPHRASE_OVERHEAD &&
    view.getUint32(16, true) === KDF_BYTES &&
    rounds >= ROUNDS.least &&
    rounds <= ROUNDS.most
  );
}
