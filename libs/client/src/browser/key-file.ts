/**
 * The key file of a vault in a browser (vault/key-table.ts): a file of the origin's private file system, which a worker
 * overwrites in place. Where a browser has none, as Firefox in private windows, its bytes lie in the vault's own database in
 * pages; what is overwritten there may be left in the database's files for a time.
 */
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import { KEY_PAGES, type KeyFile, type StoragePort } from '../contract/ports.js';

const NAME = 'vault.keys';
const PAGE_BYTES = 4_096;
/** A worker that was ended gives its file up a moment after its lock. */
const BUSY_MS = 5_000;
const AGAIN_MS = 50;

/** What TypeScript's types of a page leave out, as it is for workers alone. */
interface SyncAccessHandle {
  getSize(): number;
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}
type FileHandle = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncAccessHandle> };

const nameOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'name' in error ? error.name : null;

const failed = (cause: unknown): ClientError => {
  if (cause instanceof ClientError) return cause;
  const full = nameOf(cause) === 'QuotaExceededError';
  return new ClientError(full ? ERROR_CODES.VAULT_FULL : ERROR_CODES.VAULT_UNAVAILABLE, {}, { cause });
};

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw failed(error);
  }
}

export class BrowserKeyFile implements KeyFile {
  readonly #storage: StoragePort;
  #opened: KeyFile | null = null;

  constructor(storage: StoragePort) {
    this.#storage = storage;
  }

  /** Whether this vault's file is, or a new one's would be. */
  async inPlace(): Promise<boolean> {
    // Nobody asks for room yet: a full disk keeps nobody from the page.
    const found = await privateFile().catch(() => 'failed' as const);
    return typeof found === 'object' && (await this.#storage.count(KEY_PAGES)) === 0;
  }

  async open(purpose: 'make' | 'use'): Promise<Bytes> {
    this.#opened ??= await this.#find(purpose);
    return this.#opened.open(purpose);
  }

  async #find(purpose: 'make' | 'use'): Promise<KeyFile> {
    const paged = new PagedKeyFile(this.#storage);
    if ((await this.#storage.count(KEY_PAGES)) > 0) return paged;
    const found = await privateFile();
    if (typeof found === 'object') return new PrivateKeyFile(found);
    // A file that is out of reach for a moment is not taken for one that was never there.
    if (found === 'failed' && purpose === 'use') throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
    return paged;
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    await this.#file().write(at, bytes);
  }

  async flush(): Promise<void> {
    await this.#file().flush();
  }

  async close(): Promise<void> {
    const file = this.#opened;
    this.#opened = null;
    await file?.close();
  }

  #file(): KeyFile {
    if (this.#opened === null) throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
    return this.#opened;
  }
}

/** What a browser throws that has no such files, or none in this kind of window. */
const NEVER: ReadonlySet<unknown> = new Set(['SecurityError', 'NotSupportedError', 'NotAllowedError']);

/** `absent`: this browser, or this window of it, has no files that are overwritten in place; `failed`: it may have. */
async function privateFile(): Promise<FileHandle | 'absent' | 'failed'> {
  const { storage } = navigator as { readonly storage?: Partial<StorageManager> };
  if (typeof storage?.getDirectory !== 'function') return 'absent';
  try {
    const folder = await storage.getDirectory();
    const file: FileHandle = await folder.getFileHandle(NAME, { create: true });
    return typeof file.createSyncAccessHandle === 'function' ? file : 'absent';
  } catch (error) {
    if (nameOf(error) === 'QuotaExceededError') throw failed(error);
    return NEVER.has(nameOf(error)) ? 'absent' : 'failed';
  }
}

class PrivateKeyFile implements KeyFile {
  readonly #file: FileHandle;
  #handle: SyncAccessHandle | null = null;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async open(): Promise<Bytes> {
    this.#handle ??= await this.#access();
    const handle = this.#handle;
    return attempt(() => {
      const bytes = new Uint8Array(handle.getSize());
      if (handle.read(bytes, { at: 0 }) !== bytes.length)
        throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
      return bytes;
    });
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    attempt(() => {
      const written = this.#opened().write(bytes, { at });
      if (written !== bytes.length) throw new ClientError(ERROR_CODES.VAULT_FULL);
    });
  }

  async flush(): Promise<void> {
    attempt(() => this.#opened().flush());
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    if (handle !== null) attempt(() => handle.close());
  }

  async #access(): Promise<SyncAccessHandle> {
    const until = Date.now() + BUSY_MS;
    for (;;) {
      try {
        const handle = await this.#file.createSyncAccessHandle?.();
        if (handle !== undefined) return handle;
        throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
      } catch (error) {
        if (nameOf(error) !== 'NoModificationAllowedError' || Date.now() > until) throw failed(error);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  #opened(): SyncAccessHandle {
    if (this.#handle === null) throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
    return this.#handle;
  }
}

class PagedKeyFile implements KeyFile {
  readonly #storage: StoragePort;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #changed = new Set<number>();

  constructor(storage: StoragePort) {
    this.#storage = storage;
  }

  async open(): Promise<Bytes> {
    this.#pages.clear();
    this.#changed.clear();
    for (const { key, value } of await this.#storage.list(KEY_PAGES))
      this.#pages.set(Number(key), Uint8Array.from(value));
    const bytes = new Uint8Array(PAGE_BYTES * (Math.max(-1, ...this.#pages.keys()) + 1));
    for (const [page, value] of this.#pages) bytes.set(value, page * PAGE_BYTES);
    return bytes;
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const page = Math.floor((at + done) / PAGE_BYTES);
      const offset = (at + done) % PAGE_BYTES;
      const part = bytes.subarray(done, done + PAGE_BYTES - offset);
      const value = this.#pages.get(page) ?? new Uint8Array(PAGE_BYTES);
      value.set(part, offset);
      this.#pages.set(page, value);
      this.#changed.add(page);
      done += part.length;
    }
    // As a file's bytes are the system's once they are written: a kill leaves no key of what is gone in the database.
    await this.flush();
  }

  async flush(): Promise<void> {
    const pages = [...this.#changed];
    if (pages.length === 0) return;
    await this.#storage.write(
      pages.map((page) => ({
        store: KEY_PAGES,
        key: String(page).padStart(8, '0'),
        value: this.#pages.get(page) ?? null,
      })),
    );
    for (const page of pages) this.#changed.delete(page);
  }

  async close(): Promise<void> {
    for (const page of this.#pages.values()) page.fill(0);
    this.#pages.clear();
    this.#changed.clear();
  }
}
