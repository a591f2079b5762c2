/** Sealing at rest (docs/protocol.md section 9; G14). */
import { SecureCellSeal } from 'wasm-themis';
import { concat, ctx, type Bytes } from '@0fc/protocol';
import { attempt, CryptoError } from '../errors.js';
import type { Random } from '../ports.js';
import { asVaultKey, SECRET_BYTES, type VaultKey } from '../secrets.js';
import { openCell, sealCell } from './cell.js';

const HEADER_BYTES = 20;
/** AES-256-GCM under a key that PBKDF2 makes of a passphrase */
const PASSPHRASE_TYPE = 0x41010100;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** rounds, salt length, salt */
const KDF_BYTES = 22;
const OVERHEAD = HEADER_BYTES + IV_BYTES + TAG_BYTES + KDF_BYTES;
/** Themis makes 314,110 rounds; far less was not written by it, far more would hang the opener. */
const ROUNDS = { least: 100_000, most: 10_000_000 };

/** First byte of a record's plaintext: its format, and the one byte that an empty value needs. */
const RECORD_FORMAT = 1;

/** 32 bytes of the platform's generator. */
export const newVaultKey = (random: Random): VaultKey => asVaultKey(random.bytes(SECRET_BYTES));

/** Wraps the vault key under a passphrase; takes about 0.2 s of the thread. Throws PASSPHRASE_WEAK when it is empty. */
export const sealVaultKey = (passphrase: string, vaultKey: VaultKey): Bytes =>
  sealUnder(passphrase, vaultKey, ctx('vault-key'));

/**
 * Throws VAULT_DAMAGED for what sealVaultKey cannot have made, WRONG_PASSPHRASE for what
 * does not open: a changed byte of the key itself looks the same as a wrong passphrase.
 */
export function openVaultKey(passphrase: string, sealed: Bytes): VaultKey {
  if (sealed.length !== OVERHEAD + SECRET_BYTES) throw new CryptoError('VAULT_DAMAGED', 'vault key');
  return asVaultKey(openUnder(passphrase, sealed, ctx('vault-key')));
}

/** An export: one sealed file. Throws as sealVaultKey; `data` is at least one byte. */
export const sealExport = (passphrase: string, data: Bytes | VaultKey): Bytes =>
  sealUnder(passphrase, data, ctx('vault-export'));

/** Throws as openVaultKey. */
export const openExport = (passphrase: string, sealed: Bytes): Bytes =>
  openUnder(passphrase, sealed, ctx('vault-export'));

/** Seals a record for its one place in its one store; 45 bytes longer than `value`. It opens in no other. */
export function sealRecord(vaultKey: VaultKey, store: string, key: string, value: Bytes): Bytes {
  return sealCell(vaultKey, concat(Uint8Array.of(RECORD_FORMAT), value), ctx('vault-record', store, key));
}

/** Throws VAULT_DAMAGED for a record of another place or vault, or a changed one. */
export function openRecord(vaultKey: VaultKey, store: string, key: string, sealed: Bytes): Bytes {
  const plain = openCell(vaultKey, sealed, ctx('vault-record', store, key), { code: 'VAULT_DAMAGED' });
  if (plain[0] !== RECORD_FORMAT) throw new CryptoError('VAULT_DAMAGED', 'record of another format');
  return plain.slice(1);
}

/** One passphrase has one byte string, whatever keyboard or system composed its accents. */
const normal = (passphrase: string): string => passphrase.normalize('NFC');

function sealUnder(passphrase: string, data: Bytes | VaultKey, context: Bytes): Bytes {
  if (passphrase === '') throw new CryptoError('PASSPHRASE_WEAK', 'empty passphrase');
  return attempt('INTERNAL', 'cannot seal', () =>
    SecureCellSeal.withPassphrase(normal(passphrase)).encrypt(data, context),
  );
}

function openUnder(passphrase: string, sealed: Bytes, context: Bytes): Bytes {
  if (!isPassphraseCell(sealed)) throw new CryptoError('VAULT_DAMAGED', 'not sealed under a passphrase');
  if (passphrase === '') throw new CryptoError('WRONG_PASSPHRASE', 'empty passphrase');
  return attempt('WRONG_PASSPHRASE', 'does not open', () =>
    SecureCellSeal.withPassphrase(normal(passphrase)).decrypt(sealed, context),
  );
}

function isPassphraseCell(sealed: Bytes): boolean {
  if (sealed.length <= OVERHEAD) return false;
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const rounds = view.getUint32(HEADER_BYTES + IV_BYTES + TAG_BYTES, true);
  return (
    view.getUint32(0, true) === PASSPHRASE_TYPE &&
    view.getUint32(4, true) === IV_BYTES &&
    view.getUint32(8, true) === TAG_BYTES &&
    view.getUint32(12, true) === sealed.length - OVERHEAD &&
    view.getUint32(16, true) === KDF_BYTES &&
    rounds >= ROUNDS.least &&
    rounds <= ROUNDS.most
  );
}
