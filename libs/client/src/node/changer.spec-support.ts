/** A process that changes a vault's passphrase to and fro, saying which one it goes to, until it is killed. */
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { Vault } from '../vault/vault.js';
import { FileStorage } from './storage.js';
import { quickPassphrases as passphrases } from '../vault/quick-passphrases.spec-support.js';

const [folder = '', first = '', second = ''] = process.argv.slice(2);
await loadThemis();
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const vault = await Vault.unlock({ crypto, passphrases, storage: FileStorage.open(folder) }, first);
for (let round = 0; ; round++) {
  const [from, to] = round % 2 === 0 ? [first, second] : [second, first];
  await vault.changePassphrase(from, to);
  process.stdout.write(`${to}\n`);
}
