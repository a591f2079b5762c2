/** All commands, by name, and the help that lists them. */
import type { Command } from './command.js';
import { dashed, UsageError, type Parameter } from './parameters.js';
import { PEOPLE_COMMANDS } from './people-commands.js';
import { ROOM_COMMANDS } from './room-commands.js';
import { TALK_COMMANDS } from './talk-commands.js';
import { VAULT_COMMANDS } from './vault-commands.js';

export const COMMANDS: readonly Command[] = [
  ...ROOM_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...TALK_COMMANDS,
  ...VAULT_COMMANDS,
];

/** Throws {@link UsageError}. */
export function commandNamed(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found === undefined) throw new UsageError(`there is no command ${name}: help lists them`);
  return found;
}

/** How the program is meant where a command line names them. */
export const GLOBALS: readonly Parameter[] = [
  { name: 'vault', kind: 'text', help: 'folder of the vault; ./0fc-member unless said' },
  { name: 'relay', kind: 'text', help: 'URL of the relay; http://localhost:5103 unless said' },
  { name: 'relayKey', kind: 'text', help: 'the relay’s public key to pin, base64url' },
  { name: 'passphraseFile', kind: 'text', help: 'file whose first line is the vault’s passphrase' },
  { name: 'filePassphraseFile', kind: 'text', help: 'the same for the file of export and import' },
  { name: 'newPassphraseFile', kind: 'text', help: 'the same for the next passphrase' },
  { name: 'timeout', kind: 'number', help: 'seconds to wait for the relay; 60, for people without end' },
];

const optionOf = ({ name, kind }: Parameter): string =>
  kind === 'flag' ? `--${dashed(name)}` : `--${dashed(name)} ${kind.toUpperCase()}`;

/** How one parameter is written: `<name>`, `[text]`, `[--limit NUMBER]`. */
function usageOf(parameter: Parameter): string {
  const bare = parameter.positional === true ? `<${parameter.name}>` : optionOf(parameter);
  return parameter.required === true ? bare : `[${bare}]`;
}

export const commandUsage = ({ name, parameters, help }: Command): string =>
  `  ${[name, ...parameters.map(usageOf)].join(' ')}\n      ${help}\n`;

export function usage(): string {
  const options = GLOBALS.map((parameter) => `  ${optionOf(parameter).padEnd(30)} ${parameter.help}\n`);
  return [
    'A member without a screen: npm run -s member -- COMMAND [OPTIONS]\n\n',
    'Passphrases come from FC_PASSPHRASE, FC_FILE_PASSPHRASE, FC_NEW_PASSPHRASE or from files, never\n',
    'from arguments. Output is one JSON object a line. Exit codes: 0 done, 1 refused, 2 misuse,\n',
    '3 the vault or file cannot be opened, 4 the relay cannot be reached in time.\n\n',
    'Commands:\n',
    ...COMMANDS.map(commandUsage),
    '  shell\n      commands as lines of JSON on the standard input; results and events on the output\n',
    '\nOptions of every command:\n',
    ...options,
  ].join('');
}
