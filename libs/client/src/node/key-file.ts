/** The key file of a vault on Node (vault/key-table.ts): beside the database, readable by its owner alone. */
import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { KeyFile } from '../contract/ports.js';

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new ClientError(full ? ERROR_CODES.VAULT_FULL : ERROR_CODES.VAULT_UNAVAILABLE, {}, { cause });
  }
}

/** After a loss of power a new file is there only if its folder was flushed too. */
function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export class DiskKeyFile implements KeyFile {
  readonly #path: string;
  #descriptor: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<Bytes> {
    return attempt(() => {
      this.#descriptor ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
      flushFolder(dirname(this.#path));
      return new Uint8Array(readFileSync(this.#path));
    });
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    attempt(() => {
      let written = 0;
      while (written < bytes.length)
        written += writeSync(this.#opened(), bytes, written, bytes.length - written, at + written);
    });
  }

  async flush(): Promise<void> {
    attempt(() => fsyncSync(this.#opened()));
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) attempt(() => closeSync(descriptor));
  }

  #opened(): number {
    if (this.#descriptor === null) throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
    return this.#descriptor;
  }
}

/** Of a vault that ends with its process. */
export class MemoryKeyFile implements KeyFile {
  #bytes = new Uint8Array();

  async open(): Promise<Bytes> {
    return this.#bytes.slice();
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    if (at + bytes.length > this.#bytes.length) {
      const longer = new Uint8Array(at + bytes.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes.set(bytes, at);
  }

  async flush(): Promise<void> {
    // Nothing of it is ever on a disk.
  }

  async close(): Promise<void> {
    // What is opened again within the process is to be there.
  }
}
