/**
 * The pinned relay key (docs/protocol.md section 3, G13): compiled in, else what the vault
 * holds, else what the deployment serves, checked against the invite's fingerprint where
 * there is one. A later source may confirm an earlier one, never replace it.
 */
import * as v from 'valibot';
import { equalBytes, ERROR_CODES, publicKey, toHex, type Bytes } from '@0fc/protocol';
import { parsePublicKey } from '@0fc/crypto/verify';
import type { RelayView } from './api.js';
import { ClientError } from './errors.js';
import type { Platform } from './ports.js';
import { decodeRecord, encodeRecord, STORES } from './room/state/records.js';
import type { Vault } from './vault.js';

const pinRecord = v.strictObject({
  key: publicKey,
  by: v.picklist(['build', 'vault', 'invite', 'firstUse']),
});
const PIN_KEY = 'relay';

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

  constructor(platform: Platform, fetchKey: () => Promise<Bytes>) {
    this.#platform = platform;
    this.#fetchKey = fetchKey;
  }

  get pin(): Pin | null {
    return this.#pin;
  }

  /** Throws RELAY_KEY_MISMATCH when the build and the vault disagree. */
  async load(vault: Vault, compiled: Bytes | null): Promise<void> {
    const data = await vault.get(STORES.app, PIN_KEY);
    const stored = data === null ? null : decodeRecord(pinRecord, data);
    if (compiled !== null) {
      if (stored !== null && !equalBytes(stored.key, compiled))
        throw await this.mismatch(stored.key, compiled);
      this.#pin = await this.#describe(parsePublicKey(compiled), 'build');
    } else if (stored !== null) {
      this.#pin = await this.#describe(
        stored.key,
        stored.by === 'firstUse' || stored.by === 'invite' ? stored.by : 'vault',
      );
    }
  }

  /** The pinned key; pins what the deployment serves when there is none yet. `invite`: hash an invite names. */
  async require(vault: Vault, invite: Bytes | null): Promise<Pin> {
    if (this.#pin === null) {
      const key = parsePublicKey(await this.#fetchKey());
      const candidate = await this.#describe(key, invite === null ? 'firstUse' : 'invite');
      if (invite !== null && !equalBytes(invite, candidate.hash))
        throw this.#differs(candidate.fingerprint, invite);
      await vault.write([
        { store: STORES.app, key: PIN_KEY, value: encodeRecord(pinRecord, { key, by: candidate.by }) },
      ]);
      this.#pin = candidate;
    }
    if (invite !== null && !equalBytes(invite, this.#pin.hash))
      throw this.#differs(this.#pin.fingerprint, invite);
    return this.#pin;
  }

  async mismatch(pinned: Bytes, other: Bytes): Promise<ClientError> {
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
