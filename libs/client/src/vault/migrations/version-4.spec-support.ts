/** The records of a room as a client of version 4 kept them: each message of the log as it was first read. */
import { decodeCbor, encodeCbor, toHex, type AnyContent, type Bytes, type CborValue } from '@0fc/protocol';
import { prefixOf, STORES } from '../records.js';
import type { Vault } from '../vault.js';
import type { RecordSource } from './migration.js';
import type { Fields } from './version-1.spec-support.js';

/** Of one room of a vault. `said`: what each message said, by its nonce in hexadecimal. */
export async function version4(
  vault: Vault,
  roomId: string,
  said: ReadonlyMap<string, AnyContent>,
): Promise<RecordSource> {
  const asRead = (item: Fields): Fields => {
    const content = item.type === 'message' ? said.get(toHex(item.mid as Bytes)) : undefined;
    if (content === undefined) return item;
    const { deleted: _added, ...before } = item;
    return { ...before, content: content as CborValue };
  };
  const of = async (store: string) =>
    (await vault.list(store)).filter(({ key }) => key === roomId || key.startsWith(prefixOf(roomId)));
  const log = (await of(STORES.log)).map(({ key, value }) => {
    const record = decodeCbor(value) as Fields;
    return { key, value: encodeCbor({ ...record, items: (record.items as Fields[]).map(asRead) }) };
  });
  return { list: (store) => (store === STORES.log ? Promise.resolve(log) : of(store)) };
}
