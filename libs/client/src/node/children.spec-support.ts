/** Runs a file of this folder in a process of its own, from its TypeScript source, to be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Node strips types by itself; that a `.js` specifier means a `.ts` file it must be told. */
const HOOK = `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) =>
  next(name.startsWith('.') && context.parentURL?.endsWith('.ts') ? name.replace(/\\.js$/, '.ts') : name, context) });`;

const running = new Set<Child>();

/** For afterEach: a test that failed must not leave its processes behind. */
export const killAll = async (): Promise<void> => {
  await Promise.all([...running].map((child) => child.kill()));
};

export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, ...parameters: readonly string[]) {
    const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#process = spawn(
      process.execPath,
      ['--no-warnings', '--conditions=@0fc/source', '--import', hook, path, ...parameters],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (this.#process.stdout === null) throw new Error('no output');
    running.add(this);
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  /** The next line that it prints; null at its end. */
  async line(): Promise<string | null> {
    const next = await this.#lines.next();
    return next.done === true ? null : next.value;
  }

  /** kill -9, and wait until it is gone. */
  async kill(): Promise<void> {
    running.delete(this);
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }
}
