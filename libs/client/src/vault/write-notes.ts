/** Records that were written since an export began to read (vault.ts): their keys, never their values. */
import type { RecordPlace } from '../contract/ports.js';

export class WriteNotes {
  readonly #places = new Map<string, RecordPlace>();

  /** records that no `drain` has returned yet */
  get size(): number {
    return this.#places.size;
  }

  note(changes: readonly RecordPlace[]): void {
    for (const { store, key } of changes) this.#places.set(`${store} ${key}`, { store, key });
  }

  /** Each record that was written or deleted, or may have been, since the last call; once each. */
  drain(): readonly RecordPlace[] {
    const taken = [...this.#places.values()];
    this.#places.clear();
    return taken;
  }
}
