/**
 * The page's worker, which holds the client, over the DevTools protocol: what it has in memory, and when it had
 * derived the passphrase's key. The session of a page reaches its workers by passing texts on.
 */
import type { CDPSession, Page } from 'playwright-core';

/** Of V8: what scripts hold, and the buffers that belong to it. In bytes. */
interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize: number;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Milliseconds of a worker's thread. */
export interface Spent {
  /** in WebAssembly: Themis, once the passphrase's key is derived */
  readonly wasm: number;
  /** in scripts, with the browser's own work for them and the collection of garbage */
  readonly script: number;
  /** waiting for the relay, the database or the page */
  readonly idle: number;
}

/** Of the DevTools protocol; times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Runs in the worker: notes when it first asks IndexedDB for what is not one of the vault's own two records. */
const NOTE_DERIVED = `(() => {
  const note = (query) => {
    const store = Array.isArray(query) ? query[0] : query.lower[0];
    if (store !== 'vault') globalThis.benchDerivedAt ??= performance.timeOrigin + performance.now();
  };
  for (const name of ['get', 'getAll', 'getAllKeys']) {
    const asked = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (query, ...more) {
      note(query);
      return asked.call(this, query, ...more);
    };
  }
})()`;

export class WorkerTarget {
  readonly #page: CDPSession;
  readonly #session: string;
  #lastId = 0;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  private constructor(page: CDPSession, session: string) {
    this.#page = page;
    this.#session = session;
    page.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      if (sessionId !== session) return;
      const answer = JSON.parse(message) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** The one worker of a page, as soon as it is there. */
  static async of(page: Page): Promise<WorkerTarget> {
    const session = await page.context().newCDPSession(page);
    const attached = new Promise<string>((resolve) => {
      session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
        if (targetInfo.type === 'worker') resolve(sessionId);
      });
    });
    await session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    const target = new WorkerTarget(session, await attached);
    await target.#evaluate(NOTE_DERIVED);
    return target;
  }

  /** Unix milliseconds at which the key was derived. */
  async derivedAt(): Promise<number> {
    const at = await this.#evaluate('globalThis.benchDerivedAt');
    if (typeof at !== 'number') throw new Error('nothing of the vault was read');
    return at;
  }

  /** What the worker's thread spends `work` with. */
  async profiled<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly spent: Spent }> {
    await this.#send('Profiler.enable');
    await this.#send('Profiler.start');
    const value = await work();
    const { profile } = (await this.#send('Profiler.stop')) as { readonly profile: CpuProfile };
    return { value, spent: spentIn(profile) };
  }

  /** Bytes that the worker holds once nobody uses the rest. */
  async held(): Promise<number> {
    await this.#send('HeapProfiler.collectGarbage');
    return sizeOf((await this.#send('Runtime.getHeapUsage')) as HeapUsage);
  }

  /** Bytes that the page itself holds, of scripts alone. */
  async pageHeld(): Promise<number> {
    await this.#page.send('HeapProfiler.collectGarbage');
    return sizeOf(await this.#page.send('Runtime.getHeapUsage'));
  }

  async #evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.#send('Runtime.evaluate', {
      expression,
      returnByValue: true,
    })) as {
      readonly result: { readonly value?: unknown };
      readonly exceptionDetails?: { readonly text: string };
    };
    if (exceptionDetails !== undefined) throw new Error(`in the worker: ${exceptionDetails.text}`);
    return result.value;
  }

  async #send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.#page.send('Target.sendMessageToTarget', { sessionId: this.#session, message });
    const { result, error } = await answered;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }
}

const sizeOf = ({ usedSize, backingStorageSize }: HeapUsage): number => usedSize + backingStorageSize;

function spentIn({ nodes, samples, timeDeltas }: CpuProfile): Spent {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = { wasm: 0, script: 0, idle: 0 };
  for (const [at, id] of samples.entries()) {
    const { functionName = '', url = '' } = frames.get(id) ?? {};
    const wasm = /^wasm-function|^js-to-wasm/.test(functionName) || /^wasm:|\.wasm$/.test(url);
    const kind = functionName === '(idle)' ? 'idle' : wasm ? 'wasm' : 'script';
    // A delta is the time before its sample: a sample lasts until the next one.
    spent[kind] += (timeDeltas[at + 1] ?? 0) / 1_000;
  }
  return spent;
}
