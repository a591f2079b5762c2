/**
 * The vault key as a header keeps it (docs/protocol.md section 9, docs/decisions/0033): in one of four slots that look
 * alike, under a random secret of that slot. The passphrase opens a lock, once, and the lock holds the secret of its slot:
 * a guess costs one derivation, whatever the number of slots, and an authenticator later brings the secret of another slot
 * without touching the lock. Another passphrase makes all of it anew (docs/decisions/0041).
 */
import { vaultCtx, type Bytes } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import type { Passphrases, PassphraseSeal, Random } from '../ports.js';
import {
  asSlotSecret, asVaultKey, exposeSecret, SECRET_BYTES, type ErasableKey, type SlotSecret, type VaultKey,
} from '../secrets.js'; // prettier-ignore
import { CELL_OVERHEAD, isCell, openCell, sealCell } from '../cell.js';
import { openUnstretched, PASSPHRASE_OVERHEAD } from './passphrase-seal.js';

/** Of every header: how many are in use does not show. A power of two, so that a random byte chooses fairly. */
export const SLOTS = 4;

const LOCK = vaultCtx('vault-lock');
const SLOT = vaultCtx('vault-slot');

/** What a header holds of a vault key. All of it is public. */
export interface SealedVaultKey {
  /** the secret of the passphrase's slot, under the passphrase */
  readonly lock: PassphraseSeal;
  /** cells: the vault key under the secret of each slot that is in use, random bytes under random bytes in the others */
  readonly slots: readonly Bytes[];
}

/**
 * One derivation. Rejects as {@link Passphrases.seal}.
 *
 * @param device beside the passphrase; versions 4 and 5 had none
 */
export async function sealVaultKey(
  random: Random,
  passphrases: Passphrases,
  passphrase: string,
  vaultKey: VaultKey,
  device?: ErasableKey,
): Promise<SealedVaultKey> {
  const secret = asSlotSecret(random.bytes(SECRET_BYTES));
  try {
    const slots = sealSlots(random, secret, vaultKey);
    return { lock: await passphrases.seal(passphrase, secret, LOCK, device), slots };
  } finally {
    secret.fill(0);
  }
}

/**
 * Rejects with VAULT_DAMAGED, before any work, for what sealVaultKey cannot have made, and for a lock whose slot is not
 * there; with WRONG_PASSPHRASE for a lock that does not open: a changed byte inside looks the same as a wrong passphrase, and
 * so does another device's key.
 */
export async function openVaultKey(
  passphrases: Passphrases,
  passphrase: string,
  sealed: SealedVaultKey,
  device?: ErasableKey,
): Promise<VaultKey> {
  const secret = await openLock(passphrases, passphrase, sealed, device);
  try {
    return openSlots(secret, sealed.slots);
  } finally {
    secret.fill(0);
  }
}

/** Of a vault of versions 1 to 3, whose header is one cell. Throws as {@link openVaultKey} rejects. */
export function openEarlierVaultKey(passphrase: string, sealed: Bytes): VaultKey {
  if (sealed.length !== PASSPHRASE_OVERHEAD + SECRET_BYTES) throw damaged('vault key');
  return asVaultKey(openUnstretched(passphrase, sealed, vaultCtx('vault-key')));
}

async function openLock(
  passphrases: Passphrases,
  passphrase: string,
  { lock, slots }: SealedVaultKey,
  device?: ErasableKey,
): Promise<SlotSecret> {
  if (lock.sealed.length !== PASSPHRASE_OVERHEAD + SECRET_BYTES) throw damaged('lock');
  const isSlot = (slot: Bytes): boolean => isCell(slot) && slot.length === CELL_OVERHEAD + SECRET_BYTES;
  if (slots.length !== SLOTS || !slots.every(isSlot)) throw damaged('slots');
  return asSlotSecret(await passphrases.open(passphrase, lock, LOCK, device));
}

/** An unused slot is a cell too, of a key and under a key that nobody keeps: no reader of the header tells it apart. */
export function sealSlots(random: Random, secret: SlotSecret, vaultKey: VaultKey): readonly Bytes[] {
  const used = (random.bytes(1)[0] ?? 0) % SLOTS;
  return Array.from({ length: SLOTS }, (_, at) =>
    at === used
      ? sealCell(secret, exposeSecret(vaultKey), SLOT)
      : sealCell(asSlotSecret(random.bytes(SECRET_BYTES)), random.bytes(SECRET_BYTES), SLOT),
  );
}

/** Throws VAULT_DAMAGED where none is this secret's. */
export function openSlots(secret: SlotSecret, slots: readonly Bytes[]): VaultKey {
  for (const slot of slots) {
    const key = openSlot(secret, slot);
    if (key !== null) return key;
  }
  throw damaged('no slot of this passphrase');
}

/** Null: a slot of another secret. */
function openSlot(secret: SlotSecret, slot: Bytes): VaultKey | null {
  try {
    return asVaultKey(openCell(secret, slot, SLOT, { code: 'VAULT_DAMAGED' }));
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'VAULT_DAMAGED') return null;
    throw error;
  }
}

const damaged = (what: string): CryptoError => new CryptoError('VAULT_DAMAGED', what);
