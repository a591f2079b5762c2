/** A storage that is another one but for what a test changes of it. */
import type { StoragePort } from '../contract/ports.js';

export const storageOver = (storage: StoragePort, changed: Partial<StoragePort>): StoragePort => ({
  keyFile: storage.keyFile,
  overwrites: () => storage.overwrites(),
  read: (store, key) => storage.read(store, key),
  readEach: (places) => storage.readEach(places),
  list: (store) => storage.list(store),
  listFrom: (store, prefix) => storage.listFrom(store, prefix),
  listBetween: (...asked) => storage.listBetween(...asked),
  listAfter: (place, most) => storage.listAfter(place, most),
  count: (store) => storage.count(store),
  write: (changes) => storage.write(changes),
  erase: () => storage.erase(),
  close: () => storage.close(),
  ...changed,
});
