/**
 * Files of this page that the browser does not check itself: the worker's scripts and its WebAssembly. index.html names
 * their hashes (tools/support/web-integrity.mjs); what the browser has kept under their names, and is not that, is
 * loaded again before it is used (docs/decisions/0039-one-lie-does-not-last.md).
 */
import { PAGE_CODES } from './page-codes';

/** By path below the root: as in an `integrity` attribute. */
type Hashes = Readonly<Record<string, string>>;

interface Named {
  /** the Content-Security-Policy that scripts of workers come with */
  readonly policy: string;
  readonly atStart: Hashes;
  /** what the worker loads once it is wanted */
  readonly later: Hashes;
}

/** How long one file may take, in milliseconds: the largest has a megabyte, and a server that stalls has no end. */
const PATIENCE_MS = 60_000;

/** As it is kept, if it is; else past what is kept. */
const WAYS = ['default', 'reload'] as const satisfies readonly RequestCache[];

export class KeptFiles {
  readonly #named: Named | null;
  readonly #ask: typeof fetch;
  readonly #patienceMs: number;
  #later: Promise<void> | null = null;

  private constructor(named: Named | null, ask: typeof fetch, patienceMs: number) {
    this.#named = named;
    this.#patienceMs = patienceMs;
    this.#ask = ask;
  }

  /** Of a page that names none (a developer's server) none is checked. */
  static of(
    page: Document,
    ask: typeof fetch = (...request) => fetch(...request),
    patienceMs = PATIENCE_MS,
  ): KeptFiles {
    const text = page.getElementById('kept-files')?.textContent;
    return new KeptFiles(text === undefined ? null : (JSON.parse(text) as Named), ask, patienceMs);
  }

  /** Resolves once all that a worker starts with is what this page names. Rejects with CLIENT_NOT_LOADED. */
  atStart(): Promise<void> {
    return this.#all(this.#named?.atStart);
  }

  /** The same of what it loads later: asked for once, and again after a failure. */
  later(): Promise<void> {
    this.#later ??= this.#all(this.#named?.later).catch((error: unknown) => {
      this.#later = null;
      throw error;
    });
    return this.#later;
  }

  async #all(hashes: Hashes = {}): Promise<void> {
    await Promise.all(Object.entries(hashes).map(([path, integrity]) => this.#check(path, integrity)));
  }

  async #check(path: string, integrity: string): Promise<void> {
    for (const cache of WAYS) {
      try {
        const signal = AbortSignal.timeout(this.#patienceMs);
        const response = await this.#ask(`/${path}`, { cache, integrity, redirect: 'error', signal });
        if (response.ok && this.#comesWithPolicy(path, response)) return;
      } catch (error) {
        // Another content, a redirect, or no connection: what is asked for next is not what was kept.
        if (isTimeout(error)) break;
        if (!(error instanceof TypeError)) throw error;
      }
    }
    throw new Error(PAGE_CODES.CLIENT_NOT_LOADED);
  }

  /** A host may add policies of its own: each that comes holds. WebAssembly has none. */
  #comesWithPolicy(path: string, { headers }: Response): boolean {
    if (!path.endsWith('.js')) return true;
    const policies = headers.get('content-security-policy')?.split(',') ?? [];
    return policies.some((policy) => policy.trim() === this.#named?.policy);
  }
}

/** A server that stalls would stall once more. */
const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError';

/** `api`, of which the commands of these names wait for `ready`, and reject with it. */
export function after<T extends object>(api: T, names: readonly (keyof T)[], ready: () => Promise<void>): T {
  return new Proxy(api, {
    get(target, name, receiver) {
      const command: unknown = Reflect.get(target, name, receiver);
      if (typeof command !== 'function' || !names.includes(name as keyof T)) return command;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        await ready();
        return Reflect.apply(command, target, args);
      };
    },
  });
}
