/**
 * The pinned relay key (docs/protocol.md section 3, G13): compiled in, else the one in the vault, else the one that
 * the deployment serves, checked against the fingerprint of the invite where there is one. A later source may confirm
 * an earlier one, never replace it: only a signed succession and the user's own act move the pin (relay-succession.ts).
 * A mismatch bars rooms and joins from their relay, each with its reason; it never prevents the vault from opening.
 */
import * as v from 'valibot';
import { equalBytes, ERROR_CODES, publicKey, time, toHex, type Bytes } from '@0fc/protocol';
import { parsePublicKey, readSuccessions, successorsOf } from '@0fc/crypto/verify';
import type { Failure, RelayView } from '../contract/api.js';
import { ClientError, failureOf } from '../contract/errors.js';
import type { Platform, StorageChange } from '../contract/ports.js';
import { damageOf } from './room-acts.js';
import { decodeRecord, encodeRecord, STORES } from '../vault/records.js';
import { SerialQueue } from '../vault/serial-queue.js';
import type { Vault } from '../vault/vault.js';

/** Keys that a vault remembers to have left; a succession beyond is not followed. */
const MOST_LEFT = 1_024;
/** Of those, how many a succession may have led from since the user pinned a key by hand: the rest is for the user. */
const MOST_FOLLOWED = 64;
const leftKey = v.strictObject({ key: publicKey, by: v.picklist(['succession', 'user']) });
const pinRecord = v.strictObject({
  key: publicKey,
  by: v.picklist(['build', 'vault', 'invite', 'firstUse', 'succession', 'user']),
  /** keys that are never pinned again but by the user's hand; those left by succession led to the pinned one */
  left: v.exactOptional(v.pipe(v.array(leftKey), v.maxLength(MOST_LEFT))),
  /** a succession that was followed: when, by this device's clock, and from which key; `shown`: the user has seen it */
  followed: v.exactOptional(v.strictObject({ from: publicKey, at: time, shown: v.boolean() })),
});
type PinRecord = v.InferOutput<typeof pinRecord>;
type LeftKey = v.InferOutput<typeof leftKey>;

const PIN_KEY = 'relay';
const UNWRITABLE: ReadonlySet<string> = new Set(['VAULT_FULL', 'VAULT_UNAVAILABLE']);

export interface Pin {
  readonly key: Bytes;
  readonly hash: Bytes;
  readonly fingerprint: string;
  readonly by: NonNullable<RelayView['pinnedBy']>;
}

/** What a deployment is asked for. */
export interface Deployment {
  fetchRelayKey(): Promise<Bytes>;
  fetchSuccession(): Promise<readonly string[]>;
  readonly relayUrl: string;
}

export class RelayPin {
  readonly #platform: Platform;
  readonly #deployment: Deployment;
  #pin: Pin | null = null;
  #record: PinRecord | null = null;
  /** hashes of the keys that led to the pinned one: an invite may name one of them */
  #predecessorHashes: readonly Bytes[] = [];
  /** why no relay may be connected to: the sources differ, or the record is damaged */
  #trouble: ClientError | null = null;
  #conflict: Bytes | null = null;
  #unseen: RelayView['followed'] = null;

  /** Whatever pins or moves the pin takes turns. */
  readonly queue = new SerialQueue();
  readonly #pinned: () => void;

  /** called once a key is pinned that was unknown when rooms and joins were started */
  constructor(platform: Platform, deployment: Deployment, pinned: () => void) {
    this.#platform = platform;
    this.#deployment = deployment;
    this.#pinned = pinned;
  }

  /** No source has named a relay key yet: the deployment has to be asked. */
  get unknown(): boolean {
    return this.#pin === null && this.#trouble === null;
  }

  /** Why no relay may be connected to; null: one may. */
  get trouble(): Failure | null {
    return this.#trouble === null ? null : failureOf(this.#trouble);
  }

  /** The key of this build, where it is another one than the vault's; null: it is not. */
  get conflict(): Bytes | null {
    return this.#conflict;
  }

  get pin(): Pin | null {
    return this.#pin;
  }

  /** Empty where there is none yet: what is barred opens no link with it. */
  get key(): Bytes {
    return this.#pin?.key ?? new Uint8Array(0);
  }

  /** The succession that was followed last: from which key, when (Unix ms), and whether the user has seen it. */
  get followed(): PinRecord['followed'] | null {
    return this.#record?.followed ?? null;
  }

  view(state: RelayView['state']): RelayView {
    const { fingerprint = null, by = null } = this.#pin ?? {};
    return { fingerprint, pinnedBy: by, state, barred: this.trouble, followed: this.#unseen };
  }

  hasLeft(key: Bytes): boolean {
    return (this.#record?.left ?? []).some((left) => equalBytes(left.key, key));
  }

  /** Loads the pin. A compiled-in key is stored for builds without one. */
  async load(vault: Vault, compiled: Bytes | null): Promise<void> {
    const { stored, damage } = await this.#stored(vault);
    const key = compiled === null ? null : parsePublicKey(compiled);
    if (stored !== null) await this.#loaded(stored, key);
    else if (key !== null) {
      await this.#use({ key, by: 'build' });
      await this.#keep(vault);
    } else if (damage) this.#trouble = new ClientError(ERROR_CODES.VAULT_DAMAGED, { store: STORES.app });
  }

  async #loaded(stored: PinRecord, compiled: Bytes | null): Promise<void> {
    const confirmed = compiled !== null && equalBytes(stored.key, compiled);
    const by = stored.by === 'build' ? 'vault' : stored.by;
    await this.#use({ ...stored, by: confirmed ? 'build' : by });
    // A build whose key was left since has the pin that followed it.
    if (compiled === null || confirmed || this.hasLeft(compiled)) return;
    this.#conflict = compiled;
    const other = await this.fingerprintOf(compiled);
    this.#trouble = new ClientError(ERROR_CODES.RELAY_KEY_MISMATCH, {
      pinned: this.#pin?.fingerprint ?? '',
      other,
    });
  }

  async #stored(vault: Vault): Promise<{ readonly stored: PinRecord | null; readonly damage: boolean }> {
    const read: PinRecord[] = [];
    const damage = await damageOf(async () => {
      const data = await vault.get(STORES.app, PIN_KEY);
      if (data !== null) read.push(decodeRecord(pinRecord, data));
    });
    return { stored: read[0] ?? null, damage: damage !== null };
  }

  async #keep(vault: Vault): Promise<void> {
    try {
      if (this.#record !== null) await vault.write([change(this.#record)]);
    } catch (error) {
      // A full disk keeps no vault shut: the build has the key, and it is stored the next time.
      if (!UNWRITABLE.has(ClientError.from(error).code)) throw error;
    }
  }

  /** Why a room, or a join whose invite names this hash, must not connect to a relay; null: it may. */
  failure(invite: Bytes | null): Failure | null {
    if (this.#trouble !== null) return failureOf(this.#trouble);
    if (this.#pin === null) return { code: ERROR_CODES.RELAY_UNREACHABLE };
    return invite === null || this.#fits(invite) ? null : failureOf(this.#differs(this.#pin, invite));
  }

  /** Whether an invite's hash is that of the pinned key, or of one that led to it. */
  #fits(invite: Bytes): boolean {
    return [this.#pin?.hash, ...this.#predecessorHashes].some(
      (hash) => hash !== undefined && equalBytes(hash, invite),
    );
  }

  /**
   * The pinned key; pins what the deployment serves when there is none yet. `invite`: hash an invite names, of that key
   * or of one that leads to it by signed statements.
   */
  async require(vault: Vault, invite: Bytes | null): Promise<Pin> {
    if (this.#trouble !== null) throw this.#trouble;
    // Serialized: a caller that finds a pin is bound to it, and replaces nothing.
    const pin = this.#pin ?? (await this.queue.enqueue(async () => this.#pin ?? this.#ask(vault, invite)));
    if (invite !== null && !(await this.recognises(vault, invite))) throw this.#differs(pin, invite);
    return pin;
  }

  /** Whether the key of an invite leads to the pinned one; the deployment is asked only where that is not known here. */
  async recognises(vault: Vault, invite: Bytes): Promise<boolean> {
    const pin = this.#pin;
    if (this.#fits(invite)) return true;
    if (pin === null || this.#trouble !== null) return false;
    const before = await this.#predecessors(pin.key, invite).catch((error: unknown) => {
      // Nothing is known that leads from there: the invite names another relay.
      if (ClientError.from(error).code === ERROR_CODES.RELAY_UNREACHABLE) return null;
      throw error;
    });
    if (before === null) return false;
    await this.queue.enqueue(() => this.recognise(vault, before));
    return this.#fits(invite);
  }

  async #ask(vault: Vault, invite: Bytes | null): Promise<Pin> {
    const key = parsePublicKey(await this.#deployment.fetchRelayKey());
    const candidate = await this.#describe(key, invite === null ? 'firstUse' : 'invite');
    const direct = invite === null || equalBytes(invite, candidate.hash);
    const before = direct ? [] : await this.#predecessors(key, invite);
    if (before === null) throw this.#differs(candidate, invite);
    await this.#store(vault, { key, by: candidate.by, ...withLeft(before.map(asPredecessor)) });
    this.#pinned();
    return this.#pin ?? candidate;
  }

  /** The keys from the one of this hash up to `key`, without it; null: no statements lead there. */
  async #predecessors(key: Bytes, hash: Bytes | null): Promise<readonly Bytes[] | null> {
    if (hash === null) return null;
    const statements = readSuccessions(await this.#deployment.fetchSuccession());
    for (const { old } of statements) {
      if (!equalBytes(await this.#platform.crypto.hash.sha256(old), hash)) continue;
      const successors = successorsOf(old, this.#deployment.relayUrl, statements);
      const at = successors.findIndex((one) => equalBytes(one, key));
      return at === -1 ? null : [old, ...successors.slice(0, at)];
    }
    return null;
  }

  /** Keys that have led to the pinned one. A build that has one of them compiled in is no contradiction. In turn. */
  async recognise(vault: Vault, before: readonly Bytes[]): Promise<void> {
    if (this.#record === null) return;
    const left = [
      ...(this.#record.left ?? []),
      ...before.filter((key) => !this.hasLeft(key)).map(asPredecessor),
    ];
    await this.#store(vault, { ...this.#record, left });
  }

  /** Moves the pin to the last of the pinned key's verified successors. In turn. Rejects with RELAY_KEY_LEFT. */
  async follow(vault: Vault, successors: readonly Bytes[]): Promise<void> {
    const [record, key] = [this.#record, successors.at(-1)];
    if (record === null || key === undefined) return;
    const leads = (record.left ?? []).filter(({ by }) => by === 'succession').length + successors.length;
    if (leads > MOST_FOLLOWED || successors.some((one) => this.hasLeft(one)))
      throw new ClientError(ERROR_CODES.RELAY_KEY_LEFT);
    const { left = [], followed } = record;
    // What the user has not seen yet began at the earlier key.
    const from = followed?.shown === false ? followed.from : record.key;
    const at = this.#platform.crypto.clock.now();
    await this.#store(vault, {
      key,
      by: 'succession',
      left: [...left, ...[record.key, ...successors.slice(0, -1)].map(asPredecessor)],
      followed: { from, at, shown: false },
    });
  }

  /** The user's own act: no key that was pinned or compiled in before counts any more. In turn. */
  async replace(vault: Vault, key: Bytes): Promise<void> {
    const before = [this.#record?.key, this.#conflict ?? undefined].filter((one) => one !== undefined);
    // None of them leads to the key that was typed. The oldest go first, so that this act always fits.
    const left = [...(this.#record?.left ?? []).map((one) => one.key), ...before]
      .filter((one) => !equalBytes(one, key))
      .map((one): LeftKey => ({ key: one, by: 'user' }))
      .slice(-MOST_LEFT);
    await this.#store(vault, { key, by: 'user', ...withLeft(left) });
  }

  /** The user has seen the succession that was followed. In turn. */
  async dismiss(vault: Vault): Promise<void> {
    const { followed } = this.#record ?? {};
    if (this.#record === null || followed === undefined) return;
    await this.#store(vault, { ...this.#record, followed: { ...followed, shown: true } });
  }

  /** A reason that says more than that the build's key is another one. */
  explain(error: ClientError): void {
    if (this.#conflict !== null) this.#trouble = error;
  }

  /** In the vault first: what is pinned is there after a restart. */
  async #store(vault: Vault, record: PinRecord): Promise<void> {
    await vault.write([change(record)]);
    await this.#use(record);
    const { key } = record;
    if (this.#conflict !== null && !equalBytes(this.#conflict, key) && !this.hasLeft(this.#conflict)) return;
    this.#conflict = null;
    this.#trouble = null;
  }

  async #use(record: PinRecord): Promise<void> {
    const predecessors = (record.left ?? []).filter(({ by }) => by === 'succession');
    const { hash } = this.#platform.crypto;
    const predecessorHashes = await Promise.all(predecessors.map(({ key }) => hash.sha256(key)));
    this.#pin = await this.#describe(record.key, record.by);
    this.#record = record;
    this.#predecessorHashes = predecessorHashes;
    const { followed } = record;
    this.#unseen =
      followed?.shown === false
        ? { from: await this.fingerprintOf(followed.from), to: this.#pin.fingerprint }
        : null;
  }

  #differs(pinned: Pin, invite: Bytes | null): ClientError {
    const other = invite === null ? '' : hashFingerprint(invite);
    return new ClientError(ERROR_CODES.RELAY_KEY_MISMATCH, { pinned: pinned.fingerprint, other });
  }

  async #describe(key: Bytes, by: Pin['by']): Promise<Pin> {
    const hash = await this.#platform.crypto.hash.sha256(key);
    return { key, hash, fingerprint: hashFingerprint(hash), by };
  }

  /** What people compare of a relay's key. */
  async fingerprintOf(key: Bytes): Promise<string> {
    return hashFingerprint(await this.#platform.crypto.hash.sha256(key));
  }
}

const change = (record: PinRecord): StorageChange => ({
  store: STORES.app,
  key: PIN_KEY,
  value: encodeRecord(pinRecord, record),
});
const asPredecessor = (key: Bytes): LeftKey => ({ key, by: 'succession' });
const withLeft = (left: LeftKey[]): Pick<PinRecord, 'left'> => (left.length === 0 ? {} : { left });

/** 16 uppercase hex digits of a key's hash. */
export const hashFingerprint = (hash: Bytes): string => toHex(hash.subarray(0, 8)).toUpperCase();
