/** How much a member's vault holds, whatever it holds: the rows of its file, and their bytes. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Member } from './member.js';

export interface VaultSize {
  readonly records: number;
  readonly bytes: number;
}

export function vaultSize({ folder }: Member): VaultSize {
  const db = new DatabaseSync(join(folder, 'vault.db'), { readOnly: true });
  try {
    const row = db.prepare('SELECT count(*) AS records, sum(length(value)) AS bytes FROM records').get();
    return { records: Number(row?.records), bytes: Number(row?.bytes) };
  } finally {
    db.close();
  }
}
