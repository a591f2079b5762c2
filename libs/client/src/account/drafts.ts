/** What was typed in each room and not sent: kept in the vault (docs/protocol.md section 9). */
import { fromUtf8, utf8 } from '@0fc/protocol';
import type { StorageChange } from '../contract/ports.js';
import { STORES } from '../vault/records.js';
import { SerialQueue } from '../vault/serial-queue.js';
import { KEYS_END, type Vault } from '../vault/vault.js';

const PREFIX = 'draft/';

export class Drafts {
  readonly #vault: Vault;
  /** as the vault has them */
  readonly #texts = new Map<string, string>();
  /** Serializes changes: the second of two concurrent ones sees the first one's result. */
  readonly #queue = new SerialQueue();

  private constructor(vault: Vault) {
    this.#vault = vault;
  }

  static async load(vault: Vault): Promise<Drafts> {
    const drafts = new Drafts(vault);
    // A damaged draft counts as absent: the vault opens all the same.
    for (const { key, value } of await vault.listReadable(STORES.app, PREFIX, PREFIX + KEYS_END))
      if (value !== null) drafts.#texts.set(key.slice(PREFIX.length), fromUtf8(value));
    return drafts;
  }

  of(roomId: string): string {
    return this.#texts.get(roomId) ?? '';
  }

  /** Resolves once it is stored; false: nothing changed. Rejects with VAULT_FULL and the like. */
  set(roomId: string, text: string): Promise<boolean> {
    return this.#queue.enqueue(async () => {
      if (this.of(roomId) === text) return false;
      const value = text === '' ? null : utf8(text);
      await this.#vault.write([{ store: STORES.app, key: PREFIX + roomId, value }]);
      this.#texts.set(roomId, text);
      return true;
    });
  }

  /** Forgets a room's draft with `write`, which stores the change that it is given; rejects as that does. */
  drop(roomId: string, write: (change: StorageChange) => Promise<void>): Promise<void> {
    return this.#queue.enqueue(async () => {
      await write({ store: STORES.app, key: PREFIX + roomId, value: null });
      this.#texts.delete(roomId);
    });
  }
}
