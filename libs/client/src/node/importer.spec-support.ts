/** A process that imports a file into a folder, saying when it begins to write. */
import { readFileSync } from 'node:fs';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { storageOver } from '../vault/storage-over.spec-support.js';
import { importVault } from '../account/vault-import.js';
import { FileStorage } from './storage.js';
import { quickPassphrases as passphrases } from '../vault/quick-passphrases.spec-support.js';

const [folder = '', file = '', filePassphrase = '', passphrase = ''] = process.argv.slice(2);
await loadThemis();
const files = FileStorage.open(folder);
const storage = storageOver(files, {
  write: async (changes) => {
    process.stdout.write('writing\n');
    await files.write(changes);
    process.stdout.write('written\n');
  },
});
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
await importVault({ crypto, passphrases, storage }, readFileSync(file), filePassphrase, passphrase);
setInterval(() => undefined, 60_000);
