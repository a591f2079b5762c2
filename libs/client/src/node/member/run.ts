/** The program: a command line in, lines of JSON out, an exit code at the end. */
import { readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ClientEvent } from '../../contract/api.js';
import { createNodeClient, type NodeClientOptions } from '../client.js';
import { Agent, value, type Line, type TimelineChange } from './agent.js';
import type { Command, Context, Secret } from './command.js';
import { commandNamed, commandUsage, GLOBALS, usage } from './commands.js';
import { EXIT, exitCodeOf, failureLine, type ExitCode } from './failure.js';
import { readArguments, UsageError, type Given } from './parameters.js';
import { printed } from './print.js';
import { shell } from './shell.js';
import { itemLine } from './talk-commands.js';

const FOLDER = './0fc-member';
const RELAY = 'http://localhost:5103';

export interface Io {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** one line of output */
  out(line: string): void;
  /** text for people */
  help(text: string): void;
  /** told once, when the user asks the program to end */
  interrupted(end: () => void): void;
}

const SECRETS: Readonly<Record<Secret, { readonly variable: string; readonly option: string }>> = {
  passphrase: { variable: 'FC_PASSPHRASE', option: 'passphraseFile' },
  filePassphrase: { variable: 'FC_FILE_PASSPHRASE', option: 'filePassphraseFile' },
  newPassphrase: { variable: 'FC_NEW_PASSPHRASE', option: 'newPassphraseFile' },
};

async function secretOf(which: Secret, given: Given, io: Io): Promise<string> {
  const { variable, option } = SECRETS[which];
  const path = given.text(option);
  if (path !== null) return (await readFile(path, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  const said = io.environment[variable];
  if (said === undefined || said === '')
    throw new UsageError(`the passphrase is missing: ${variable} or a file`);
  return said;
}

/** Events as lines; `on`: whether they are said at all. */
function telling(print: (line: Line) => void) {
  const last = new Map<string, string>();
  const changed = (line: Line, key: string): void => {
    const text = JSON.stringify(line);
    if (last.get(key) === text) return;
    last.set(key, text);
    print(line);
  };
  const voice = {
    on: false,
    hear: (event: ClientEvent, lines: TimelineChange | null): void => {
      if (!voice.on) return;
      if (event.type === 'app') changed({ type: 'app', ...event.app }, 'app');
      else if (event.type === 'room') changed({ type: 'room', ...event.room }, 'room');
      else if (lines !== null) {
        if (lines.begins) print({ type: 'timeline', roomId: event.roomId });
        for (const item of lines.items) print(itemLine(event.roomId, item));
        for (const id of lines.removed) print({ type: 'removed', roomId: event.roomId, id });
      }
    },
  };
  return voice;
}

function clientOptions(given: Given): NodeClientOptions {
  const relayPublicKey = given.text('relayKey');
  return {
    folder: given.text('vault') ?? FOLDER,
    relayUrl: given.text('relay') ?? RELAY,
    ...(relayPublicKey === null ? {} : { relayPublicKey }),
  };
}

async function openVault(
  agent: Agent,
  needs: Command['vault'],
  secret: () => Promise<string>,
): Promise<void> {
  if (needs === 'closed') return;
  const absent = agent.app?.vault === 'absent';
  if (absent && needs === 'made') value(await agent.client.createVault(await secret()));
  else value(await agent.client.unlock(await secret()));
}

/** The shell's own command: an open vault where there is one; `init` and `import` make one. */
const SHELL: Command = {
  name: 'shell',
  help: 'commands as lines of JSON',
  parameters: [],
  vault: 'open',
  run: () => Promise.resolve(null),
};

/** Runs one command line to its end. Never rejects for what a user or a relay does. */
export async function runMember(args: readonly string[], io: Io): Promise<ExitCode> {
  const [name = 'help', ...rest] = args;
  if (name === 'help' || name === '--help' || name === '-h') {
    io.help(usage());
    return args.length === 0 ? EXIT.misuse : EXIT.done;
  }
  const print = (line: Line): void => {
    io.out(printed(line));
  };
  let command: Command | null = null;
  const ending = new Ending(io);
  try {
    command = name === SHELL.name ? SHELL : commandNamed(name);
    const given = readArguments([...command.parameters, ...GLOBALS], rest);
    const seconds = given.number('timeout');
    const voice = telling(print);
    const client = await createNodeClient(clientOptions(given));
    const agent = await Agent.over(client, seconds === null ? null : seconds * 1_000, voice.hear);
    ending.agent = agent;
    if (ending.asked) agent.interrupt();
    const secret = (which: Secret): Promise<string> => secretOf(which, given, io);
    const input = (): AsyncIterable<string> => ending.lines();
    const stream = (): void => {
      voice.on = true;
    };
    if (command === SHELL) {
      stream();
      if (agent.app !== null) voice.hear({ type: 'app', app: agent.app }, null);
      if (agent.app?.vault !== 'absent') await openVault(agent, 'open', () => secret('passphrase'));
      await shell(agent, { lines: input(), print, secret });
    } else {
      await openVault(agent, command.vault, () => secret('passphrase'));
      const context: Context = { agent, waits: true, print, secret, input, stream };
      print({ type: 'result', command: name, ...(await command.run(context, given)) });
    }
    return EXIT.done;
  } catch (error) {
    const line = failureLine(error);
    // What was under way has been told to stop: that is no failure, but of what is of use only as a whole.
    if (ending.asked && line.code !== 'EXPORT_CANCELLED') return EXIT.done;
    print({ ...line, command: name });
    if (error instanceof UsageError) io.help(command === null ? usage() : commandUsage(command));
    return exitCodeOf(line.code);
  } finally {
    await ending.agent?.end();
  }
}

/** What has to stop when the user asks for it. */
class Ending {
  asked = false;
  agent: Agent | null = null;
  readonly #stdin: Readable;
  #reader: Interface | null = null;

  constructor(io: Io) {
    this.#stdin = io.stdin;
    io.interrupted(() => {
      this.asked = true;
      this.#reader?.close();
      this.agent?.interrupt();
    });
  }

  lines(): AsyncIterable<string> {
    this.#reader = createInterface({ input: this.#stdin, crlfDelay: Infinity });
    if (this.asked) this.#reader.close();
    return this.#reader;
  }
}
