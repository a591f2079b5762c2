import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '@jest/globals';
import { roomStoreContract } from '../../rooms/room-store.contract.spec-support.js';
import { openSqliteStore } from './sqlite-room-store.js';

roomStoreContract('SQLite in memory', async (now) => {
  const store = openSqliteStore({ path: ':memory:', now });
  return { store, restart: null, dispose: () => store.close() };
});

roomStoreContract('SQLite in a file', async (now) => {
  const folder = await mkdtemp(join(tmpdir(), '0fc-store-'));
  const path = join(folder, 'relay.sqlite');
  let store = openSqliteStore({ path, now });
  return {
    store,
    restart: async () => {
      await store.close();
      store = openSqliteStore({ path, now });
      return store;
    },
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

test('a file of a later version is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), '0fc-store-'));
  const path = join(folder, 'relay.sqlite');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => openSqliteStore({ path })).toThrow('later version');
  await rm(folder, { recursive: true });
});
