/** Sealing at rest (docs/protocol.md section 9; G14): records under the vault key, the key of an export. */
import { concat, vaultCtx, type Bytes } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import type { Passphrases, PassphraseSeal, Random } from '../ports.js';
import {
  asErasableKey, asRecordKey, asVaultKey, exposeSecret, SECRET_BYTES, type ErasableKey, type RecordKey, type VaultKey,
} from '../secrets.js'; // prettier-ignore
import { openCell, sealCell } from '../cell.js';
import { openUnstretched } from './passphrase-seal.js';

/** First byte of a record's plaintext: its format, and the one byte that an empty value needs. */
const RECORD_FORMAT = 1;

/** 32 bytes of the platform's generator. */
export const newVaultKey = (random: Random): VaultKey => asVaultKey(random.bytes(SECRET_BYTES));

/** For one record, drawn anew whenever it is written. */
export const newErasableKey = (random: Random): ErasableKey => asErasableKey(random.bytes(SECRET_BYTES));

/** Themis makes a cell's own key of all of it (HMAC-SHA256): without either half nothing opens. The caller wipes it. */
export const recordKey = (vaultKey: VaultKey, erasable: ErasableKey): RecordKey =>
  asRecordKey(concat(exposeSecret(vaultKey), exposeSecret(erasable)));

/** What an export's passphrase opens: the key of its blocks; `data` is at least one byte. Rejects as {@link Passphrases.seal}. */
export const sealExport = (
  passphrases: Passphrases,
  passphrase: string,
  data: Bytes | VaultKey,
): Promise<PassphraseSeal> => passphrases.seal(passphrase, data, vaultCtx('vault-export'));

/** Rejects as {@link Passphrases.open}. */
export const openExport = (
  passphrases: Passphrases,
  passphrase: string,
  seal: PassphraseSeal,
): Promise<Bytes> => passphrases.open(passphrase, seal, vaultCtx('vault-export'));

/** Of an export of versions 1 to 3. Throws as openUnstretched. */
export const openEarlierExport = (passphrase: string, sealed: Bytes): Bytes =>
  openUnstretched(passphrase, sealed, vaultCtx('vault-export'));

/** Seals a record for its one place in its one store; 45 bytes longer than `value`. It opens in no other. */
export function sealRecord(vaultKey: VaultKey | RecordKey, store: string, key: string, value: Bytes): Bytes {
  const plain = concat(Uint8Array.of(RECORD_FORMAT), value);
  return sealCell(vaultKey, plain, vaultCtx('vault-record', store, key));
}

/** Throws VAULT_DAMAGED for a record of another place or vault, or a changed one. */
export function openRecord(vaultKey: VaultKey | RecordKey, store: string, key: string, sealed: Bytes): Bytes {
  const plain = openCell(vaultKey, sealed, vaultCtx('vault-record', store, key), { code: 'VAULT_DAMAGED' });
  if (plain[0] !== RECORD_FORMAT) throw new CryptoError('VAULT_DAMAGED', 'record of another format');
  return plain.slice(1);
}
