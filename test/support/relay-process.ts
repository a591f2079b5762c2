/** A real relay, as `npm start` runs it: its own process, an embedded store, a free port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inherited } from './inherited.js';
import { until } from './wait.js';

/** The relay as it was built from these sources. */
export const BUILT_RELAY = resolve(import.meta.dirname, '../../apps/relay/dist/main.js');

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class RelayProcess {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  /** what the next start runs */
  program: string;
  /** everything the relay wrote to its output, over all its starts */
  log = '';
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;

  private constructor(port: number, folder: string, environment: NodeJS.ProcessEnv, program: string) {
    this.port = port;
    this.url = `http://localhost:${String(port)}`;
    this.folder = folder;
    this.#environment = environment;
    this.program = program;
  }

  static async start(environment: NodeJS.ProcessEnv = {}, program = BUILT_RELAY): Promise<RelayProcess> {
    const folder = await mkdtemp(join(tmpdir(), '0fc-relay-'));
    const relay = new RelayProcess(await freePort(), folder, environment, program);
    await relay.start();
    return relay;
  }

  async start(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    const child = spawn(process.execPath, [this.program], {
      env: {
        ...inherited(),
        PORT: String(this.port),
        DATA_DIR: this.folder,
        LOG_LEVEL: 'info',
        ...this.#environment,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    await until('the relay to be ready', async () => {
      if (child.exitCode !== null) throw new Error(`the relay ended: ${this.log.slice(-2_000)}`);
      return this.#isReady();
    });
  }

  /** Waits until its readiness is green, as a load balancer does before it sends anybody there again. */
  async ready(): Promise<void> {
    await until('the relay to be ready again', () => this.#isReady());
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health/ready`)).ok;
    } catch (error) {
      // By name: Jest runs this in a realm of its own, with its own TypeError.
      if ((error as Error).name === 'TypeError') return false; // nothing listens yet
      throw error;
    }
  }

  /** false: nobody has started it, or it has ended by whatever hand */
  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the relay does not run');
    return pid;
  }

  /** Ends it by a signal and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
