/** A browser that is no Chromium, with a profile on disk that outlives it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesThat, type ProfileFile } from '../support/carving.js';
import { inherited } from '../support/inherited.js';
import type { Page } from './page.js';

const HEARD_AT_MOST = 4_000;

export abstract class BrowserOnDisk {
  /** the one page, after each start another */
  page!: Page;
  readonly folder: string;
  #child: ChildProcess | null = null;
  #heard = '';

  protected constructor(folder: string) {
    this.folder = folder;
  }

  protected static folder(): Promise<string> {
    return mkdtemp(join(tmpdir(), '0fc-profile-'));
  }

  /** Starts it on its profile, as it was left. */
  abstract start(): Promise<void>;

  protected spawn(command: string, args: readonly string[], environment: NodeJS.ProcessEnv): void {
    // A group of its own: it ends with all that it has started.
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited(), HOME: this.folder, LANG: 'C.UTF-8', ...environment },
    });
    this.#heard = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#heard = (this.#heard + text).slice(-HEARD_AT_MOST);
      });
    }
    this.#child = child;
  }

  /** Throws what it wrote last, once it has ended by itself. */
  protected expectRunning(): void {
    if (this.#child !== null && this.#child.exitCode !== null) throw new Error(`it ended: ${this.#heard}`);
  }

  /** With -9, all its processes at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  filesThat(have: (bytes: Buffer) => boolean): Promise<readonly ProfileFile[]> {
    return filesThat(this.folder, have);
  }
}
