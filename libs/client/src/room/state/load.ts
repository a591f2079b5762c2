/** Reads a room's record out of the vault: what is always in memory, and what is looked for when it is wanted. */
import {
  ALARM_CODES, comparePositions, decodeCbor, ERROR_CODES, toBase64Url, type Bytes, type MemberId, type Position, type RoomId,
  type Target,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, decodeRoster, type Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../errors.js';
import type { Vault } from '../../vault.js';
import { deepFreeze } from './deep-freeze.js';
import type { IndexKeys } from './index-keys.js';
import { LogWindow } from './log-table.js';
import {
  decodeRecord, keyOf, logRecord, messageIndex, outboxItem, ownerInvite, prefixOf, ROSTER_SLICE, rotationRecord, senderRecord,
  sliceKey, SLICES, STORES, type LogRecord, type MessageIndex, type RoomCore, type RotationRecord,
} from './records.js'; // prettier-ignore
import { indexRecord, placeKey, type Place, type Tables } from './tables.js';

/** Rotations that are always in memory: the wraps of the last two are kept and dropped there. */
const ROTATIONS_AT_HAND = 4;
/** Records that are looked through at once for one that stands at a position. */
const PROBE = 32;

/** The core record and the encoded roster; null: the vault has no such room. Rejects with VAULT_DAMAGED, MALFORMED. */
export async function loadCore(
  vault: Vault,
  roomId: RoomId,
): Promise<{ readonly core: RoomCore; readonly roster: Bytes } | null> {
  const head = await vault.get(STORES.rooms, roomId);
  if (head === null) return null;
  const slice = async (name: string): Promise<Bytes> => {
    const data = await vault.get(STORES.slices, sliceKey(roomId, name));
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
  roomId: RoomId,
  hash: Hash,
  { window, from = Infinity }: { readonly window: number; readonly from?: number },
): Promise<(Tables & { readonly log: LogWindow }) | null> {
  const found = await loadCore(vault, roomId);
  if (found === null) return null;
  const { core } = found;
  const listed = (store: string) => vault.listFrom(store, prefixOf(roomId));
  const named = (key: string): string => key.slice(prefixOf(roomId).length);
  const next = core.nextIndex;
  const [oldest] = await vault.listReadable(STORES.log, keyOf(roomId, 0), keyOf(roomId, next), 1);
  const first = oldest === undefined ? next : Number(named(oldest.key));
  const log = await loadRecords(vault, roomId, Math.max(first, Math.min(next - window, from)), next);
  const rotationsFrom = Math.max(1, core.epoch - ROTATIONS_AT_HAND + 1);
  const tables: Tables & { readonly log: LogWindow } = {
    core,
    roster: decodeRoster(found.roster),
    chainAhead: [],
    log: new LogWindow(log, { first, next }),
    chain: new Map(),
    heads: new Map(),
    rotations: await loadRotations(vault, roomId, rotationsFrom, Number.MAX_SAFE_INTEGER),
    rotationsFrom,
    senders: new Map(),
    outbox: new Map(),
    invites: new Map(),
    transcripts: new Map(),
    // Where it stands may be among many alarms that have no record of their own.
    extras: new Map([[placeKey(core.position), core.t]]),
    messages: new Map(),
    sought: { messages: new Map(), places: new Map() },
  };
  for (const [index, { value }] of (await listed(STORES.chain)).entries()) {
    tables.chain.set(index, value);
    tables.heads.set(toBase64Url(await bodyHash(hash, value)), index);
  }
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

/** From an epoch up to, and without, another. */
export async function loadRotations(
  vault: Vault,
  roomId: RoomId,
  from: number,
  to: number,
): Promise<Map<number, RotationRecord>> {
  const found = await vault.listReadable(STORES.rotations, keyOf(roomId, from), keyOf(roomId, to));
  return new Map(
    // One that cannot be read is not held here: the others have it.
    found.flatMap(({ key, value }) =>
      value === null
        ? []
        : [[Number(key.slice(prefixOf(roomId).length)), decodeRecord(rotationRecord, value)] as const],
    ),
  );
}

/**
 * Records of the log from an index up to, and without, another. One that is missing, or is not what was stored, costs
 * only itself: it is an alarm in its place.
 */
export async function loadRecords(
  vault: Vault,
  roomId: RoomId,
  from: number,
  to: number,
): Promise<readonly LogRecord[]> {
  const found = await vault.listReadable(STORES.log, keyOf(roomId, from), keyOf(roomId, to));
  const known = new Map(found.map(({ key, value }) => [key, value]));
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => {
    const index = from + at;
    return recordIn(known.get(keyOf(roomId, index)) ?? null, index);
  });
}

function recordIn(value: Bytes | null, index: number): LogRecord {
  try {
    const record = value === null ? null : decodeRecord(logRecord, value);
    if (record?.index === index) return record;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  }
  const numbers = { index };
  const item = { type: 'alarm', code: ALARM_CODES.ALARM_RECORD_DAMAGED, member: null, numbers } as const;
  return { index, at: null, time: 0, items: [item] };
}

/** What was read at a position before an index; positions ascend with the log. */
export async function findPlace(
  vault: Vault,
  roomId: RoomId,
  position: Position,
  range: { readonly first: number; readonly before: number },
): Promise<Place> {
  let { first: low, before: high } = range;
  let follows = false;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const placed = await firstPlaced(vault, roomId, middle, high);
    if (placed === null) {
      high = middle;
      continue;
    }
    const order = comparePositions(placed.at.position, position);
    if (order === 0) return { t: placed.at.t, follows: true };
    if (order > 0) high = middle;
    else {
      low = placed.index + 1;
      follows = true;
    }
  }
  return { t: null, follows };
}

async function firstPlaced(vault: Vault, roomId: RoomId, from: number, to: number) {
  for (let at = from; at < to; at += PROBE) {
    for (const { index, at: place } of await loadRecords(vault, roomId, at, Math.min(to, at + PROBE))) {
      if (place !== null) return { index, at: place };
    }
  }
  return null;
}

/** Where the message under a counter stands, by the index; null: no such message was read. */
export async function findMessage(
  vault: Vault,
  keys: IndexKeys,
  target: Target,
): Promise<MessageIndex | null> {
  const value = await vault.get(STORES.messages, await keys.message(target));
  return value === null ? null : decodeRecord(messageIndex, value);
}

/** Indexes of the records that change a message, ascending. */
export async function findEffects(vault: Vault, keys: IndexKeys, target: Target): Promise<readonly number[]> {
  const found = await vault.listFrom(STORES.effects, await keys.effectsOf(target));
  return found.map(({ value }) => Number(decodeCbor(value)));
}
