import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '@jest/globals';
import { roomStoreContract } from '../../rooms/port/room-store.contract.spec-support.js';
import type { MemberId, RoomId } from '@0fc/protocol';
import { migrate } from './schema.js';
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

test('a file of the version before is brought up to this one: sizes, and what the departed are served', async () => {
  const folder = await mkdtemp(join(tmpdir(), '0fc-store-'));
  const path = join(folder, 'relay.sqlite');
  const room = 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId;
  const [owner, gone] = ['BBBBBBBBBBBBBBBBBBBBBA', 'CCCCCCCCCCCCCCCCCCCCCA'] as MemberId[];
  const database = new DatabaseSync(path);
  migrate(database, 1);
  database.exec(`
    INSERT INTO rooms VALUES ('${room}', '${owner!}', 2, 1, 2, 0, x'01', 2, 1, 2, 1, 0, NULL, 'boot', 0, 5);
    INSERT INTO members VALUES ('${room}', '${owner!}', 0, 'member', 1, 0, 1, 0, 0, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO members VALUES ('${room}', '${gone!}', 1, 'removed', 1, 0, 1, 0, 0, NULL, 1, 1, 1, x'01');
    INSERT INTO log VALUES ('${room}', 1, 0, 'roster', '${owner!}', 5, x'', x'0102', NULL);
    INSERT INTO log VALUES ('${room}', 1, 1, 'roster', '${owner!}', 6, x'', x'030405', NULL);
    INSERT INTO log VALUES ('${room}', 1, 2, 'rotation', '${owner!}', 6, x'06', x'0708', NULL);
    INSERT INTO wraps VALUES ('${room}', 1, 2, '${owner!}', x'090a0b0c');
  `);
  database.close();
  const store = openSqliteStore({ path });
  expect(await store.roomStats(room)).toMatchObject({
    stats: { state: 'open', entries: 3, bytes: 12, members: 1, former: 1, history: 1_000_000 },
  });
  const result = await store.readLog({
    roomId: room, memberId: gone!, after: null, maxEntries: 9, maxBytes: 99, maxGenerations: 1,
  }); // prettier-ignore
  expect(result).toMatchObject({
    page: { role: 'departed', entry: { payload: Uint8Array.of(3, 4, 5), time: 6 } },
  });
  await store.close();
  await rm(folder, { recursive: true });
});
