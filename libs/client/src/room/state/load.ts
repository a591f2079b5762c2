/** Reads a room's record out of the vault. */
import { ERROR_CODES, toBase64Url, type Bytes, type MemberId, type RoomId } from '@0fc/protocol';
import { bodyHash, decodeRoster, type Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../errors.js';
import type { Vault } from '../../vault.js';
import { deepFreeze } from './deep-freeze.js';
import { StoredLog } from './log-table.js';
import {
  decodeRecord, logRecord, outboxItem, ownerInvite, prefixOf, ROSTER_SLICE, rotationRecord, senderRecord, sliceKey, SLICES,
  STORES, type RoomCore,
} from './records.js'; // prettier-ignore
import { indexRecord, placeKey, type Tables } from './tables.js';

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

export async function loadTables(vault: Vault, roomId: RoomId, hash: Hash): Promise<Tables | null> {
  const found = await loadCore(vault, roomId);
  if (found === null) return null;
  const { core } = found;
  const listed = (store: string) => vault.listFrom(store, prefixOf(roomId));
  const named = (key: string): string => key.slice(prefixOf(roomId).length);
  const log = (await listed(STORES.log)).map(({ value }) => decodeRecord(logRecord, value));
  const tables: Tables = {
    core,
    roster: decodeRoster(found.roster),
    chainAhead: [],
    log: new StoredLog(log, core.nextIndex),
    chain: new Map(),
    heads: new Map(),
    rotations: new Map(),
    senders: new Map(),
    outbox: new Map(),
    invites: new Map(),
    transcripts: new Map(),
    mids: new Map(),
  };
  for (const [index, { value }] of (await listed(STORES.chain)).entries()) {
    tables.chain.set(index, value);
    tables.heads.set(toBase64Url(await bodyHash(hash, value)), index);
  }
  for (const { key, value } of await listed(STORES.rotations)) {
    tables.rotations.set(Number(named(key)), decodeRecord(rotationRecord, value));
  }
  for (const { key, value } of await listed(STORES.senders)) {
    tables.senders.set(named(key) as MemberId, decodeRecord(senderRecord, value));
  }
  for (const record of log) indexRecord(tables, record);
  // Where it stands may be among many alarms that have no record of their own.
  tables.transcripts.set(placeKey(core.position), core.t);
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
