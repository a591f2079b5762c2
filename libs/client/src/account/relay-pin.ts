/**
 * The pinned relay key (docs/protocol.md section 3, G13): compiled in, else the one in the vault, else the one that
 * the deployment serves, checked against the fingerprint of the invite where there is one. A later source may confirm
 * an earlier one, never replace it. A mismatch bars rooms and joins from their relay, each with its reason; it never
 * prevents the vault from opening.
 */
import * as v from 'valibot';
import { equalBytes, ERROR_CODES, publicKey, toHex, type Bytes } from '@0fc/protocol';
import { parsePublicKey } from '@0fc/crypto/verify';
import type { Failure, RelayView } from '../contract/api.js';
import { ClientError, failureOf } from '../contract/errors.js';
import type { Platform, StorageChange } from '../contract/ports.js';
import { damageOf } from './room-acts.js';
import { decodeRecord, encodeRecord, STORES } from '../vault/records.js';
import { SerialQueue } from '../vault/serial-queue.js';
import type { Vault } from '../vault/vault.js';

const pinRecord = v.strictObject({
  key: publicKey,
  by: v.picklist(['build', 'vault', 'invite', 'firstUse']),
});
const PIN_KEY = 'relay';
const UNWRITABLE: ReadonlySet<string> = new Set(['VAULT_FULL', 'VAULT_UNAVAILABLE']);

export interface Pin {
  readonly key: Bytes;
  readonly hash: Bytes;
  readonly fingerprint: string;
  readonly by: NonNullable<RelayView['pinnedBy']>;
}

export class RelayPin {
  readonly #platform: Platform;
  readonly #fetchKey: () => Promise<Bytes>;
  #pin: Pin | null = null;
  /** why no relay may be connected to: the sources differ, or the record is damaged */
  #trouble: ClientError | null = null;

  readonly #queue = new SerialQueue();
  readonly #pinned: () => void;

  /** called once a key is pinned that was unknown when rooms and joins were started */
  constructor(platform: Platform, fetchKey: () => Promise<Bytes>, pinned: () => void) {
    this.#platform = platform;
    this.#fetchKey = fetchKey;
    this.#pinned = pinned;
  }

  /** No source has named a relay key yet: the deployment has to be asked. */
  get unknown(): boolean {
    return this.#pin === null && this.#trouble === null;
  }

  /** No relay may be connected to. */
  get isInTrouble(): boolean {
    return this.#trouble !== null;
  }

  get pin(): Pin | null {
    return this.#pin;
  }

  /** Empty where there is none yet: what is barred opens no link with it. */
  get key(): Bytes {
    return this.#pin?.key ?? new Uint8Array(0);
  }

  /** Loads the pin. A compiled-in key is stored for builds without one. */
  async load(vault: Vault, compiled: Bytes | null): Promise<void> {
    const { stored, damage } = await this.#stored(vault);
    if (compiled !== null) {
      const key = parsePublicKey(compiled);
      this.#pin = await this.#describe(key, 'build');
      if (stored === null) await this.#keep(vault, key);
      else if (!equalBytes(stored.key, key)) this.#trouble = await this.#mismatch(stored.key, key);
    } else if (damage) {
      this.#trouble = new ClientError(ERROR_CODES.VAULT_DAMAGED, { store: STORES.app });
    } else if (stored !== null) {
      this.#pin = await this.#describe(
        stored.key,
        stored.by === 'firstUse' || stored.by === 'invite' ? stored.by : 'vault',
      );
    }
  }

  async #stored(
    vault: Vault,
  ): Promise<{ readonly stored: v.InferOutput<typeof pinRecord> | null; readonly damage: boolean }> {
    const read: v.InferOutput<typeof pinRecord>[] = [];
    const damage = await damageOf(async () => {
      const data = await vault.get(STORES.app, PIN_KEY);
      if (data !== null) read.push(decodeRecord(pinRecord, data));
    });
    return { stored: read[0] ?? null, damage: damage !== null };
  }

  async #keep(vault: Vault, key: Bytes): Promise<void> {
    try {
      await vault.write([this.#record(key, 'build')]);
    } catch (error) {
      // A full disk keeps no vault shut: the build has the key, and it is stored the next time.
      if (!UNWRITABLE.has(ClientError.from(error).code)) throw error;
    }
  }

  #record(key: Bytes, by: Pin['by']): StorageChange {
    return { store: STORES.app, key: PIN_KEY, value: encodeRecord(pinRecord, { key, by }) };
  }

  /** Why a room, or a join whose invite names this hash, must not connect to a relay; null: it may. */
  failure(invite: Bytes | null): Failure | null {
    if (this.#trouble !== null) return failureOf(this.#trouble);
    if (this.#pin === null) return { code: ERROR_CODES.RELAY_UNREACHABLE };
    const fits = invite === null || equalBytes(invite, this.#pin.hash);
    return fits ? null : failureOf(this.#differs(this.#pin.fingerprint, invite));
  }

  /** The pinned key; pins what the deployment serves when there is none yet. `invite`: hash an invite names. */
  async require(vault: Vault, invite: Bytes | null): Promise<Pin> {
    if (this.#trouble !== null) throw this.#trouble;
    // Serialized: a caller that finds a pin is bound to it, and replaces nothing.
    const pin = this.#pin ?? (await this.#queue.enqueue(async () => this.#pin ?? this.#ask(vault, invite)));
    if (invite !== null && !equalBytes(invite, pin.hash)) throw this.#differs(pin.fingerprint, invite);
    return pin;
  }

  async #ask(vault: Vault, invite: Bytes | null): Promise<Pin> {
    const key = parsePublicKey(await this.#fetchKey());
    const candidate = await this.#describe(key, invite === null ? 'firstUse' : 'invite');
    if (invite !== null && !equalBytes(invite, candidate.hash))
      throw this.#differs(candidate.fingerprint, invite);
    await vault.write([this.#record(key, candidate.by)]);
    this.#pin = candidate;
    this.#pinned();
    return candidate;
  }

  async #mismatch(pinned: Bytes, other: Bytes): Promise<ClientError> {
    const hashes = await Promise.all([pinned, other].map((key) => this.#platform.crypto.hash.sha256(key)));
    const [a, b] = hashes.map(hashFingerprint);
    return new ClientError(ERROR_CODES.RELAY_KEY_MISMATCH, { pinned: a ?? '', other: b ?? '' });
  }

  #differs(pinned: string, invite: Bytes): ClientError {
    return new ClientError(ERROR_CODES.RELAY_KEY_MISMATCH, { pinned, other: hashFingerprint(invite) });
  }

  async #describe(key: Bytes, by: Pin['by']): Promise<Pin> {
    const hash = await this.#platform.crypto.hash.sha256(key);
    return { key, hash, fingerprint: hashFingerprint(hash), by };
  }
}

/** 16 uppercase hex digits of a key's hash. */
export const hashFingerprint = (hash: Bytes): string => toHex(hash.subarray(0, 8)).toUpperCase();
