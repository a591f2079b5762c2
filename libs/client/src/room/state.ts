/**
 * One room in memory: the core record, the indexes over the local log, and the changes
 * that wait to be written. Everything that one delivery changes is written in one
 * atomic write, or not at all (docs/protocol.md section 9).
 */
import {
  comparePositions, LIMITS, toBase64Url, type AnyContent, type Bytes, type MemberId, type Position, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, decodeRoster, encodeRoster, type Hash, type Roster } from '@0fc/crypto/verify';
import type { Platform, StorageChange } from '../ports.js';
import type { Vault } from '../vault.js';
import { countedIn } from './alarm-flood.js';
import {
  decodeRecord, encodeRecord, keyOf, logRecord, outboxItem, ownerInvite, prefixOf, roomCore, rotationRecord, STORES,
  type EpochKey, type LogRecord, type OutboxItem, type OwnerInvite, type RoomCore, type RotationRecord, type StoredItem,
  type StoredMessage,
} from './records.js'; // prettier-ignore

const placeKey = (position: Position): string => `${String(position.g)}/${String(position.s)}`;
const messageKey = (sender: MemberId, instance: Bytes, n: number): string =>
  `${sender}/${toBase64Url(instance)}/${String(n)}`;

/** How many transcript values are kept for comparing with what others have seen (section 6). */
const TRANSCRIPTS_KEPT = 10_000;

export class RoomState {
  readonly log: LogRecord[] = [];
  readonly outbox = new Map<number, OutboxItem>();
  readonly invites = new Map<string, OwnerInvite>();
  roster: Roster;

  readonly #vault: Vault;
  readonly #transcripts = new Map<string, Bytes>();
  readonly #mids = new Map<string, Bytes>();
  /** body hash of each chain entry, to its index */
  readonly #heads = new Map<string, number>();
  /** the signed roster entries as they came, genesis first */
  readonly chain: Bytes[] = [];
  /** entries of the chain after a trimmed range, fetched and not followed yet */
  chainAhead: Bytes[] = [];
  /** rotations taken in, by the epoch they begin */
  readonly rotations = new Map<number, RotationRecord>();
  /** body hashes of their clear parts, computed where needed */
  readonly rotationHashes = new Map<number, Bytes>();
  #changes = new Map<string, StorageChange>();
  /** log indexes changed since the views were last told */
  readonly touched = new Set<number>();

  private constructor(
    vault: Vault,
    /** changed in place by the code that takes entries in; written by {@link commit} */
    readonlyCore: RoomCore,
  ) {
    this.#vault = vault;
    this.core = readonlyCore;
    this.roster = decodeRoster(readonlyCore.roster);
  }

  core: RoomCore;

  /** A new room: nothing is written before {@link commit}. */
  static begin(vault: Vault, core: RoomCore): RoomState {
    return new RoomState(vault, core);
  }

  static async load(vault: Vault, roomId: RoomId, hash: Hash): Promise<RoomState | null> {
    const data = await vault.get(STORES.rooms, roomId);
    if (data === null) return null;
    const state = new RoomState(vault, decodeRecord(roomCore, data));
    for (const record of await vault.listFrom(STORES.chain, prefixOf(roomId))) {
      state.#heads.set(toBase64Url(await bodyHash(hash, record.value)), state.chain.length);
      state.chain.push(record.value);
    }
    for (const record of await vault.listFrom(STORES.rotations, prefixOf(roomId))) {
      const rotation = decodeRecord(rotationRecord, record.value);
      state.rotations.set(Number(record.key.slice(prefixOf(roomId).length)), rotation);
    }
    for (const record of await vault.listFrom(STORES.log, prefixOf(roomId))) {
      state.#index(decodeRecord(logRecord, record.value));
    }
    // Where it stands may be among many alarms that have no record of their own.
    state.rememberTranscript(state.core.position, state.core.t);
    for (const record of await vault.listFrom(STORES.outbox, prefixOf(roomId))) {
      const item = decodeRecord(outboxItem, record.value);
      state.outbox.set(item.n, item);
    }
    for (const record of await vault.listFrom(STORES.invites, prefixOf(roomId))) {
      const invite = decodeRecord(ownerInvite, record.value);
      state.invites.set(invite.inviteId, invite);
    }
    return state;
  }

  #index(record: LogRecord): void {
    this.log.push(record);
    if (record.at !== null) this.rememberTranscript(record.at.position, record.at.t);
    this.#indexMids(record);
  }

  #indexMids(record: LogRecord): void {
    for (const item of record.items) {
      if (item.type === 'message') this.#mids.set(messageKey(item.sender, item.instance, item.n), item.mid);
    }
  }

  /**
   * Appends to the local log. `at`: the entry (or generation) it stands for. Returns its index, or that of
   * the alarm which counts it as one of many.
   */
  append(at: LogRecord['at'], time: number, items: readonly StoredItem[]): number {
    const counted = countedIn(this.log, items, (at?.position ?? this.core.position).s);
    if (counted !== null) {
      if (at !== null) this.rememberTranscript(at.position, at.t);
      this.replaceItems(counted.index, counted.items);
      return counted.index;
    }
    const record: LogRecord = { index: this.core.nextIndex++, at, time, items: [...items] };
    this.#index(record);
    this.touched.add(record.index);
    if (items.length > 0) this.core.lastTime = time;
    this.#stage(STORES.log, keyOf(this.core.roomId, record.index), encodeRecord(logRecord, record));
    return record.index;
  }

  /** Replaces what a record shows: a message whose key has come, a loss of which more is back. */
  replaceItems(index: number, items: readonly StoredItem[]): void {
    // Indexes follow each other without a hole: nothing of the log is ever taken out.
    const at = index - (this.log[0]?.index ?? 0);
    const known = this.log[at];
    if (known === undefined) return;
    const record: LogRecord = { ...known, items: [...items] };
    this.log[at] = record;
    this.#indexMids(record);
    this.touched.add(index);
    this.#stage(STORES.log, keyOf(this.core.roomId, index), encodeRecord(logRecord, record));
  }

  /** The transcript at a position, where it is still known. */
  transcriptAt(position: Position): Bytes | null {
    return this.#transcripts.get(placeKey(position)) ?? null;
  }

  /** Whether a place lies within what was read here and kept, and had no entry then. */
  passedOver(position: Position): boolean {
    const first = this.log.slice(-TRANSCRIPTS_KEPT).find(({ at }) => at !== null)?.at;
    const after = first !== undefined && first !== null && comparePositions(position, first.position) > 0;
    return (
      after && comparePositions(position, this.core.position) <= 0 && this.transcriptAt(position) === null
    );
  }

  rememberTranscript(position: Position, t: Bytes): void {
    this.#transcripts.set(placeKey(position), t);
    if (this.#transcripts.size <= TRANSCRIPTS_KEPT) return;
    const oldest = this.#transcripts.keys().next();
    if (oldest.done !== true) this.#transcripts.delete(oldest.value);
  }

  midOf(sender: MemberId, instance: Bytes, n: number): Bytes | null {
    return this.#mids.get(messageKey(sender, instance, n)) ?? null;
  }

  /** Every message taken in, oldest first. */
  messages(): readonly StoredMessage[] {
    return this.log.flatMap((record) => record.items.filter((item) => item.type === 'message'));
  }

  /** Index of the chain entry with this body hash, null for none. */
  chainIndex(head: Bytes): number | null {
    return this.#heads.get(toBase64Url(head)) ?? null;
  }

  extendChain(container: Bytes, head: Bytes, roster: Roster): void {
    this.#stage(STORES.chain, keyOf(this.core.roomId, this.chain.length), container);
    this.#heads.set(toBase64Url(head), this.chain.length);
    this.chain.push(container);
    this.roster = roster;
  }

  keepRotation(epoch: number, record: RotationRecord): void {
    this.rotations.set(epoch, record);
    this.#stage(STORES.rotations, keyOf(this.core.roomId, epoch), encodeRecord(rotationRecord, record));
  }

  putOutbox(item: OutboxItem): void {
    this.outbox.set(item.n, item);
    this.#stage(STORES.outbox, keyOf(this.core.roomId, item.n), encodeRecord(outboxItem, item));
  }

  dropOutbox(n: number): void {
    this.outbox.delete(n);
    this.#stage(STORES.outbox, keyOf(this.core.roomId, n), null);
  }

  putInvite(invite: OwnerInvite): void {
    this.invites.set(invite.inviteId, invite);
    this.#stage(
      STORES.invites,
      prefixOf(this.core.roomId) + invite.inviteId,
      encodeRecord(ownerInvite, invite),
    );
  }

  dropInvite(inviteId: string): void {
    this.invites.delete(inviteId);
    this.#stage(STORES.invites, prefixOf(this.core.roomId) + inviteId, null);
  }

  key(epoch: number): EpochKey | null {
    return this.core.keys.find((known) => known.epoch === epoch) ?? null;
  }

  get current(): EpochKey {
    const key = this.key(this.core.epoch);
    if (key === null) throw new Error('the current epoch has no record');
    return key;
  }

  get isOwner(): boolean {
    return this.roster.owner === this.core.me;
  }

  nameOf(member: MemberId): string {
    return this.core.people.find((person) => person.memberId === member)?.name ?? '';
  }

  /** Also writes another store's change in the same atomic write. */
  alongside(store: string, key: string, value: Bytes | null): void {
    this.#stage(store, key, value);
  }

  /** One atomic write of everything that changed. Rejects with VAULT_FULL and the like. */
  async commit(): Promise<void> {
    this.core.roster = encodeRoster(this.roster);
    this.#stage(STORES.rooms, this.core.roomId, encodeRecord(roomCore, this.core));
    const changes = [...this.#changes.values()];
    this.#changes = new Map();
    await this.#vault.write(changes);
  }

  #stage(store: string, key: string, value: Bytes | null): void {
    this.#changes.set(`${store} ${key}`, { store, key, value });
  }
}

/** The next message of this member, in the outbox; not yet written. */
export function enqueue(
  state: RoomState,
  platform: Pick<Platform, 'crypto'>,
  content: AnyContent,
): OutboxItem {
  const { core } = state;
  const item: OutboxItem = {
    n: core.nextN++,
    instance: core.instance,
    mid: platform.crypto.random.bytes(16),
    made: platform.crypto.clock.now(),
    content,
    sealed: null,
  };
  state.putOutbox(item);
  return item;
}

/** Replaces or adds in a list that is keyed by one field. */
export function upsert<T>(list: T[], same: (item: T) => boolean, item: T): void {
  const at = list.findIndex(same);
  if (at < 0) list.push(item);
  else list[at] = item;
}

export const HISTORY_DEFAULT = Math.min(100_000, LIMITS.historyEntries);
