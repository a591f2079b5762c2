/** Loads a room's record from the vault: the part that is always in memory, and parts on demand. */
import {
  ALARM_CODES, comparePositions, ERROR_CODES, toBase64Url, type Bytes, type MemberId, type Position, type Target,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, decodeRoster, readChain, type Hash, type Roster } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { Vault } from '../../vault/vault.js';
import { deepFreeze } from './immutable.js';
import type { IndexKeys } from '../../vault/index-keys.js';
import { LogWindow } from './log-table.js';
import {
  decodeRecord, ITEMS_PER_RECORD, keyOf, logRecord, membershipOf, messageIndex, outboxItem, ownerInvite, prefixOf, ROSTER_SLICE, rotationRecord, senderRecord,
  sliceKey, SLICES, STORES, type LogRecord, type MessageIndex, type RoomCore, type RotationRecord,
  type StoredItem,
} from '../../vault/records.js'; // prettier-ignore
import { indexRecord, positionKey } from './record-index.js';
import type { Place, Tables } from './tables.js';

/** Number of rotations that are always in memory: the wraps of the last two are kept and dropped there. */
const ROTATIONS_AT_HAND = 4;
/** Number of records that are searched at once for a position. */
const PROBE = 32;

/** The core record and the encoded roster; null: the vault has no such room. Rejects with VAULT_DAMAGED, MALFORMED. */
export async function loadCore(
  vault: Vault,
  membership: string,
): Promise<{ readonly core: RoomCore; readonly roster: Bytes } | null> {
  const head = await vault.get(STORES.rooms, membership);
  if (head === null) return null;
  const slice = async (name: string): Promise<Bytes> => {
    const data = await vault.get(STORES.slices, sliceKey(membership, name));
    if (data === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED, { store: STORES.slices });
    return data;
  };
  const core: RoomCore = {
    ...decodeRecord(SLICES.head, head),
    ...decodeRecord(SLICES.place, await slice('place')),
    ...decodeRecord(SLICES.keys, await slice('keys')),
    ...decodeRecord(SLICES.names, await slice('names')),
    ...decodeRecord(SLICES.own, await slice('own')),
    ...decodeRecord(SLICES.reading, await slice('reading')),
    ...decodeRecord(SLICES.owner, await slice('owner')),
    ...decodeRecord(SLICES.loss, await slice('loss')),
  };
  return { core: deepFreeze(core), roster: await slice(ROSTER_SLICE) };
}

/** `window`: records of the log that are wanted in memory; `from`: or from this index on, where that is more. */
export async function loadTables(
  vault: Vault,
  membership: string,
  hash: Hash,
  { window, from = Infinity }: { readonly window: number; readonly from?: number },
): Promise<(Tables & { readonly log: LogWindow }) | null> {
  const found = await loadCore(vault, membership);
  if (found === null) return null;
  const { core } = found;
  const listed = (store: string) => vault.listFrom(store, prefixOf(membership));
  const named = (key: string): string => key.slice(prefixOf(membership).length);
  const next = core.nextIndex;
  const [oldest] = await vault.listReadable(STORES.log, keyOf(membership, 0), keyOf(membership, next), 1);
  const first = oldest === undefined ? next : Number(named(oldest.key));
  const log = await loadRecords(vault, membership, Math.max(first, Math.min(next - window, from)), next);
  const rotationsFrom = Math.max(1, core.epoch - ROTATIONS_AT_HAND + 1);
  const tables: Tables & { readonly log: LogWindow } = {
    core,
    roster: decodeRoster(found.roster),
    chainAhead: [],
    log: new LogWindow(log, { first, next }),
    chain: new Map(),
    heads: new Map(),
    rotations: await loadRotations(vault, membership, rotationsFrom, Number.MAX_SAFE_INTEGER),
    rotationsFrom,
    senders: new Map(),
    outbox: new Map(),
    invites: new Map(),
    transcripts: new Map(),
    // The last position may belong to counted alarms, which have no record.
    extras: new Map([[positionKey(core.position), core.t]]),
    messages: new Map(),
    effects: new Map(),
    sought: { messages: new Map(), places: new Map(), effects: new Map() },
  };
  for (const [index, { value }] of (await listed(STORES.chain)).entries()) {
    tables.chain.set(index, value);
    tables.heads.set(toBase64Url(await bodyHash(hash, value)), index);
  }
  tables.roster = await asKnownNow(hash, tables.roster, [...tables.chain.values()]);
  for (const { key, value } of await listed(STORES.senders)) {
    tables.senders.set(named(key) as MemberId, decodeRecord(senderRecord, value));
  }
  for (const record of log) indexRecord(tables, record);
  for (const { value } of await listed(STORES.outbox)) {
    const item = decodeRecord(outboxItem, value);
    tables.outbox.set(item.n, item);
  }
  for (const { value } of await listed(STORES.invites)) {
    const invite = decodeRecord(ownerInvite, value);
    tables.invites.set(invite.inviteId, invite);
  }
  return tables;
}

/**
 * A roster that an earlier version of this client did not know all of, read again: this one may. Rejects as
 * {@link readChain} does where the stored chain is not what that roster was made of.
 */
const asKnownNow = async (hash: Hash, roster: Roster, chain: readonly Bytes[]): Promise<Roster> =>
  roster.newer ? readChain(hash, roster.roomId, chain) : roster;

/** From an epoch up to, and without, another. */
export async function loadRotations(
  vault: Vault,
  membership: string,
  from: number,
  to: number,
): Promise<Map<number, RotationRecord>> {
  const found = await vault.listReadable(STORES.rotations, keyOf(membership, from), keyOf(membership, to));
  return new Map(
    // An unreadable rotation counts as unknown: other members have it.
    found.flatMap(({ key, value }) =>
      value === null
        ? []
        : [[Number(key.slice(prefixOf(membership).length)), decodeRecord(rotationRecord, value)] as const],
    ),
  );
}

/**
 * Records of the log from an index up to another, exclusive. A missing or damaged record affects only itself: an
 * alarm replaces it.
 */
export async function loadRecords(
  vault: Vault,
  membership: string,
  from: number,
  to: number,
): Promise<readonly LogRecord[]> {
  const found = await vault.listReadable(STORES.log, keyOf(membership, from), keyOf(membership, to));
  const known = new Map(found.map(({ key, value }) => [key, value]));
  let before = 0;
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => {
    const index = from + at;
    const record = recordIn(known.get(keyOf(membership, index)) ?? null, index, before);
    before = record.time;
    return record;
  });
}

/** `time`: of the record before it, for one that cannot be read. */
function recordIn(value: Bytes | null, index: number, time: number): LogRecord {
  try {
    const record = value === null ? null : decodeRecord(logRecord, value);
    if (record?.index === index) return withinOrder(record);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  }
  const numbers = { index };
  const item = { type: 'alarm', code: ALARM_CODES.ALARM_RECORD_DAMAGED, member: null, numbers } as const;
  return { index, at: null, time, items: [item] };
}

/** Earlier versions wrote one item for each member without a wrap: too many of them become their number. */
function withinOrder(record: LogRecord): LogRecord {
  const { items } = record;
  if (items.length <= ITEMS_PER_RECORD) return record;
  const others = items.filter((item) => item.type !== 'system' || item.event !== 'unwrapped');
  const unwrapped = items.length - others.length;
  const counted = others.map((item): StoredItem => {
    if (item.type !== 'system' || item.event !== 'rotated') return item;
    return { ...item, numbers: { ...item.numbers, unwrapped, mine: 0 } };
  });
  return { ...record, items: counted };
}

/**
 * The record at a position before an index. Positions ascend with the log, except where reading has gone back
 * (`turns`): the newest run that has the position counts.
 */
export async function findPlace(
  vault: Vault,
  core: RoomCore,
  position: Position,
  { first, before }: { readonly first: number; readonly before: number },
): Promise<Place> {
  const { turns } = core;
  const membership = membershipOf(core);
  const oldest = await firstPlaced(vault, membership, first, before);
  const follows = oldest !== null && comparePositions(oldest.at.position, position) < 0;
  const begins = [first, ...turns.filter((index) => index > first && index < before)];
  for (const [at, begin] of [...begins.entries()].reverse()) {
    const t = await findIn(vault, membership, position, begin, begins[at + 1] ?? before);
    if (t !== null) return { t, follows };
  }
  return { t: null, follows };
}

/** Binary search: positions ascend within a run. */
async function findIn(
  vault: Vault,
  membership: string,
  position: Position,
  from: number,
  to: number,
): Promise<Bytes | null> {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const placed = await firstPlaced(vault, membership, middle, high);
    const order = placed === null ? 1 : comparePositions(placed.at.position, position);
    if (placed !== null && order === 0) return placed.at.t;
    if (placed === null || order > 0) high = middle;
    else low = placed.index + 1;
  }
  return null;
}

async function firstPlaced(vault: Vault, membership: string, from: number, to: number) {
  for (let at = from; at < to; at += PROBE) {
    for (const { index, at: place } of await loadRecords(vault, membership, at, Math.min(to, at + PROBE))) {
      if (place !== null) return { index, at: place };
    }
  }
  return null;
}

/**
 * Index of the message under a counter; null: no such message was read, or its index entry is unreadable: a
 * repetition of it is an alarm then (log/message.ts).
 */
export async function findMessage(
  vault: Vault,
  keys: IndexKeys,
  target: Target,
): Promise<MessageIndex | null> {
  const key = await keys.message(target);
  const [found] = await vault.listReadable(STORES.messages, key, `${key}\0`, 1);
  if (found === undefined || found.value === null) return null;
  try {
    return decodeRecord(messageIndex, found.value);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}

/** Indexes of the records that change a message, ascending, from the keys alone. */
export async function findEffects(vault: Vault, keys: IndexKeys, target: Target): Promise<readonly number[]> {
  const prefix = await keys.effectsOf(target);
  return (await vault.keysFrom(STORES.effects, prefix)).map((key) => Number(key.slice(prefix.length)));
}
