/**
 * The state of a room, and a draft of its next state. A snapshot is read-only. A draft is layered over one, and
 * {@link RoomDraft.apply} is the only way to change it. Changes of a draft reach the snapshot below only once the
 * vault has stored them (state.ts).
 */
import {
  comparePositions, equalBytes, toBase64Url, type Bytes, type InviteId, type MemberId, type Position, type Target,
} from '@0fc/protocol'; // prettier-ignore
import type { Roster } from '@0fc/crypto/verify';
import type { StorageChange } from '../../contract/ports.js';
import type { RoomChange } from './changes.js';
import { targetKey } from '../../vault/content.js';
import type { IndexKeys } from '../../vault/index-keys.js';
import { LayeredMap } from './immutable.js';
import { LayeredLog, type LogView } from './log-table.js';
import { effectsOn } from './lookups.js';
import { NotLoaded } from './not-loaded.js';
import {
  NEW_SENDER, type EpochKey, type LogRecord, type MessageIndex, type OutboxItem, type OwnerInvite, type RoomCore, type RotationRecord,
  type SenderRecord, type StoredItem,
} from '../../vault/records.js'; // prettier-ignore
import { positionKey, type FoundEffect } from './record-index.js';
import { applyChange, Writes, type Place, type Tables } from './tables.js';

/** Number of older instances that are kept of each sender; messages of others are known by their nonces. */
export const RETIRED_KEPT = 32;

export abstract class RoomSnapshot {
  protected abstract readonly tables: Tables;

  get core(): RoomCore {
    return this.tables.core;
  }

  get roster(): Roster {
    return this.tables.roster;
  }

  get log(): LogView {
    return this.tables.log;
  }

  get outbox(): ReadonlyMap<number, OutboxItem> {
    return this.tables.outbox;
  }

  get invites(): ReadonlyMap<string, OwnerInvite> {
    return this.tables.invites;
  }

  /** The signed roster entries as they came, by index; genesis first. */
  get chain(): ReadonlyMap<number, Bytes> {
    return this.tables.chain;
  }

  /** Entries of the chain after a trimmed range, fetched and not verified yet. */
  get chainAhead(): readonly Bytes[] {
    return this.tables.chainAhead;
  }

  /** The record of each known sender. */
  get senders(): ReadonlyMap<MemberId, SenderRecord> {
    return this.tables.senders;
  }

  sender(memberId: MemberId): SenderRecord {
    return this.tables.senders.get(memberId) ?? NEW_SENDER;
  }

  /**
   * Each sender's last counter, as a join reply names it, sorted by sender, so that a restart does not change the
   * order.
   */
  counters(): EpochKey['counters'] {
    return [...this.tables.senders]
      .flatMap(([sender, { counter }]) => (counter === null ? [] : [{ sender, ...counter }]))
      .sort((a, b) => (a.sender < b.sender ? -1 : 1));
  }

  /** The transcript at a position, where it is known. Throws NotLoaded. */
  transcriptAt(position: Position): Bytes | null {
    const { transcripts, extras } = this.tables;
    const key = positionKey(position);
    return transcripts.get(key) ?? extras.get(key) ?? this.#placeOf(position).t;
  }

  /** Whether a position is within the part of the log that was read, and had no entry then. Throws NotLoaded. */
  isKnownEmpty(position: Position): boolean {
    if (comparePositions(position, this.tables.core.position) > 0) return false;
    return this.transcriptAt(position) === null && this.#placeOf(position).follows;
  }

  /** Looks up a position that no record in memory has. */
  #placeOf(position: Position): Place {
    const { log, sought, core } = this.tables;
    const whole = log.loaded === log.first;
    for (const { at } of log.oldestFirst(log.loaded)) {
      if (at === null) continue;
      const follows = comparePositions(at.position, position) < 0;
      // If positions have always ascended, no earlier record can have it.
      if (whole || (follows && core.turns.length === 0)) return { t: null, follows };
      break;
    }
    if (whole) return { t: null, follows: false };
    const place = sought.places.get(positionKey(position));
    if (place === undefined) throw new NotLoaded({ kind: 'position', position });
    return place;
  }

  /** Index of the message under a counter; null: none was read. Throws NotLoaded. */
  messageAt({ sender, instance, n }: Target): MessageIndex | null {
    const { messages, log, sought } = this.tables;
    const key = targetKey({ sender, instance, n });
    const known = messages.get(key);
    if (known !== undefined) return known;
    if (log.loaded === log.first) return null;
    if (n > this.#lastOf(sender, instance)) return null;
    const found = sought.messages.get(key);
    if (found === undefined) throw new NotLoaded({ kind: 'message', sender, instance, n });
    return found;
  }

  /** Messages that edit, delete or react to another one, in the order of the log. Throws NotLoaded. */
  effectsOn(target: Target): readonly FoundEffect[] {
    return effectsOn(this.tables, target);
  }

  /** Highest counter of an instance that can have a message. */
  #lastOf(sender: MemberId, instance: Bytes): number {
    const { core } = this.tables;
    const { counter, retired } = this.sender(sender);
    // Beyond that number the oldest instances are forgotten, and one of them may return with lower counters.
    const forgets = retired.length >= RETIRED_KEPT - 1;
    const same = counter !== null && !forgets && equalBytes(counter.instance, instance);
    const last = counter === null ? 0 : same ? counter.n : Infinity;
    // Messages that were given up are indexed too, and were never in the log.
    const own = sender === core.me && equalBytes(core.instance, instance);
    return own ? Math.max(last, core.nextN - 1) : last;
  }

  /** The rotation that began an epoch, where it was read. Throws NotLoaded. */
  rotation(epoch: number): RotationRecord | null {
    const { rotations, rotationsFrom, core } = this.tables;
    const known = rotations.get(epoch);
    if (known !== undefined) return known;
    if (epoch >= rotationsFrom || epoch < 1 || epoch > core.epoch) return null;
    throw new NotLoaded({ kind: 'rotations', from: epoch });
  }

  /** Index of the chain entry with this body hash, null for none. */
  chainIndex(head: Bytes): number | null {
    return this.tables.heads.get(toBase64Url(head)) ?? null;
  }

  key(epoch: number): EpochKey | null {
    return this.tables.core.keys.find((known) => known.epoch === epoch) ?? null;
  }

  get current(): EpochKey {
    const key = this.key(this.tables.core.epoch);
    if (key === null) throw new Error('the current epoch has no record');
    return key;
  }

  get isOwner(): boolean {
    return this.tables.roster.owner === this.tables.core.me;
  }

  nameOf(member: MemberId): string {
    return this.tables.core.people.find((person) => person.memberId === member)?.name ?? '';
  }

  /** A draft over this snapshot, which must not change while the draft is in use. */
  fork(): RoomDraft {
    const { core, roster, chainAhead, log, rotationsFrom, sought, ...maps } = this.tables;
    return new RoomDraft({
      core,
      roster,
      chainAhead,
      rotationsFrom,
      sought,
      log: new LayeredLog(log),
      chain: new LayeredMap(maps.chain),
      heads: new LayeredMap(maps.heads),
      rotations: new LayeredMap(maps.rotations),
      senders: new LayeredMap(maps.senders),
      outbox: new LayeredMap(maps.outbox),
      invites: new LayeredMap(maps.invites),
      transcripts: new LayeredMap(maps.transcripts),
      extras: new LayeredMap(maps.extras),
      messages: new LayeredMap(maps.messages),
      effects: new LayeredMap(maps.effects),
    });
  }
}

export class RoomDraft extends RoomSnapshot {
  protected readonly tables: Tables;
  readonly #changes: RoomChange[] = [];
  readonly #writes = new Writes();

  constructor(tables: Tables) {
    super();
    this.tables = tables;
  }

  /** Everything that was applied, in order. */
  get changes(): readonly RoomChange[] {
    return this.#changes;
  }

  /** Indexes of the local log that were added or replaced. */
  get changedIndexes(): ReadonlySet<number> {
    return this.#writes.changedIndexes;
  }

  /**
   * Throws MALFORMED for a record of more items than its order has room for; for what else cannot be stored
   * {@link records} does.
   */
  apply(...changes: readonly RoomChange[]): void {
    for (const change of changes) {
      applyChange(this.tables, change, this.#writes);
      this.#changes.push(change);
    }
  }

  /** The encoded records of the changes. Throws MALFORMED for what cannot be stored. */
  records(): readonly StorageChange[] {
    return this.#writes.changes(this.tables);
  }

  /** The encoded index entries of the changes. */
  indexRecords(keys: IndexKeys): Promise<readonly StorageChange[]> {
    return this.#writes.indexChanges(keys);
  }
}

// Makers of changes: what a draft applies.

/** Sets fields of the room's core record. */
export const set = (fields: Partial<RoomCore>): RoomChange => ({ kind: 'set', fields });

/**
 * Appends to the local log, at index `core.nextIndex`; repeated alarms are counted in the last of them instead
 * (alarm-flood.ts). `at`: the entry or generation of the record; `time`: Unix ms.
 */
export const append = (at: LogRecord['at'], time: number, items: readonly StoredItem[]): RoomChange => ({
  kind: 'append',
  at,
  time,
  items,
});

/**
 * Replaces the items of a record of the local log: a message whose key has arrived, a loss of which more is restored.
 */
export const replaceItems = (index: number, items: readonly StoredItem[]): RoomChange => ({
  kind: 'replace',
  index,
  items,
});

/** Remembers a transcript value that no record of the log holds. */
export const rememberTranscript = (position: Position, t: Bytes): RoomChange => ({
  kind: 'transcript',
  position,
  t,
});

/** Adds a verified entry to the roster chain; `roster` is the roster after it. */
export const extendChain = (container: Bytes, head: Bytes, roster: Roster): RoomChange => ({
  kind: 'chain',
  container,
  head,
  roster,
});

/** Entries of the chain after a trimmed range, fetched and not verified yet. Not stored. */
export const holdChain = (entries: readonly Bytes[]): RoomChange => ({ kind: 'chainAhead', entries });

export const keepRotation = (epoch: number, record: RotationRecord): RoomChange => ({
  kind: 'rotation',
  epoch,
  record,
});

export const setSender = (memberId: MemberId, fields: Partial<SenderRecord>): RoomChange => ({
  kind: 'sender',
  memberId,
  fields,
});

export const putOutbox = (item: OutboxItem): RoomChange => ({ kind: 'outbox', n: item.n, item });
export const dropOutbox = (n: number): RoomChange => ({ kind: 'outbox', n, item: null });

export const putInvite = (invite: OwnerInvite): RoomChange => ({
  kind: 'invite',
  inviteId: invite.inviteId,
  invite,
});
export const dropInvite = (inviteId: InviteId): RoomChange => ({ kind: 'invite', inviteId, invite: null });

/** A record of another store, in the same atomic write; null deletes. */
export const writeRecord = (store: string, key: string, value: Bytes | null): RoomChange => ({
  kind: 'record',
  store,
  key,
  value,
});
