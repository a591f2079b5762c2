/** What clients of versions 1 to 3 of the vault sealed under a passphrase: by Themis alone. No client writes it any more. */
import { SecureCellSeal } from 'wasm-themis';
import { vaultCtx, type Bytes } from '@0fc/protocol';

export const sealUnstretched = (passphrase: string, data: Bytes, kind: 'vault-key' | 'vault-export'): Bytes =>
  SecureCellSeal.withPassphrase(passphrase.normalize('NFC')).encrypt(data, vaultCtx(kind));
