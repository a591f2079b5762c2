import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describeStorage, put, type StorageUnderTest } from '../vault/storage-contract.spec-support.js';
import { describeVault } from '../vault/vault-contract.spec-support.js';
import { Child, killAll } from './children.spec-support.js';
import { FolderLock } from './lock.js';
import { FileStorage, IN_MEMORY } from './storage.js';

const base = mkdtempSync(join(tmpdir(), '0fc-storage-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
afterEach(killAll);
let made = 0;
const newFolder = (): string => join(base, String(++made));

let folder = '';
const files: StorageUnderTest = {
  name: 'file',
  fresh: async () => FileStorage.open((folder = newFolder())),
  again: async () => FileStorage.open(folder),
  clean: async () => rmSync(folder, { recursive: true, force: true }),
};
let memory = FileStorage.open(IN_MEMORY);
const inMemory: StorageUnderTest = {
  name: 'memory',
  fresh: async () => (memory = FileStorage.open(IN_MEMORY)),
  again: async () => memory,
  clean: async () => undefined,
};

describeStorage(files);
describeStorage(inMemory);
describeVault(files);

describe('file: on the disk', () => {
  it('is for its owner alone', async () => {
    const storage = await files.fresh();
    expect(statSync(folder).mode & 0o077).toBe(0);
    expect(statSync(join(folder, 'vault.db')).mode & 0o077).toBe(0);
    await storage.close();
  });

  it('keeps nothing of what was erased', async () => {
    const storage = await files.fresh();
    await storage.write([put('a', '1', 'a text to look for'.repeat(100))]);
    await storage.erase();
    const left = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
    expect(left.some((text) => text.includes('to look for'))).toBe(false);
    await storage.close();
  });

  it('a file cut short, or another file, is VAULT_DAMAGED', async () => {
    const storage = await files.fresh();
    await storage.write(Array.from({ length: 200 }, (_, at) => put('a', String(at), 'x'.repeat(500))));
    await storage.close();
    const path = join(folder, 'vault.db');
    truncateSync(path, statSync(path).size / 2);
    const read = async (): Promise<unknown> => {
      const cut = FileStorage.open(folder);
      try {
        return await cut.list('a');
      } finally {
        await cut.close();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'VAULT_DAMAGED' });
    writeFileSync(path, 'a text file, by mistake '.repeat(100));
    await expect(read()).rejects.toMatchObject({ code: 'VAULT_DAMAGED' });
  });

  it('a later client’s file is UNSUPPORTED_VERSION and left alone', async () => {
    await (await files.fresh()).close();
    const db = new DatabaseSync(join(folder, 'vault.db'));
    db.exec('PRAGMA user_version = 2');
    db.close();
    await expect(files.again()).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });

  it('a folder that cannot be is VAULT_UNAVAILABLE', () => {
    writeFileSync(join(base, 'taken'), '');
    expect(() => FileStorage.open(join(base, 'taken'))).toThrow(
      expect.objectContaining({ code: 'VAULT_UNAVAILABLE' }),
    );
  });

  it('kill -9 in the middle of many writes leaves each batch whole or absent', async () => {
    const RECORDS = 60;
    folder = newFolder();
    for (const rounds of [1, 7, 23]) {
      const writer = new Child('./writer.spec-support.ts', folder, String(RECORDS));
      let seen = 0;
      for (let round = 0; round < rounds; round++) seen = Number(await writer.line());
      await writer.kill();
      const storage = FileStorage.open(folder);
      const stores = await Promise.all(['store0', 'store1', 'store2'].map((store) => storage.list(store)));
      const values = stores.flat().map(({ value }) => parseInt(new TextDecoder().decode(value)));
      expect(values).toHaveLength(RECORDS);
      expect(new Set(values).size).toBe(1);
      // What it has reported as stored is stored.
      expect(values[0]).toBeGreaterThanOrEqual(seen);
      await storage.close();
    }
  }, 60_000);
});

describe('file: one live client', () => {
  it('a second lock waits for the first', async () => {
    const [first, second] = [new FolderLock((folder = newFolder())), new FolderLock(folder)];
    expect(await first.acquire()).toBe(true);
    expect(await first.acquire()).toBe(true);
    expect(await second.acquire()).toBe(false);
    await second.release();
    expect(await second.acquire()).toBe(false);
    await first.release();
    await first.release();
    expect(await second.acquire()).toBe(true);
    await second.release();
  });

  it('does not stand in the way of the storage', async () => {
    const storage = await files.fresh();
    const lock = new FolderLock(folder);
    expect(await lock.acquire()).toBe(true);
    await storage.write([put('a', '1', 'one')]);
    await lock.release();
    await storage.close();
  });

  it('a killed process holds nothing', async () => {
    const holder = new Child('./holder.spec-support.ts', (folder = newFolder()));
    expect(await holder.line()).toBe('true');
    const lock = new FolderLock(folder);
    expect(await lock.acquire()).toBe(false);
    await holder.kill();
    expect(await lock.acquire()).toBe(true);
    await lock.release();
  }, 60_000);
});
