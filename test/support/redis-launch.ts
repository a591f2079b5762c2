/** One Redis server, as a process of this machine or as a container: what test/support/redis.ts starts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ContainerRuntimeClient } from 'testcontainers';
import { until } from './wait.js';

/** What starts, ends and starts again one server. `config` is a redis.conf without `dir` and `logfile`. */
export interface Launched {
  /** null where the server runs in a container */
  readonly pid: number | null;
  /** Ends it and waits until it is gone. Nothing happens to one that is gone already. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again over its data, after {@link kill}. */
  start(): Promise<void>;
  /** The end of what it wrote, for an error's text. */
  log(): Promise<string>;
  /** Ends it and leaves nothing behind but its folder. */
  remove(): Promise<void>;
}

export interface LaunchOptions {
  readonly folder: string;
  readonly config: readonly string[];
  readonly sentinel: boolean;
  /** an RDB file to begin with; null: no data */
  readonly dump: string | null;
}

const IMAGE = 'redis:7-bookworm';
const LOG_TAIL = 2_000;
/** Redis's own name of an RDB file. */
const DUMP_FILE = 'dump.rdb';

/** The redis-server on the PATH, or null. */
export function redisServerPath(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, 'redis-server');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'ENOTDIR') throw error;
    }
  }
  return null;
}

/** Children of this process that must not outlive it, whatever ends it but SIGKILL. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class ServerProcess implements Launched {
  readonly #executable: string;
  readonly #options: LaunchOptions;
  readonly #configFile: string;
  #child: ChildProcess | null = null;

  private constructor(executable: string, options: LaunchOptions) {
    this.#executable = executable;
    this.#options = options;
    this.#configFile = join(options.folder, 'redis.conf');
  }

  static async launch(executable: string, options: LaunchOptions): Promise<ServerProcess> {
    mkdirSync(options.folder, { recursive: true });
    if (options.dump !== null) copyFileSync(options.dump, join(options.folder, DUMP_FILE));
    const server = new ServerProcess(executable, options);
    const own = [`dir ${quoted(options.folder)}`, `logfile ${quoted(join(options.folder, 'redis.log'))}`];
    // A file and not arguments: Sentinel and `CONFIG REWRITE` write to it, and a restart reads what they wrote.
    writeFileSync(server.#configFile, [...options.config, ...own, ''].join('\n'));
    await server.start();
    return server;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    const child = spawn(
      this.#executable,
      [this.#configFile, ...(this.#options.sentinel ? ['--sentinel'] : [])],
      {
        stdio: 'ignore',
      },
    );
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    await once(child, 'spawn');
    this.#child = child;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    // A stopped process takes no other signal than SIGKILL.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await gone;
  }

  async log(): Promise<string> {
    try {
      return (await readFile(join(this.#options.folder, 'redis.log'), 'utf8')).slice(-LOG_TAIL);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'it wrote nothing';
      throw error;
    }
  }

  async remove(): Promise<void> {
    await this.kill('SIGKILL');
  }
}

/** A path or a password as redis.conf reads it. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The Docker engine that answers, or null. testcontainers is loaded where it is wanted and nowhere else. */
async function engine(): Promise<ContainerRuntimeClient | null> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  try {
    return await getContainerRuntimeClient();
  } catch (error) {
    // Its only word for "no engine"; anything else is a fault.
    if (/could not find a working container runtime/i.test(String(error))) return null;
    throw error;
  }
}

export async function containersAnswer(): Promise<boolean> {
  return (await engine()) !== null;
}

/**
 * A server in a container on the machine's own network: nodes of a cluster and Sentinels tell each
 * other's addresses to clients, so that they have to be the same inside and outside (Linux only).
 */
export class ServerContainer implements Launched {
  readonly pid = null;
  readonly #engine: ContainerRuntimeClient;
  readonly #id: string;

  private constructor(client: ContainerRuntimeClient, id: string) {
    this.#engine = client;
    this.#id = id;
  }

  static async launch({ config, sentinel, dump }: LaunchOptions): Promise<ServerContainer> {
    const { GenericContainer, Wait } = await import('testcontainers');
    const client = await engine();
    if (client === null) throw new Error('no Docker engine answers');
    // Its own folder inside: the image's entry point gives /data to the user that it runs the server as.
    const content = [...config, 'dir /data', ''].join('\n');
    const file = '/data/redis.conf';
    const data = dump === null ? [] : [{ source: dump, target: `/data/${DUMP_FILE}`, mode: 0o666 }];
    const container = await new GenericContainer(IMAGE)
      .withCopyFilesToContainer(data)
      .withNetworkMode('host')
      .withCopyContentToContainer([{ content, target: file, mode: 0o666 }])
      .withCommand(['redis-server', file, ...(sentinel ? ['--sentinel'] : [])])
      .withWaitStrategy(Wait.forLogMessage(sentinel ? /\+monitor master/ : /Ready to accept connections/))
      .start();
    return new ServerContainer(client, container.getId());
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const container = this.#engine.container.getById(this.#id);
    if (!(await container.inspect()).State.Running) return;
    await container.kill({ signal });
    await until('the container to end', async () => !(await container.inspect()).State.Running);
  }

  async start(): Promise<void> {
    await this.#engine.container.getById(this.#id).start();
  }

  async log(): Promise<string> {
    const output = await this.#engine.container
      .getById(this.#id)
      .logs({ stdout: true, stderr: true, follow: false });
    return output.toString('utf8').slice(-LOG_TAIL);
  }

  async remove(): Promise<void> {
    await this.#engine.container.getById(this.#id).remove({ force: true, v: true });
  }
}
