/** Commands of the vault: made, exported, imported, sealed anew. */
import { readFile, writeFile } from 'node:fs/promises';
import { value } from './agent.js';
import { place, type Command } from './command.js';

/** A file with every key of this member: for its owner alone, and never over another one. */
const OWN_FILE = { mode: 0o600, flag: 'wx' } as const;

export const VAULT_COMMANDS: readonly Command[] = [
  {
    name: 'init',
    help: 'makes the vault; `create`, `join` do so too where there is none',
    parameters: [],
    vault: 'closed',
    async run({ agent, secret }) {
      value(await agent.client.createVault(await secret('passphrase')));
      return null;
    },
  },
  {
    name: 'export',
    help: 'writes everything into one new sealed file (FC_FILE_PASSPHRASE)',
    parameters: [place('file', 'path of the file: must not be there yet')],
    vault: 'open',
    async run({ agent, secret }, given) {
      const file = given.needed('file');
      const sealed = value(await agent.client.exportVault(await secret('filePassphrase')));
      await writeFile(file, sealed, OWN_FILE);
      return { file, bytes: sealed.length };
    },
  },
  {
    name: 'import',
    help: 'makes the vault from an exported file, whose device must not be used again',
    parameters: [place('file', 'path of the file')],
    vault: 'closed',
    async run({ agent, secret }, given) {
      const file = await readFile(given.needed('file'));
      const passphrases = [await secret('filePassphrase'), await secret('passphrase')] as const;
      value(await agent.client.importVault(Uint8Array.from(file), ...passphrases));
      return { rooms: agent.app?.rooms.length ?? 0 };
    },
  },
  {
    name: 'passphrase',
    help: 'changes the vault’s passphrase to FC_NEW_PASSPHRASE',
    parameters: [],
    vault: 'open',
    async run({ agent, secret }) {
      const [current, next] = [await secret('passphrase'), await secret('newPassphrase')];
      value(await agent.client.changePassphrase(current, next));
      return null;
    },
  },
];
