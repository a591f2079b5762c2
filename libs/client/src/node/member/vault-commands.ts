/** Commands of the vault: made, exported, imported, sealed anew. */
import { readFile } from 'node:fs/promises';
import type { Sharing } from '../../contract/api.js';
import { value } from './agent.js';
import { place, type Command } from './command.js';
import { writeWhole } from './whole-file.js';

const SHARING = ['receipts', 'typing', 'presence'] as const;

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
    name: 'repin',
    help: 'pins the key that the relay proves, if it has this fingerprint: ask its operator by another way',
    parameters: [place('fingerprint', '16 digits and letters, with or without spaces')],
    vault: 'open',
    async run({ agent }, given) {
      return { ...value(await agent.client.repinRelay(given.needed('fingerprint'))) };
    },
  },
  {
    name: 'export',
    help: 'writes everything into one new sealed file (FC_FILE_PASSPHRASE)',
    parameters: [place('file', 'path of the file: must not be there yet')],
    vault: 'open',
    async run({ agent, secret }, given) {
      const path = given.needed('file');
      const passphrase = await secret('filePassphrase');
      let bytes = 0;
      await writeWhole(path, async (file) => {
        const failures: unknown[] = [];
        const outcome = await agent.client.exportVault(passphrase, async (piece) => {
          if (agent.interrupted) return false;
          try {
            await file.writeFile(piece);
          } catch (error) {
            failures.push(error);
          }
          bytes += piece.length;
          return failures.length === 0;
        });
        // The disk's own word, rather than that the export ended for it.
        if (failures.length > 0) throw failures[0];
        value(outcome);
      });
      return { file: path, bytes };
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
    name: 'sharing',
    help: 'says what the others are told beside lines, or changes it (`--no-presence`): of every room, from now on',
    parameters: [
      { name: 'receipts', kind: 'flag', help: 'what was read, where `--tell` says so' },
      { name: 'typing', kind: 'flag', help: 'that somebody is typing here' },
      { name: 'presence', kind: 'flag', help: 'that this member is here' },
    ],
    vault: 'made',
    async run({ agent }, given) {
      const named = SHARING.flatMap((name) => {
        const told = given.flag(name);
        return told === null ? [] : [[name, told] as const];
      });
      const changes: Partial<Sharing> = Object.fromEntries(named);
      if (named.length > 0) value(await agent.client.share(changes));
      return { sharing: { ...agent.app?.sharing, ...changes } };
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
