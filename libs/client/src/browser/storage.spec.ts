import 'fake-indexeddb/auto';
import { describe, expect, it, jest } from '@jest/globals';
import { IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import { describeStorage, put, type StorageUnderTest } from '../vault/storage-contract.spec-support.js';
import { describeVault } from '../vault/vault-contract.spec-support.js';
import { IndexedDbStorage } from './storage.js';

const indexedDb: StorageUnderTest = {
  name: 'IndexedDB',
  fresh: async () => {
    globalThis.indexedDB = new IDBFactory();
    return new IndexedDbStorage();
  },
  again: async () => new IndexedDbStorage(),
  clean: async () => undefined,
};
describeStorage(indexedDb);
describeVault(indexedDb);

const failure = (name: string): DOMException => new DOMException('no', name);

describe('IndexedDB: what the browser refuses', () => {
  it('a full disk is VAULT_FULL and leaves nothing', async () => {
    const storage = await indexedDb.fresh();
    await storage.write([put('a', '1', 'one')]);
    const full = jest.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw failure('QuotaExceededError');
    });
    await expect(
      storage.write([{ store: 'a', key: '1', value: null }, put('a', '2', 'two')]),
    ).rejects.toMatchObject({
      code: 'VAULT_FULL',
    });
    full.mockRestore();
    expect((await storage.list('a')).map(({ key }) => key)).toEqual(['1']);
  });

  it('a transaction that the browser aborts leaves nothing', async () => {
    const storage = await indexedDb.fresh();
    const { put: real } = IDBObjectStore.prototype;
    const spy = jest.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      ...args
    ) {
      const request = real.apply(this, args);
      if (JSON.stringify(args[1]) === '["a","2"]') queueMicrotask(() => this.transaction.abort());
      return request;
    });
    const batch = ['1', '2', '3'].map((key) => put('a', key, key));
    await expect(storage.write(batch)).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    spy.mockRestore();
    expect(await storage.list('a')).toEqual([]);
    await storage.close();
  });

  it.each([
    ['SecurityError', 'VAULT_UNAVAILABLE'],
    ['InvalidStateError', 'VAULT_UNAVAILABLE'],
    ['QuotaExceededError', 'VAULT_FULL'],
    ['VersionError', 'UNSUPPORTED_VERSION'],
  ])('%s on opening is %s', async (name, code) => {
    const storage = await indexedDb.fresh();
    jest.spyOn(globalThis.indexedDB, 'open').mockImplementation(() => {
      throw failure(name);
    });
    await expect(storage.read('a', '1')).rejects.toMatchObject({ code });
    await storage.close();
  });

  it('lets go when a later version of the page upgrades, and does not come back', async () => {
    const storage = await indexedDb.fresh();
    await storage.write([put('a', '1', 'one')]);
    await new Promise<void>((resolve, reject) => {
      const request = globalThis.indexedDB.open('0fc', 2);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(new Error('not opened'));
    });
    await expect(storage.read('a', '1')).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    await expect(new IndexedDbStorage().read('a', '1')).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
  });
});

describe('a key file without a place of its own', () => {
  it('has what was written when the worker ends without another word', async () => {
    const storage = await indexedDb.fresh();
    const { keyFile } = storage;
    await keyFile.open('make');
    await keyFile.write(0, new Uint8Array(5_000).fill(7));
    await keyFile.write(4_090, new Uint8Array(12));
    const bytes = await new IndexedDbStorage().keyFile.open('use');
    const expected = new Uint8Array(8_192).fill(7, 0, 5_000);
    expect(bytes).toEqual(expected.fill(0, 4_090, 4_102));
    await storage.close();
  });
});
