/** A room's record in memory, and the one function that changes it. */
import { encodeCbor, ERROR_CODES, toBase64Url, type Bytes, type MemberId } from '@0fc/protocol';
import { encodeRoster, type Roster } from '@0fc/crypto/verify';
import { targetKey, countsOf, isDamaged, isLineItem, moreThan } from '../../vault/content.js';
import { countedIn, generationSlot } from './alarm-flood.js';
import type { RoomChange } from './changes.js';
import { deepFreeze } from './immutable.js';
import {
  encodeRecord, ITEMS_PER_RECORD, keyOf, logRecord, membershipOf, messageIndex, NEW_SENDER, outboxItem, ownerInvite, prefixOf, ROSTER_SLICE, rotationRecord, senderRecord,
  sliceKey, SLICES, STORES, type LogRecord, type MessageIndex, type OutboxItem, type OwnerInvite, type RoomCore, type RotationRecord,
  type SenderRecord, type SliceName,
} from '../../vault/records.js'; // prettier-ignore
import type { IndexKeys } from '../../vault/index-keys.js';
import { effectsIn, indexEffects, indexEntries, indexRecord, isIndexed, positionKey, type IndexEntry, type RecordIndex, type Table } from './record-index.js'; // prettier-ignore
import type { Log } from './log-table.js';
import { ClientError } from '../../contract/errors.js';
import type { StorageChange } from '../../contract/ports.js';

export interface Tables extends RecordIndex {
  core: RoomCore;
  roster: Roster;
  chainAhead: readonly Bytes[];
  readonly log: Log;
  /** signed roster entries by index, genesis first */
  readonly chain: Table<number, Bytes>;
  /** index of each chain entry by its body hash */
  readonly heads: Table<string, number>;
  /** from `rotationsFrom` on */
  readonly rotations: Table<number, RotationRecord>;
  readonly rotationsFrom: number;
  readonly senders: Table<MemberId, SenderRecord>;
  readonly outbox: Table<number, OutboxItem>;
  readonly invites: Table<string, OwnerInvite>;
  /** by position, where no record of the log has one: of counted alarms, of trimmed edges */
  readonly extras: Table<string, Bytes>;
  /** results of lookups in the vault; shared by a state and all drafts over it */
  readonly sought: Sought;
}

interface Sought {
  /** null: there is none */
  readonly messages: Map<string, MessageIndex | null>;
  readonly places: Map<string, Place>;
  /** by message: indexes of the records that change it, ascending; of those before the window it names all */
  readonly effects: Map<string, readonly number[]>;
}

/** Result of a lookup of a position before the window. */
export interface Place {
  /** transcript at the position; null: no record of it is kept */
  readonly t: Bytes | null;
  /** whether a record before the position was read */
  readonly follows: boolean;
}

/** A record as it is going to be stored; null deletes. */
type Encoder = () => Bytes | null;

/**
 * What the changes of one draft write to the vault: the last value of each record. It is encoded when it is written: a page
 * of 128 messages changes the record of one sender some hundred times.
 */
export class Writes {
  readonly #records = new Map<string, Pick<StorageChange, 'store' | 'key'> & { readonly encode: Encoder }>();
  readonly #slices = new Set<SliceName>();
  #roster = false;
  readonly #index = new Map<string, IndexEntry>();
  /** indexes of the local log that were added or replaced */
  readonly changedIndexes = new Set<number>();

  put(store: string, key: string, encode: Encoder): void {
    this.#records.set(`${store} ${key}`, { store, key, encode });
  }

  slice(name: SliceName): void {
    this.#slices.add(name);
  }

  index(entry: IndexEntry): void {
    const index = entry.store === STORES.messages ? entry.at.index : entry.index;
    this.#index.set(`${entry.store} ${targetKey(entry.target)} ${String(index)}`, entry);
  }

  roster(): void {
    this.#roster = true;
  }

  /** Encodes what changed; throws MALFORMED for what no later unlock could read. */
  changes({ core, roster }: Pick<Tables, 'core' | 'roster'>): readonly StorageChange[] {
    const membership = membershipOf(core);
    const slices = [...this.#slices].map((name): StorageChange => {
      const store = name === 'head' ? STORES.rooms : STORES.slices;
      const key = name === 'head' ? membership : sliceKey(membership, name);
      return { store, key, value: encodeSlice(name, core) };
    });
    if (this.#roster) {
      slices.push({
        store: STORES.slices,
        key: sliceKey(membership, ROSTER_SLICE),
        value: encodeRoster(roster),
      });
    }
    const records = [...this.#records.values()].map(({ store, key, encode }): StorageChange => ({
      store,
      key,
      value: encode(),
    }));
    return [...slices, ...records];
  }

  /** The entries of the indexes, encoded. */
  indexChanges(keys: IndexKeys): Promise<readonly StorageChange[]> {
    return Promise.all(
      [...this.#index.values()].map(async (entry): Promise<StorageChange> => {
        const { store, target } = entry;
        if (store === STORES.messages)
          return { store, key: await keys.message(target), value: encodeRecord(messageIndex, entry.at) };
        const value = entry.gone === true ? null : encodeCbor(entry.index);
        return { store, key: await keys.effect(target, entry.index), value };
      }),
    );
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

/** Applies a change. `writes` collects the records to store; null: they are stored already. */
export function applyChange(tables: Tables, change: RoomChange, writes: Writes | null): void {
  // The types forbid changes from outside; freezing also catches an untyped alias.
  deepFreeze(change);
  const membership = membershipOf(tables.core);
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
      // A damaged record is not stored as the alarm that replaces it.
      if (known !== undefined && !isDamaged(known))
        putLogRecord(tables, { ...known, items: change.items }, writes);
      return;
    }
    case 'transcript':
      tables.extras.set(positionKey(change.position), change.t);
      return;
    case 'chain': {
      const index = tables.chain.size;
      tables.heads.set(toBase64Url(change.head), index);
      tables.chain.set(index, change.container);
      tables.roster = change.roster;
      writes?.put(STORES.chain, keyOf(membership, index), () => change.container);
      writes?.roster();
      return;
    }
    case 'chainAhead':
      tables.chainAhead = change.entries;
      return;
    case 'rotation':
      tables.rotations.set(change.epoch, change.record);
      writes?.put(STORES.rotations, keyOf(membership, change.epoch), () =>
        encodeRecord(rotationRecord, change.record),
      );
      return;
    case 'sender': {
      const known = tables.senders.get(change.memberId) ?? NEW_SENDER;
      const record = Object.freeze({ ...known, ...change.fields });
      tables.senders.set(change.memberId, record);
      writes?.put(STORES.senders, prefixOf(membership) + change.memberId, () =>
        encodeRecord(senderRecord, record),
      );
      return;
    }
    case 'outbox': {
      const { n, item } = change;
      if (item === null) tables.outbox.delete(n);
      else tables.outbox.set(n, item);
      writes?.put(STORES.outbox, keyOf(membership, n), () =>
        item === null ? null : encodeRecord(outboxItem, item),
      );
      return;
    }
    case 'invite': {
      const { inviteId, invite } = change;
      if (invite === null) tables.invites.delete(inviteId);
      else tables.invites.set(inviteId, invite);
      writes?.put(STORES.invites, prefixOf(membership) + inviteId, () =>
        invite === null ? null : encodeRecord(ownerInvite, invite),
      );
      return;
    }
    case 'record':
      writes?.put(change.store, change.key, () => change.value);
      return;
  }
}

function appendRecord(
  tables: Tables,
  { at, time, items }: Extract<RoomChange, { kind: 'append' }>,
  writes: Writes | null,
): void {
  const { core, log } = tables;
  const counted = countedIn(log, items, { newest: core.shownIndex, s: (at?.position ?? core.position).s });
  if (counted !== null) {
    const known = log.at(counted.index);
    if (known !== undefined) putLogRecord(tables, { ...known, items: counted.items }, writes);
    // Entries of others keep their position in the log: a loss is measured by it.
    if (at !== null && items.some(({ type }) => type !== 'alarm'))
      appendRecord(tables, { kind: 'append', at, time, items: [] }, writes);
    else if (at !== null) tables.extras.set(positionKey(at.position), at.t);
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

/** Throws MALFORMED for a record of more items than its order has room for. */
function putLogRecord(tables: Tables, record: LogRecord, writes: Writes | null): void {
  if (record.items.length > ITEMS_PER_RECORD) throw new ClientError(ERROR_CODES.MALFORMED);
  const { log, core } = tables;
  const known = record.index < log.end ? log.at(record.index) : undefined;
  count(tables, known, record, writes);
  log.put(record);
  if (writes !== null) {
    for (const { target } of known === undefined ? [] : effectsIn(known))
      writes.index({ store: STORES.effects, target, index: record.index, gone: true });
    for (const entry of indexEntries(record))
      if (entry.store === STORES.effects || !isIndexed(tables, entry)) writes.index(entry);
  }
  if (known !== undefined) indexEffects(tables, known, []);
  indexRecord(tables, record);
  if (writes === null) return;
  writes.changedIndexes.add(record.index);
  writes.put(STORES.log, keyOf(membershipOf(core), record.index), () => encodeRecord(logRecord, record));
}

function count(
  tables: Tables,
  before: LogRecord | undefined,
  record: LogRecord,
  writes: Writes | null,
): void {
  const { core } = tables;
  const more = moreThan(countsOf(record, core.me), countsOf(before, core.me));
  const { index, items } = record;
  const later = (known: number | null): number => Math.max(index, known ?? 0);
  const lines = items.some((item) => item.type === 'message' && isLineItem(item));
  const shownIndex = items.length > 0 ? later(core.shownIndex) : core.shownIndex;
  const lineIndex = lines ? later(core.lineIndex) : core.lineIndex;
  const counted = Object.values(more).some((count) => count !== 0);
  if (!counted && shownIndex === core.shownIndex && lineIndex === core.lineIndex) return;
  const read = index < core.readIndex ? more.others : 0;
  tables.core = Object.freeze({
    ...core,
    alarms: plus(core.alarms, more.alarms),
    others: plus(core.others, more.others),
    sealed: plus(core.sealed, more.sealed),
    missed: plus(core.missed, more.missed),
    othersRead: plus(core.othersRead, read),
    shownIndex,
    lineIndex,
  });
  writes?.slice('place');
  if (read !== 0) writes?.slice('reading');
}

/** A wrong count of an older client must not prevent a room from being stored. */
const plus = (count: number, more: number): number => Math.max(0, count + more);
