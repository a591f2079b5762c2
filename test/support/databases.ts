/**
 * All that IndexedDB holds of an origin, as plain JSON: read out of a browser, and put back into another one
 * or into fake-indexeddb. Both functions stand alone, so that a page can evaluate them.
 */

type StoredKey = string | string[];

export interface StoredDatabase {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly {
    readonly name: string;
    readonly keyPath: string | string[] | null;
    readonly autoIncrement: boolean;
    /** key, and the value's bytes in base64 */
    readonly records: readonly (readonly [key: StoredKey, value: string])[];
  }[];
}

/** Rejects where a store has an index, another kind of key, or a value that is no Uint8Array: they would be lost. */
export async function readDatabases(): Promise<readonly StoredDatabase[]> {
  const settled = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error(String(request.error)));
    });
  const base64 = (value: unknown): string => {
    if (!(value instanceof Uint8Array)) throw new Error('a value that is no Uint8Array');
    return btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(''));
  };
  const text = (key: IDBValidKey): string => {
    if (typeof key !== 'string') throw new Error('a key that is no text');
    return key;
  };
  const found: StoredDatabase[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name));
    const stores: StoredDatabase['stores'][number][] = [];
    for (const storeName of database.objectStoreNames) {
      const store = database.transaction(storeName).objectStore(storeName);
      if (store.indexNames.length > 0) throw new Error(`${storeName} has an index`);
      const { keyPath, autoIncrement } = store;
      const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
      const records = keys.map((key, at): [StoredKey, string] => [
        Array.isArray(key) ? key.map(text) : text(key),
        base64(values[at]),
      ]);
      stores.push({ name: storeName, keyPath, autoIncrement, records });
    }
    found.push({ name, version: database.version, stores });
    database.close();
  }
  return found;
}

/** Rejects where a database of the name and of a later version is there already. */
export async function writeDatabases(databases: readonly StoredDatabase[]): Promise<void> {
  for (const { name, version, stores } of databases) {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(name, version);
      request.onerror = () => reject(new Error(String(request.error)));
      request.onupgradeneeded = () => {
        for (const { name: storeName, keyPath, autoIncrement, records } of stores) {
          const store = request.result.createObjectStore(storeName, { keyPath, autoIncrement });
          for (const [key, value] of records) {
            const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
            if (keyPath === null) store.put(bytes, key);
            else store.put(bytes);
          }
        }
      };
      // After the upgrade's transaction: all of it is stored.
      request.onsuccess = () => {
        request.result.close();
        resolve();
      };
    });
  }
}
