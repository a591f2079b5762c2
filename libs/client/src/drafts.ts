/** What was typed in each room and not sent: kept in the vault (docs/protocol.md section 9). */
import { fromUtf8, utf8 } from '@0fc/protocol';
import type { StorageChange } from './ports.js';
import { STORES } from './room/state/records.js';
import type { Vault } from './vault.js';

const PREFIX = 'draft/';

export class Drafts {
  readonly #vault: Vault;
  readonly #texts = new Map<string, string>();

  private constructor(vault: Vault) {
    this.#vault = vault;
  }

  static async load(vault: Vault): Promise<Drafts> {
    const drafts = new Drafts(vault);
    for (const { key, value } of await vault.listFrom(STORES.app, PREFIX)) {
      drafts.#texts.set(key.slice(PREFIX.length), fromUtf8(value));
    }
    return drafts;
  }

  of(roomId: string): string {
    return this.#texts.get(roomId) ?? '';
  }

  /** Resolves once it is stored; false: it was so already. Rejects with VAULT_FULL and the like. */
  async set(roomId: string, text: string): Promise<boolean> {
    if (this.of(roomId) === text) return false;
    this.#texts.set(roomId, text);
    await this.#vault.write([
      { store: STORES.app, key: PREFIX + roomId, value: text === '' ? null : utf8(text) },
    ]);
    return true;
  }

  /** Forgets a room's draft here; the change that does so in the vault. */
  drop(roomId: string): StorageChange {
    this.#texts.delete(roomId);
    return { store: STORES.app, key: PREFIX + roomId, value: null };
  }
}
