/**
 * What an older vault's records become (docs/protocol.md section 9). A vault is brought to the version of
 * this client when it is opened, in one atomic write with its header: a kill at any moment leaves the old
 * vault or the new one. Exports of older clients go the same way when they are imported.
 *
 * Each file of this folder is one step. It knows the records of its two versions by their fields and not by the
 * schemas of today, which move on; test/fixtures/ holds a vault of each version for it.
 */
import { ERROR_CODES } from '@0fc/protocol';
import type { Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { StorageChange } from '../../contract/ports.js';
import { roomSlices } from './01-room-slices.js';
import { logWindow } from './02-log-window.js';
import { outdatedRooms } from './03-outdated-rooms.js';
import { goneTexts } from './04-gone-texts.js';
import { erasableKeys } from './05-erasable-keys.js';
import type { Migration, RecordSource } from './migration.js';

const MIGRATIONS: readonly Migration[] = [roomSlices, logWindow, outdatedRooms, goneTexts, erasableKeys];

/** Version of the records that this client reads and writes. */
export const RECORDS_VERSION = 1 + MIGRATIONS.length;

/**
 * The changes that bring records of `version` to {@link RECORDS_VERSION}; none where they are of it. Rejects with
 * UNSUPPORTED_VERSION for one that there never was, VAULT_DAMAGED for records that are none of it.
 */
export async function migrated(
  version: number,
  records: RecordSource,
  hash: Hash,
): Promise<readonly StorageChange[]> {
  if (version > RECORDS_VERSION) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
  const changes = new Map<string, StorageChange>();
  for (let at = version; at < RECORDS_VERSION; at++) {
    const migration = MIGRATIONS.find(({ from }) => from === at);
    if (migration === undefined) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
    const made = await migration.migrate(overlaid(records, [...changes.values()]), hash);
    for (const change of made) changes.set(`${change.store} ${change.key}`, change);
  }
  return [...changes.values()];
}

/** Records as they are once changes have been written. */
export function overlaid(records: RecordSource, changes: readonly StorageChange[]): RecordSource {
  return {
    async list(store) {
      const values = new Map((await records.list(store)).map(({ key, value }) => [key, value]));
      for (const change of changes) {
        if (change.store !== store) continue;
        if (change.value === null) values.delete(change.key);
        else values.set(change.key, change.value);
      }
      return [...values]
        .map(([key, value]) => ({ key, value }))
        .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    },
  };
}
