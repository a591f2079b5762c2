/** Opens the store of a data folder, or says in one line why not. */
import { ConfigError, systemErrorCode } from '../config/errors.js';
import type { RoomStore } from '../rooms/port/room-store.js';
import { openSqliteStore } from './sqlite/sqlite-room-store.js';

export const STORE_FILE = 'relay.sqlite';

/** Throws {@link ConfigError}. */
export function openStore(path: string): RoomStore {
  try {
    return openSqliteStore({ path });
  } catch (error) {
    const text =
      typeof error === 'object' && error !== null && 'message' in error
        ? String(error.message)
        : systemErrorCode(error);
    const why = /locked|busy/i.test(text) ? 'another relay is using it' : text;
    throw new ConfigError(`DATA_DIR holds a store that cannot be opened (${why}): ${path}.`);
  }
}
