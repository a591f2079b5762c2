/** The records of a room as a client of version 2 kept them: those of today without what version 3 has added. */
import { decodeCbor, encodeCbor, type Bytes, type CborValue } from '@0fc/protocol';
import { prefixOf, STORES } from '../records.js';
import type { Vault } from '../vault.js';
import type { RecordSource } from './migration.js';

const ADDED: Readonly<Record<string, readonly string[]>> = {
  place: ['alarms', 'others', 'sealed', 'missed', 'shownIndex', 'lineIndex'],
  reading: ['othersRead'],
  owner: ['settingsPlaced'],
  loss: ['starts', 'turns'],
};
const OF_SENDERS = ['at', 'missedAt', 'changedAhead', 'lastEntry'];

const without = (value: Bytes, names: readonly string[]): Bytes => {
  const fields = Object.entries(decodeCbor(value) as Readonly<Record<string, CborValue>>);
  return encodeCbor(Object.fromEntries(fields.filter(([name]) => !names.includes(name))));
};

/** Of one room of a vault. */
export async function version2(vault: Vault, roomId: string): Promise<RecordSource> {
  const stores = new Map<string, readonly { readonly key: string; readonly value: Bytes }[]>();
  for (const store of Object.values(STORES)) {
    if (store === STORES.messages || store === STORES.effects) continue;
    const all = await vault.list(store);
    stores.set(
      store,
      all.filter(({ key }) => key === roomId || key.startsWith(prefixOf(roomId))),
    );
  }
  const slices = stores.get(STORES.slices) ?? [];
  stores.set(
    STORES.slices,
    slices.map(({ key, value }) => {
      const names = ADDED[key.slice(prefixOf(roomId).length)];
      return { key, value: names === undefined ? value : without(value, names) };
    }),
  );
  const senders = stores.get(STORES.senders) ?? [];
  stores.set(
    STORES.senders,
    senders.map(({ key, value }) => ({ key, value: without(value, OF_SENDERS) })),
  );
  return { list: (store) => Promise.resolve(stores.get(store) ?? []) };
}
