/** A room's record in memory, and the one function that changes it. */
import { toBase64Url, type Bytes, type MemberId, type Position } from '@0fc/protocol';
import { encodeRoster, type Roster } from '@0fc/crypto/verify';
import { countedIn, generationSlot } from './alarm-flood.js';
import type { RoomChange } from './changes.js';
import { deepFreeze } from './deep-freeze.js';
import {
  encodeRecord, keyOf, logRecord, NEW_SENDER, outboxItem, ownerInvite, prefixOf, ROSTER_SLICE, rotationRecord, senderRecord,
  sliceKey, SLICES, STORES, type LogRecord, type OutboxItem, type OwnerInvite, type RoomCore, type RotationRecord,
  type SenderRecord, type SliceName,
} from './records.js'; // prettier-ignore
import type { Log } from './log-table.js';
import type { StorageChange } from '../../ports.js';

export interface Table<K, V> extends ReadonlyMap<K, V> {
  set(key: K, value: V): unknown;
  delete(key: K): unknown;
}

export interface Tables {
  core: RoomCore;
  roster: Roster;
  chainAhead: readonly Bytes[];
  readonly log: Log;
  /** signed roster entries by index, genesis first */
  readonly chain: Table<number, Bytes>;
  /** index of each chain entry by its body hash */
  readonly heads: Table<string, number>;
  readonly rotations: Table<number, RotationRecord>;
  readonly senders: Table<MemberId, SenderRecord>;
  readonly outbox: Table<number, OutboxItem>;
  readonly invites: Table<string, OwnerInvite>;
  readonly transcripts: Table<string, Bytes>;
  /** nonce of each message that was read, by its sender, instance and counter */
  readonly mids: Table<string, Bytes>;
}

export const placeKey = ({ g, s }: Position): string => `${String(g)}/${String(s)}`;

export const messageKey = (sender: MemberId, instance: Bytes, n: number): string =>
  `${sender}/${toBase64Url(instance)}/${String(n)}`;

/** What the changes of one draft write to the vault: the last value of each record. */
export class Writes {
  readonly #records = new Map<string, StorageChange>();
  readonly #slices = new Set<SliceName>();
  #roster = false;
  /** indexes of the local log that were added or replaced */
  readonly touched = new Set<number>();

  put(store: string, key: string, value: Bytes | null): void {
    this.#records.set(`${store} ${key}`, { store, key, value });
  }

  slice(name: SliceName): void {
    this.#slices.add(name);
  }

  roster(): void {
    this.#roster = true;
  }

  /** Encodes the slices that changed; throws MALFORMED for what no later unlock could read. */
  changes({ core, roster }: Pick<Tables, 'core' | 'roster'>): readonly StorageChange[] {
    const { roomId } = core;
    const slices = [...this.#slices].map((name): StorageChange => {
      const store = name === 'head' ? STORES.rooms : STORES.slices;
      const key = name === 'head' ? roomId : sliceKey(roomId, name);
      return { store, key, value: encodeSlice(name, core) };
    });
    if (this.#roster) {
      slices.push({
        store: STORES.slices,
        key: sliceKey(roomId, ROSTER_SLICE),
        value: encodeRoster(roster),
      });
    }
    return [...slices, ...this.#records.values()];
  }
}

/** Which slice each field of the core record is stored in. */
const SLICE_OF: ReadonlyMap<string, SliceName> = new Map(
  Object.entries(SLICES).flatMap(([name, schema]) =>
    Object.keys(schema.entries).map((field) => [field, name as SliceName] as const),
  ),
);

function encodeSlice(name: SliceName, core: RoomCore): Bytes {
  const schema = SLICES[name];
  const fields = Object.keys(schema.entries);
  const slice = Object.fromEntries(Object.entries(core).filter(([field]) => fields.includes(field)));
  return encodeRecord<unknown>(schema, slice);
}

/** Carries a change out. `writes` collects what of it the vault must hold; null: it holds it already. */
export function applyChange(tables: Tables, change: RoomChange, writes: Writes | null): void {
  // Types forbid changing what is here from outside; this holds where an alias has lost its type.
  deepFreeze(change);
  const { roomId } = tables.core;
  switch (change.kind) {
    case 'set':
      tables.core = Object.freeze({ ...tables.core, ...change.fields });
      if (writes === null) return;
      for (const field of Object.keys(change.fields)) {
        const slice = SLICE_OF.get(field);
        if (slice === undefined) throw new Error(`no slice has the field ${field}`);
        writes.slice(slice);
      }
      return;
    case 'append':
      appendRecord(tables, change, writes);
      return;
    case 'replace': {
      const known = tables.log.at(change.index);
      if (known !== undefined) putLogRecord(tables, { ...known, items: change.items }, writes);
      return;
    }
    case 'transcript':
      tables.transcripts.set(placeKey(change.position), change.t);
      return;
    case 'chain': {
      const index = tables.chain.size;
      tables.heads.set(toBase64Url(change.head), index);
      tables.chain.set(index, change.container);
      tables.roster = change.roster;
      writes?.put(STORES.chain, keyOf(roomId, index), change.container);
      writes?.roster();
      return;
    }
    case 'chainAhead':
      tables.chainAhead = change.entries;
      return;
    case 'rotation':
      tables.rotations.set(change.epoch, change.record);
      writes?.put(STORES.rotations, keyOf(roomId, change.epoch), encodeRecord(rotationRecord, change.record));
      return;
    case 'sender': {
      const known = tables.senders.get(change.memberId) ?? NEW_SENDER;
      const record = Object.freeze({ ...known, ...change.fields });
      tables.senders.set(change.memberId, record);
      writes?.put(STORES.senders, prefixOf(roomId) + change.memberId, encodeRecord(senderRecord, record));
      return;
    }
    case 'outbox':
      if (change.item === null) tables.outbox.delete(change.n);
      else tables.outbox.set(change.n, change.item);
      writes?.put(
        STORES.outbox,
        keyOf(roomId, change.n),
        change.item === null ? null : encodeRecord(outboxItem, change.item),
      );
      return;
    case 'invite':
      if (change.invite === null) tables.invites.delete(change.inviteId);
      else tables.invites.set(change.inviteId, change.invite);
      writes?.put(
        STORES.invites,
        prefixOf(roomId) + change.inviteId,
        change.invite === null ? null : encodeRecord(ownerInvite, change.invite),
      );
      return;
    case 'record':
      writes?.put(change.store, change.key, change.value);
      return;
  }
}

function appendRecord(
  tables: Tables,
  { at, time, items }: Extract<RoomChange, { kind: 'append' }>,
  writes: Writes | null,
): void {
  const { core, log } = tables;
  const counted = countedIn(log, items, (at?.position ?? core.position).s);
  if (counted !== null) {
    if (at !== null) tables.transcripts.set(placeKey(at.position), at.t);
    const known = log.at(counted.index);
    if (known !== undefined) putLogRecord(tables, { ...known, items: counted.items }, writes);
    return;
  }
  const slot = at?.relayed === null && items.length === 0 ? generationSlot(log) : null;
  const reused = slot === null ? undefined : log.at(slot);
  if (reused !== undefined) {
    putLogRecord(tables, { ...reused, at, time }, writes);
    return;
  }
  const index = core.nextIndex;
  const lastTime = items.length > 0 ? time : core.lastTime;
  tables.core = Object.freeze({ ...core, nextIndex: index + 1, lastTime });
  writes?.slice('place');
  putLogRecord(tables, { index, at, time, items }, writes);
}

function putLogRecord(tables: Tables, record: LogRecord, writes: Writes | null): void {
  tables.log.put(record);
  indexRecord(tables, record);
  if (writes === null) return;
  writes.touched.add(record.index);
  writes.put(STORES.log, keyOf(tables.core.roomId, record.index), encodeRecord(logRecord, record));
}

/** What is looked up by something else than a record's index. */
export function indexRecord({ transcripts, mids }: Tables, { at, items }: LogRecord): void {
  if (at !== null) transcripts.set(placeKey(at.position), at.t);
  for (const item of items) {
    if (item.type === 'message') mids.set(messageKey(item.sender, item.instance, item.n), item.mid);
  }
}
