/**
 * What the other members are told of this one beside its lines: a choice of the user that lies in the vault, so that every
 * client over it honours it, after an import too (docs/protocol.md section 9).
 */
import * as v from 'valibot';
import { parse } from '@0fc/protocol';
import type { Sharing } from '../contract/api.js';
import { SerialQueue } from '../vault/serial-queue.js';
import { decodeRecord, encodeRecord, STORES } from '../vault/records.js';
import type { Vault } from '../vault/vault.js';
import { damageOf } from './room-acts.js';

const KEY = 'sharing';
/** What is not named is shared. */
const sharingRecord = v.strictObject({
  receipts: v.exactOptional(v.boolean()),
  typing: v.exactOptional(v.boolean()),
  presence: v.exactOptional(v.boolean()),
});

/** Where nothing was chosen. */
export const SHARED: Sharing = { receipts: true, typing: true, presence: true };
const NOTHING: Sharing = { receipts: false, typing: false, presence: false };

/** Throws MALFORMED for what names anything else, or not by a boolean. */
export const checkedSharing = (changes: unknown): Partial<Sharing> => parse(sharingRecord, changes);

export class SharingChoice {
  readonly #vault: Vault;
  #now = NOTHING;
  /** Serializes changes: the second of two concurrent ones keeps the first one's result. */
  readonly #queue = new SerialQueue();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /**
   * Reads the vault's choice, and changes it by what was `chosen` before that was open. One that cannot be read may have been to
   * share nothing: so nothing is shared until there is another one. Rejects as {@link choose} does.
   */
  async load(chosen: Partial<Sharing>): Promise<void> {
    const damage = await damageOf(async () => {
      const data = await this.#vault.get(STORES.app, KEY);
      this.#now = data === null ? SHARED : { ...SHARED, ...decodeRecord(sharingRecord, data) };
    });
    if (damage !== null) this.#now = NOTHING;
    if (Object.keys(chosen).length > 0) await this.choose(chosen);
  }

  get now(): Sharing {
    return this.#now;
  }

  /** Resolves once it is stored. Rejects with VAULT_FULL and the like, and then nothing has changed. */
  choose(changes: Partial<Sharing>): Promise<void> {
    return this.#queue.enqueue(async () => {
      const next = { ...this.#now, ...changes };
      await this.#vault.write([{ store: STORES.app, key: KEY, value: encodeRecord(sharingRecord, next) }]);
      this.#now = next;
    });
  }
}
