/** The program: a command line in, lines of JSON out, an exit code at the end. */
import { readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ClientEvent } from '../../contract/api.js';
import { nodeHash } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';
import { ERROR_CODES } from '@0fc/protocol';
import { relayKeyFromText } from '../../link/relay-address.js';
import type { createNodeClient, NodeClientOptions } from '../client.js';
import { Agent, value, type Line } from './agent.js';
import type { Command, Context, Secret } from './command.js';
import { commandNamed, commandUsage, GLOBALS, usage } from './command-table.js';
import { EXIT, exitCodeOf, failureLine, type ExitCode } from './failure.js';
import { readArguments, UsageError, type Given } from './parameters.js';
import { printed, shell } from './shell.js';
import { itemLine } from './talk-commands.js';
import type { TimelineChange } from './watched-room.js';

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
  /** how its client is opened */
  readonly open: typeof createNodeClient;
}

const SECRETS: Readonly<Record<Secret, { readonly variable: string; readonly option: string }>> = {
  passphrase: { variable: 'FC_PASSPHRASE', option: 'passphraseFile' },
  filePassphrase: { variable: 'FC_FILE_PASSPHRASE', option: 'filePassphraseFile' },
  newPassphrase: { variable: 'FC_NEW_PASSPHRASE', option: 'newPassphraseFile' },
};

async function secretOf(which: Secret, given: Given, io: Io): Promise<string> {
  const { variable, option } = SECRETS[which];
  const path = given.text(option);
  if (path !== null) {
    // The mark of byte order that some editors put before the text is none of it.
    const text = (await readFile(path, 'utf8')).replace(/^\ufeff/, '');
    return text.split(/\r?\n/, 1)[0] ?? '';
  }
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

/** `--relay-key` that is not the vault's: the user's own act, which pins it once the relay has proved it. */
async function pinGiven({ client, app }: Agent, given: Given, print: (line: Line) => void): Promise<void> {
  const key = given.text('relayKey');
  if (key === null || app?.relay.barred?.code !== ERROR_CODES.RELAY_KEY_MISMATCH) return;
  const fingerprint = await fingerprintOf(nodeHash, relayKeyFromText(key));
  print({ type: 'relay', by: 'user', ...value(await client.repinRelay(fingerprint)) });
}

/** A signed succession that was followed is told once. */
async function tellSuccession({ client, app }: Agent, print: (line: Line) => void): Promise<void> {
  const followed = app?.relay.followed ?? null;
  if (followed === null) return;
  print({ type: 'relay', by: 'succession', ...followed });
  value(await client.dismissRelayChange());
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
    const timeoutMs = given.milliseconds('timeout');
    const voice = telling(print);
    const client = await io.open(clientOptions(given));
    const agent = await Agent.over(client, timeoutMs, voice.hear);
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
      await pinGiven(agent, given, print);
      await shell(agent, { lines: input(), print, secret });
      await tellSuccession(agent, print);
    } else {
      await openVault(agent, command.vault, () => secret('passphrase'));
      await pinGiven(agent, given, print);
      const context: Context = { agent, waits: true, print, secret, input, stream };
      const result = await command.run(context, given);
      await tellSuccession(agent, print);
      print({ type: 'result', command: name, ...result });
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
