/**
 * What is known of a room, and a draft of its next state. A snapshot can only be read; a draft lies over one,
 * and {@link RoomDraft.apply} is the only way to change it. Nothing of a draft reaches the snapshot below
 * before the vault has stored it (state.ts).
 */
import { comparePositions, toBase64Url, type Bytes, type MemberId, type Position } from '@0fc/protocol';
import type { Roster } from '@0fc/crypto/verify';
import type { StorageChange } from '../../ports.js';
import type { RoomChange } from './changes.js';
import { LayeredMap } from './layered-map.js';
import { LayeredLog, type LogView } from './log-table.js';
import {
  NEW_SENDER, type EpochKey, type OutboxItem, type OwnerInvite, type RoomCore, type RotationRecord, type SenderRecord,
  type StoredMessage,
} from './records.js'; // prettier-ignore
import { applyChange, messageKey, placeKey, Writes, type Tables } from './tables.js';

/** How many transcript values are kept for comparing with what others have seen (section 6). */
export const TRANSCRIPTS_KEPT = 10_000;

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

  /** Rotations that were read, by the epoch they begin. */
  get rotations(): ReadonlyMap<number, RotationRecord> {
    return this.tables.rotations;
  }

  /** The signed roster entries as they came, by index; genesis first. */
  get chain(): ReadonlyMap<number, Bytes> {
    return this.tables.chain;
  }

  /** Entries of the chain after a trimmed range, fetched and not verified yet. */
  get chainAhead(): readonly Bytes[] {
    return this.tables.chainAhead;
  }

  /** What is kept of each sender that was read. */
  get senders(): ReadonlyMap<MemberId, SenderRecord> {
    return this.tables.senders;
  }

  sender(memberId: MemberId): SenderRecord {
    return this.tables.senders.get(memberId) ?? NEW_SENDER;
  }

  /** Each sender's last counter, as a join reply names it. */
  counters(): EpochKey['counters'] {
    return [...this.tables.senders].flatMap(([sender, { counter }]) =>
      counter === null ? [] : [{ sender, ...counter }],
    );
  }

  /** The transcript at a position, where it is still known. */
  transcriptAt(position: Position): Bytes | null {
    return this.tables.transcripts.get(placeKey(position)) ?? null;
  }

  /** Whether a place lies within what was read here and kept, and had no entry then. */
  passedOver(position: Position): boolean {
    const { log, core } = this.tables;
    if (this.transcriptAt(position) !== null || comparePositions(position, core.position) > 0) return false;
    for (const { at } of log.oldestFirst(log.end - TRANSCRIPTS_KEPT)) {
      if (at !== null) return comparePositions(position, at.position) > 0;
    }
    return false;
  }

  /** Nonce of the message under a counter; null: none was read. */
  midOf(sender: MemberId, instance: Bytes, n: number): Bytes | null {
    return this.tables.mids.get(messageKey(sender, instance, n)) ?? null;
  }

  /** Every message that was read, oldest first. */
  messages(): readonly StoredMessage[] {
    return [...this.tables.log.oldestFirst()].flatMap(({ items }) =>
      items.filter((item) => item.type === 'message'),
    );
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

  /** A draft that begins as this is. What is below must not change while the draft is in use. */
  fork(): RoomDraft {
    const { core, roster, chainAhead, log, ...maps } = this.tables;
    return new RoomDraft({
      core,
      roster,
      chainAhead,
      log: new LayeredLog(log),
      chain: new LayeredMap(maps.chain),
      heads: new LayeredMap(maps.heads),
      rotations: new LayeredMap(maps.rotations),
      senders: new LayeredMap(maps.senders),
      outbox: new LayeredMap(maps.outbox),
      invites: new LayeredMap(maps.invites),
      transcripts: new LayeredMap(maps.transcripts),
      mids: new LayeredMap(maps.mids),
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
  get touched(): ReadonlySet<number> {
    return this.#writes.touched;
  }

  /** Throws MALFORMED for what cannot be stored. */
  apply(...changes: readonly RoomChange[]): void {
    for (const change of changes) {
      applyChange(this.tables, change, this.#writes);
      this.#changes.push(change);
    }
  }

  /** The records that the changes come to, encoded. Throws MALFORMED for what cannot be stored. */
  records(): readonly StorageChange[] {
    return this.#writes.changes(this.tables);
  }
}
