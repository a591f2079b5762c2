/** An export as one file in memory: what tests make is small. */
import type { ClientApi } from '@0fc/client/api';
import { value } from './member.js';

export async function exported(
  api: Pick<ClientApi, 'exportVault'>,
  passphrase: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const take = (piece: Uint8Array): Promise<boolean> => Promise.resolve(pieces.push(piece) > 0);
  value(await api.exportVault(passphrase, take));
  return Uint8Array.from(Buffer.concat(pieces));
}
