/**
 * Seals under passphrases whose guess costs one hash: for tests that open many vaults and ask nothing of their passphrases.
 * A vault that it sealed opens with it alone.
 */
import {
  asVaultKey, exposeSecret, KDF_COST, KDF_SALT_BYTES, openRecord, type ErasableKey, type Passphrases, sealRecord, type VaultKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { concat, toBase64Url, utf8, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';

/** What a true seal is longer by: readers ask for its length before any work. */
const PADDING = new Uint8Array(25);
const STORE = 'passphrase';

const keyOf = async (passphrase: string, salt: Bytes, beside?: ErasableKey): Promise<VaultKey> => {
  const key = beside === undefined ? new Uint8Array() : exposeSecret(beside);
  return asVaultKey(await nodeHash.sha256(concat(salt, key, utf8(passphrase.normalize('NFC')))));
};

export const quickPassphrases: Passphrases = {
  async seal(passphrase, data, context, beside) {
    if (passphrase === '') throw new ClientError('PASSPHRASE_WEAK');
    const salt = nodeRandom.bytes(KDF_SALT_BYTES);
    const key = await keyOf(passphrase, salt, beside);
    const plain = exposeSecret(data as VaultKey);
    const sealed = concat(sealRecord(key, STORE, toBase64Url(context), plain), PADDING);
    return { salt, cost: KDF_COST, sealed };
  },
  async open(passphrase, { salt, sealed }, context, beside) {
    const key = await keyOf(passphrase, salt, beside);
    try {
      return openRecord(key, STORE, toBase64Url(context), sealed.slice(0, -PADDING.length));
    } catch (cause) {
      throw new ClientError('WRONG_PASSPHRASE', {}, { cause });
    }
  },
};
