/** Which records were written since somebody began to read them (vault.ts): their places, never their values. */
import type { StorageChange } from '../contract/ports.js';

export type RecordPlace = Pick<StorageChange, 'store' | 'key'>;

export class WriteNotes {
  readonly #places = new Map<string, RecordPlace>();

  /** places that have not been taken */
  get size(): number {
    return this.#places.size;
  }

  note(changes: readonly RecordPlace[]): void {
    for (const { store, key } of changes) this.#places.set(`${store} ${key}`, { store, key });
  }

  /** Each place that was written since the last call, once; written or deleted, or perhaps so. */
  drain(): readonly RecordPlace[] {
    const taken = [...this.#places.values()];
    this.#places.clear();
    return taken;
  }
}
