/** A browser with a profile on disk, as a person has it: it is closed, started again and restores what was open. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { bytesOf, filesThat, type ProfileFile } from '../support/carving.js';
import { Devtools, type Target } from '../support/devtools.js';
import { until } from '../support/wait.js';
import { CHROMIUM, SWITCHES } from './profile.js';

export class BrowserProfile {
  readonly folder: string;
  browser!: Browser;
  #child!: ChildProcess;
  #address = '';

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(): Promise<BrowserProfile> {
    const profile = new BrowserProfile(await mkdtemp(join(tmpdir(), '0fc-profile-')));
    await profile.start();
    return profile;
  }

  async start(): Promise<void> {
    await this.#spawn();
    this.browser = await chromium.connectOverCDP(`ws://${this.#address}`);
  }

  /** Starts it as after “continue where you left off”, waits for a page whose address begins with `url`, and ends it. */
  async restore(url: string): Promise<void> {
    await this.#spawn('--restore-last-session');
    const devtools = await Devtools.open(this.#address);
    await until('the page to be restored', async () => {
      const { targetInfos } = await devtools.send<{ readonly targetInfos: readonly Target[] }>(
        'Target.getTargets',
      );
      return targetInfos.some((target) => target.type === 'page' && target.url.startsWith(url));
    });
    await this.#end(devtools);
  }

  async #spawn(...more: readonly string[]): Promise<void> {
    const port = join(this.folder, 'DevToolsActivePort');
    await rm(port, { force: true });
    this.#child = spawn(
      CHROMIUM,
      [...SWITCHES, ...more, '--headless', `--user-data-dir=${this.folder}`, '--remote-debugging-port=0'],
      { stdio: 'ignore' },
    );
    await until('the browser to say its port', async () => {
      if (this.#child.exitCode !== null)
        throw new Error(`the browser ended: ${String(this.#child.exitCode)}`);
      const lines = (await bytesOf(port)).toString().split('\n');
      this.#address = `127.0.0.1:${lines[0] ?? ''}${lines[1] ?? ''}`;
      return lines.length === 2 && lines[1] !== '';
    });
  }

  /** As by its window’s cross: what it has to write it writes. */
  async quit(): Promise<void> {
    await this.#end(await Devtools.open(this.#address));
  }

  async #end(devtools: Devtools): Promise<void> {
    const ended = once(this.#child, 'exit');
    await devtools.send('Browser.close');
    await ended;
  }

  async remove(): Promise<void> {
    if (this.#child.exitCode === null) await this.quit();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Files of the profile in which a text stands in clear, by their paths in it. */
  async filesWith(text: string): Promise<readonly string[]> {
    const spellings = (['utf8', 'utf16le', 'latin1'] as const).map((encoding) => Buffer.from(text, encoding));
    const found = await this.filesThat((bytes) => spellings.some((spelling) => bytes.includes(spelling)));
    return found.map(({ path }) => path).sort();
  }

  filesThat(have: (bytes: Buffer) => boolean): Promise<readonly ProfileFile[]> {
    return filesThat(this.folder, have);
  }

  /** As by a loss of power to the program: nothing more is written. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Heap snapshots of the page whose address begins with `url` and of its worker; garbage is collected first. */
  async heaps(url: string): Promise<ReadonlyMap<string, string>> {
    const devtools = await Devtools.open(this.#address);
    const chunks = new Map<string, string[]>();
    const sessions = new Map<string, string>();
    const attaching: Promise<unknown>[] = [];
    const follow = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
    devtools.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }, sessionId) =>
      chunks.get(sessionId)?.push(String(chunk)),
    );
    devtools.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      const { type, url: at } = targetInfo as Target;
      if (!at.startsWith(url)) return;
      sessions.set(String(sessionId), type);
      attaching.push(devtools.send('Target.setAutoAttach', follow, String(sessionId)));
    });
    await devtools.send('Target.setAutoAttach', follow);
    // Each may bring others.
    for (const attached of attaching) await attached;
    const heaps = new Map<string, string>();
    for (const [sessionId, type] of sessions) {
      chunks.set(sessionId, []);
      await devtools.send('HeapProfiler.enable', {}, sessionId);
      await devtools.send('HeapProfiler.collectGarbage', {}, sessionId);
      await devtools.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false }, sessionId);
      heaps.set(type, chunks.get(sessionId)?.join('') ?? '');
    }
    devtools.close();
    return heaps;
  }
}
