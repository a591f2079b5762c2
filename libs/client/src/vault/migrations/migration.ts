/** One step from a version of the vault's records to the next. */
import type { Hash } from '@0fc/crypto/verify';
import type { StorageChange, StorageRecord } from '../../contract/ports.js';

/** Records in clear, ascending by key. */
export interface RecordSource {
  list(store: string): Promise<readonly StorageRecord[]>;
}

export interface Migration {
  /** the version that it starts from; it leads to the next */
  readonly from: number;
  migrate(records: RecordSource, hash: Hash): Promise<readonly StorageChange[]>;
}
