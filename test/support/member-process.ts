/** A member in a process of its own, driven by the lines of its shell (docs/member.md): it can be killed. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { AppView, RoomView, TimelineItem, TimelineMessage } from '@0fc/client/api';
import type { History, Shown } from './checker.js';
import { isSent } from './sent.js';
import { inherited } from './inherited.js';
import { until } from './wait.js';

const ROOT = resolve(import.meta.dirname, '../..');
const HOOKS = pathToFileURL(join(ROOT, 'tools/typescript-hooks.mjs')).href;
/** The program of `npm run member`. */
export const MAIN = join(ROOT, 'libs/client/src/node/member/main.ts');
const SHELL = join(import.meta.dirname, 'member-shell.ts');
/** As {@link MAIN}, but that its vault opens at once: that opens no vault of the other's. */
export const QUICK = join(import.meta.dirname, 'member-quick.ts');

/** Node's arguments to run a program: a TypeScript file of the repository from the sources, any other as it is. */
const argumentsOf = (program: string): readonly string[] => [
  '--no-warnings',
  ...(program.endsWith('.ts') ? ['--conditions=@0fc/source', '--import', HOOKS] : []),
  program,
];

type Answer = Readonly<Record<string, unknown>>;

export interface Spoken {
  readonly code: number | null;
  readonly lines: readonly Answer[];
  /** its standard output as it is */
  readonly output: string;
  readonly help: string;
}

/** A command line that runs: its output so far, and its end. */
export interface Speaking {
  readonly lines: readonly Answer[];
  /** Ctrl-C */
  interrupt(): void;
  readonly end: Promise<Spoken>;
}

/** Starts one command line. `input`: its standard input; null: there is none, as under a scheduler. */
export function memberSpeaks(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: string | null = '',
  program = MAIN,
): Speaking {
  const child = spawn(process.execPath, [...argumentsOf(program), ...args], {
    env: { ...inherited(), ...environment },
    stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const lines: Answer[] = [];
  let help = '';
  if (child.stdout === null || child.stderr === null) throw new Error('no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Answer);
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (help += text));
  // A program that has ended by itself reads no more.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const end = once(child, 'close').then(([code]) => ({ code: code as number | null, lines, output, help }));
  return { lines, interrupt: () => child.kill('SIGINT'), end };
}

/** One command line to its end. */
export const memberCommand = (
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: string | null = '',
  program = MAIN,
): Promise<Spoken> => memberSpeaks(args, environment, input, program).end;

/** A command that was refused, with the client's code. */
export class RefusedError extends Error {
  readonly code: string;

  constructor(command: string, line: Readonly<Record<string, unknown>>) {
    super(`${command}: ${JSON.stringify(line)}`);
    this.code = String(line.code);
  }
}

export interface MemberOptions {
  /** by default the member that tests drive */
  readonly program?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Those that have not been removed, for telling how all of them stand. */
const alive = new Set<MemberProcess>();

export class MemberProcess {
  readonly name: string;
  /** of the vault; another one after {@link moveTo} */
  folder: string;
  /** what the next start runs */
  program: string;
  app: AppView | null = null;
  room: RoomView | null = null;
  /** the room that is watched again after a start */
  roomId: string | null = null;
  /** what the last process wrote to its standard error */
  errors = '';
  readonly #relayUrl: string;
  readonly #environment: NodeJS.ProcessEnv | undefined;
  readonly #items = new Map<string, TimelineItem>();
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #child: ChildProcessWithoutNullStreams | null = null;
  #nextId = 1;
  #gone: Promise<unknown> = Promise.resolve();

  private constructor(name: string, relayUrl: string, folder: string, options: MemberOptions) {
    this.name = name;
    this.#relayUrl = relayUrl;
    this.folder = folder;
    this.program = options.program ?? SHELL;
    this.#environment = options.environment;
  }

  /** A member with a new vault. */
  static async create(name: string, relayUrl: string, options: MemberOptions = {}): Promise<MemberProcess> {
    const member = new MemberProcess(name, relayUrl, await mkdtemp(join(tmpdir(), '0fc-member-')), options);
    alive.add(member);
    await member.start();
    await member.ask('init');
    return member;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Resolves once the process has reported the state of its vault. `environment`: for this start alone. */
  async start(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    this.app = null;
    this.room = null;
    this.errors = '';
    this.#items.clear();
    const args = ['shell', '--vault', this.folder, '--relay', this.#relayUrl];
    const child = spawn(process.execPath, [...argumentsOf(this.program), ...args], {
      env: {
        ...inherited(),
        FC_PASSPHRASE: `a long enough passphrase of ${this.name}`,
        FC_FILE_PASSPHRASE: `a file’s passphrase of ${this.name}`,
        ...this.#environment,
        ...environment,
      },
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    // The end of a process that was killed is not this one's failure to write to it.
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#hear(JSON.parse(line) as Answer);
    });
    this.#gone = once(child, 'close').then(() => {
      if (this.#child === child) this.#child = null;
      for (const [id, settle] of this.#pending) {
        this.#pending.delete(id);
        settle({ type: 'error', code: 'GONE' });
      }
    });
    await until(`${this.name} to be there`, () => {
      if (this.#child !== child) throw new Error(`${this.name} ended: ${this.errors}`);
      return this.app !== null && (this.app.vault === 'absent' || this.app.vault === 'open');
    });
    if (this.roomId !== null && this.#rooms().some(({ roomId }) => roomId === this.roomId)) {
      await this.watch(this.roomId);
    }
  }

  #rooms(): AppView['rooms'] {
    return this.app?.rooms ?? [];
  }

  #hear(line: Answer): void {
    if (line.type === 'result' || line.type === 'error') {
      const settle = this.#pending.get(line.id as number);
      this.#pending.delete(line.id as number);
      settle?.(line);
    } else if (line.type === 'app') this.app = line as unknown as AppView;
    else if (line.type === 'room') this.room = line as unknown as RoomView;
    else if (line.type === 'timeline') this.#items.clear();
    else if (line.type === 'removed') this.#items.delete(String(line.id));
    else this.#items.set(String(line.id), line as unknown as TimelineItem);
  }

  /** Runs a command to its end. Rejects with {@link RefusedError}; code GONE: the process has ended. */
  async ask(command: string, parameters: Answer = {}): Promise<Answer> {
    const child = this.#child;
    if (child === null) throw new RefusedError(command, { code: 'GONE' });
    const id = this.#nextId++;
    const answer = new Promise<Answer>((settle) => this.#pending.set(id, settle));
    child.stdin.write(`${JSON.stringify({ id, command, ...parameters })}\n`);
    const line = await answer;
    if (line.type === 'error') throw new RefusedError(command, line);
    return line;
  }

  async watch(roomId: string): Promise<void> {
    this.roomId = roomId;
    await this.ask('watch', { room: roomId });
  }

  async createRoom(name: string, rotateEvery = 100): Promise<string> {
    const { roomId } = await this.ask('create', { name, as: this.name, rotateEvery });
    await this.watch(String(roomId));
    await this.live();
    return String(roomId);
  }

  async invite(): Promise<string> {
    return String((await this.ask('invite')).link);
  }

  /** Joins and waits until the room is there and read to its end. */
  async join(link: string): Promise<void> {
    const { roomId } = await this.ask('join', { link, as: this.name });
    await this.admitted(String(roomId));
  }

  async admitted(roomId: string): Promise<void> {
    await this.sees('its admission', () => {
      const failure = this.app?.joins.find((join) => join.roomId === roomId)?.failure;
      if (failure !== null && failure !== undefined) throw new Error(`the join failed: ${failure.code}`);
      return this.app?.rooms.some((room) => room.roomId === roomId && room.stage !== 'joining') === true;
    });
    await this.watch(roomId);
    await this.live();
  }

  /** Connected, and the log read to its end. */
  async live(): Promise<void> {
    await this.sees(
      'the end of the log',
      () => this.room?.connection === 'connected' && !this.room.catchingUp,
    );
  }

  /** Waits for output of this member; ends early where its process has ended. */
  async sees(what: string, probe: () => boolean): Promise<void> {
    await until(
      () => [`${this.name} to see ${what}`, ...[...alive].map((member) => member.describe())].join('\n'),
      () => {
        if (this.#child === null)
          throw new Error(`${this.name} ended while waiting for ${what}: ${this.errors}`);
        return probe();
      },
      90_000,
    );
  }

  /** Its state, for a test that has waited in vain. */
  describe(): string {
    const { room } = this;
    if (room === null) return `${this.name} has no room; ${JSON.stringify(this.app)}`;
    const { stage, owner, connection, stopped, catchingUp, key, paused, members } = room;
    const last = this.items
      .slice(-8)
      .map((item) => (item.type === 'message' ? item.text : JSON.stringify(item)));
    return JSON.stringify({
      name: this.name, running: this.running, stage, owner, connection, stopped, catchingUp, key, paused, members: members.map(({ name, leaving, removing }) => ({ name, leaving, removing })), last,
    }); // prettier-ignore
  }

  /** Stores a message in the outbox; its id. */
  async say(text: string): Promise<string> {
    return String((await this.ask('send', { text })).messageId);
  }

  async has(...texts: readonly string[]): Promise<void> {
    await this.sees(texts.join(', '), () => {
      const here = new Set(this.messages.filter(isSent).map(({ text }) => text));
      return texts.every((text) => here.has(text));
    });
  }

  get items(): readonly TimelineItem[] {
    return [...this.#items.values()].sort((a, b) => a.order - b.order);
  }

  get messages(): readonly TimelineMessage[] {
    return this.items.filter((item) => item.type === 'message');
  }

  get alarms(): readonly string[] {
    return this.items.flatMap((item) => (item.type === 'alarm' ? [item.code] : []));
  }

  get epoch(): number {
    return this.room?.key?.epoch ?? 0;
  }

  /** Somebody of this name is on the roster as read here. */
  named(name: string): boolean {
    return this.room?.members.some((member) => member.name === name) === true;
  }

  /** Somebody is on the roster as read here. */
  knows(memberId: string | undefined): boolean {
    return this.room?.members.some((member) => member.memberId === memberId) === true;
  }

  /** Id of a member by its name. */
  idOf(name: string): string {
    const found = this.room?.members.find((member) => member.name === name);
    if (found === undefined) throw new Error(`${this.name} knows no ${name}`);
    return found.memberId;
  }

  /** Everything that the vault has of the room, for the checker. */
  async history(): Promise<History> {
    const { rows = [] } = await this.ask('history', { limit: 1_000_000 });
    const items = rows as readonly TimelineItem[];
    return {
      member: this.name,
      shown: items.flatMap(shownOf),
      alarms: items.flatMap((item) => (item.type === 'alarm' ? [item.code] : [])),
    };
  }

  /** kill -9, and wait until it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#gone;
  }

  /** Ends the shell: the client closes as it should. */
  async stop(): Promise<void> {
    this.#child?.stdin.end();
    await this.#gone;
  }

  /** kill -9, and back again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Exports the vault, ends for good, and goes on from the file in another folder: another device. */
  async moveTo(file: string): Promise<void> {
    await this.ask('export', { file });
    await this.continueFrom(file);
  }

  /** Ends for good and goes on from an export. */
  async continueFrom(file: string): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
    this.folder = await mkdtemp(join(tmpdir(), '0fc-member-'));
    await this.start();
    await this.ask('import', { file });
    if (this.roomId !== null) await this.watch(this.roomId);
  }

  async remove(): Promise<void> {
    alive.delete(this);
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What the checker judges, of what a member shows. */
export function shownOf(item: TimelineItem): readonly Shown[] {
  if (item.type === 'message') {
    if (!isSent(item)) return [];
    return [{ type: 'message', id: item.id, sender: item.senderName, text: item.text }];
  }
  if (item.type === 'alarm') return [];
  switch (item.event) {
    case 'created':
      return [{ type: 'created' }];
    case 'rotated':
      return [{ type: 'rotated', epoch: Number(item.params.epoch) }];
    case 'admitted':
    case 'removed':
    case 'leaving':
    case 'left':
      return [{ type: item.event, member: String(item.params.member) }];
    default:
      return [];
  }
}
