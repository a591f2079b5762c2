/** docker-compose.yml as an operator runs it, by Compose v2 or Debian's docker-compose 1.29, on free ports. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePort } from '../support/relay-process.js';
import { until } from '../support/wait.js';

const ROOT = resolve(import.meta.dirname, '../..');
const LOG = join(ROOT, 'test-results', 'compose.log');

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A command to its end, its output kept. */
async function run(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...environment } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** Rejects with the command's output where it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, output } = await run('docker', args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${String(code)}: ${output}`);
  return output.trim();
}

/** The words that start Compose here. */
async function composeCommand(): Promise<readonly [string, ...string[]]> {
  const { code } = await run('docker', ['compose', 'version']);
  return code === 0 ? ['docker', 'compose'] : ['docker-compose'];
}

export class Stack {
  readonly url: string;
  readonly project: string;
  readonly #command: readonly [string, ...string[]];
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(command: readonly [string, ...string[]], http: number, https: number) {
    this.#command = command;
    // `localhost`, because a browser's cryptography wants a secure origin.
    this.url = `http://localhost:${http}`;
    this.project = `0fc-test-${process.pid}`;
    this.#environment = {
      HTTP_LISTEN: `127.0.0.1:${http}`,
      HTTPS_LISTEN: `127.0.0.1:${https}`,
      DOMAIN: '',
    };
  }

  static async create(): Promise<Stack> {
    return new Stack(await composeCommand(), await freePort(), await freePort());
  }

  async compose(...args: string[]): Promise<string> {
    const [command, ...first] = this.#command;
    const { code, output } = await run(
      command,
      [...first, '--project-name', this.project, ...args],
      this.#environment,
    );
    if (code !== 0) throw new Error(`compose ${args.join(' ')} ended with ${String(code)}: ${output}`);
    return output.trim();
  }

  /** Builds if need be and starts, until the proxy leads to a relay. */
  async up(relays: number): Promise<void> {
    await this.compose('up', '-d', '--build', '--scale', `relay=${relays}`);
    await this.ready();
  }

  async ready(): Promise<void> {
    await until(
      'the proxy to lead to a relay',
      async () => {
        try {
          return (await fetch(`${this.url}/health/ready`)).ok;
        } catch (error) {
          // By name: Jest runs this in a realm of its own.
          if ((error as Error).name === 'TypeError') return false;
          throw error;
        }
      },
      180_000,
    );
  }

  /** Ids of a service's running containers. */
  async containers(service: string): Promise<string[]> {
    const label = (name: string, value: string) => ['--filter', `label=com.docker.compose.${name}=${value}`];
    const ids = await docker('ps', '-q', ...label('project', this.project), ...label('service', service));
    return ids.split('\n').filter((id) => id !== '');
  }

  async publicKey(): Promise<string> {
    const config = (await (await fetch(`${this.url}/config.json`)).json()) as { relayPublicKey: string };
    return config.relayPublicKey;
  }

  /** Leaves nothing behind but the logs, in test-results/compose.log. */
  async remove(): Promise<void> {
    await mkdir(join(LOG, '..'), { recursive: true });
    await writeFile(LOG, await this.compose('logs', '--no-color'));
    await this.compose('down', '--volumes', '--timeout', '10');
  }
}
