/** A process that imports a file into a folder, saying when it begins to write. */
import { readFileSync } from 'node:fs';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import type { StoragePort } from '../contract/ports.js';
import { importVault } from '../account/vault-import.js';
import { FileStorage } from './storage.js';
import { quickPassphrases as passphrases } from '../vault/quick-passphrases.spec-support.js';

const [folder = '', file = '', filePassphrase = '', passphrase = ''] = process.argv.slice(2);
await loadThemis();
const files = FileStorage.open(folder);
const storage: StoragePort = {
  read: (store, key) => files.read(store, key),
  list: (store) => files.list(store),
  listFrom: (store, prefix) => files.listFrom(store, prefix),
  listBetween: (...asked) => files.listBetween(...asked),
  count: (store) => files.count(store),
  write: async (changes) => {
    process.stdout.write('writing\n');
    await files.write(changes);
    process.stdout.write('written\n');
  },
  erase: () => files.erase(),
  close: () => files.close(),
};
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
await importVault({ crypto, passphrases, storage }, readFileSync(file), filePassphrase, passphrase);
setInterval(() => undefined, 60_000);
