/** Prekeys, key requests and grants, the transfer of ownership (docs/protocol.md sections 4 and 7). */
import { equalBytes, type Bytes, type MemberId, type RoomId } from '@0fc/protocol';
import type { Keys } from '../../rooms/port/store-keys.js';
import { refuse } from '../../rooms/port/result.js';
import { isMember, memberRow, openRoom } from './room.js';
import type { Transaction } from './transaction.js';

type Of<K extends keyof Keys> = Awaited<ReturnType<Keys[K]>>;

export function putPrekey(tx: Transaction, command: Parameters<Keys['putPrekey']>[0]): Of<'putPrekey'> {
  const { roomId, memberId, k, prekey } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const member = memberRow(tx, roomId, memberId);
  if (member?.standing !== 'member') return refuse('FORBIDDEN');
  if (k < member.prekey_k) return refuse('BAD_ENTRY');
  if (k === member.prekey_k) {
    return member.prekey !== null && equalBytes(member.prekey, prekey) ? { ok: true } : refuse('BAD_ENTRY');
  }
  tx.run(
    'UPDATE members SET prekey_k = ?, prekey = ? WHERE room_id = ? AND member_id = ?',
    k,
    prekey,
    roomId,
    memberId,
  );
  return { ok: true };
}

export function readPrekeys(tx: Transaction, roomId: RoomId): Of<'readPrekeys'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const rows = tx.all<{ member_id: MemberId; prekey: Bytes | null }>(
    // A leaver is on the roster until its owner says otherwise, and a rotation must name it.
    "SELECT member_id, prekey FROM members WHERE room_id = ? AND standing IN ('member', 'leaving') ORDER BY ordinal",
    roomId,
  );
  return { ok: true, prekeys: rows.map(({ member_id: memberId, prekey }) => ({ memberId, prekey })) };
}

const requestOf = (tx: Transaction, roomId: RoomId, memberId: MemberId): Bytes | null =>
  tx.all<{ request: Bytes }>(
    'SELECT request FROM key_requests WHERE room_id = ? AND member_id = ?',
    roomId,
    memberId,
  )[0]?.request ?? null;

export function putNeedKey(
  tx: Transaction,
  roomId: RoomId,
  memberId: MemberId,
  request: Bytes,
): Of<'putNeedKey'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  if (!isMember(tx, roomId, memberId)) return refuse('FORBIDDEN');
  const known = requestOf(tx, roomId, memberId);
  if (known !== null && equalBytes(known, request)) return { ok: true };
  tx.run(
    'INSERT INTO key_requests VALUES (?, ?, ?) ON CONFLICT (room_id, member_id) DO UPDATE SET request = excluded.request',
    roomId,
    memberId,
    request,
  );
  tx.run('DELETE FROM key_grants WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.publish(roomId, { type: 'needKey', memberId });
  return { ok: true };
}

export function putKeyGrant(tx: Transaction, command: Parameters<Keys['putKeyGrant']>[0]): Of<'putKeyGrant'> {
  const { roomId, from, to, grant, news } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  if (!isMember(tx, roomId, from)) return refuse('FORBIDDEN');
  const request = requestOf(tx, roomId, to);
  if (request === null || !equalBytes(request, command.request)) return refuse('BAD_ENTRY');
  const known = tx.all<{ granter: MemberId; granted: Bytes }>(
    'SELECT granter, granted FROM key_grants WHERE room_id = ? AND member_id = ?',
    roomId,
    to,
  )[0];
  if (known !== undefined)
    return known.granter === from && equalBytes(known.granted, grant) ? { ok: true } : refuse('BAD_ENTRY');
  tx.run('INSERT INTO key_grants VALUES (?, ?, ?, ?, ?)', roomId, to, from, grant, news);
  tx.publish(roomId, { type: 'keyGrant', to, from });
  return { ok: true };
}

export function pendingNeedKeys(tx: Transaction, roomId: RoomId, memberId: MemberId): Of<'pendingNeedKeys'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const { owner } = found.row;
  const rows = tx.all<{ member_id: MemberId; request: Bytes }>(
    `SELECT member_id, request FROM key_requests
     WHERE room_id = ?1 AND member_id <> ?2 AND (?2 = ?3 OR member_id = ?3)
       AND NOT EXISTS (SELECT 1 FROM key_grants WHERE key_grants.room_id = ?1
                       AND key_grants.member_id = key_requests.member_id)`,
    roomId,
    memberId,
    owner,
  );
  return { ok: true, requests: rows.map(({ member_id: from, request }) => ({ from, request })) };
}

export function readNeedKey(tx: Transaction, roomId: RoomId, memberId: MemberId): Of<'readNeedKey'> {
  const found = openRoom(tx, roomId);
  return found.ok ? { ok: true, request: requestOf(tx, roomId, memberId) } : found;
}

export function keyGrants(tx: Transaction, roomId: RoomId, memberId: MemberId): Of<'keyGrants'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const rows = tx.all<{ granter: MemberId; granted: Bytes; news: Bytes }>(
    'SELECT granter, granted, news FROM key_grants WHERE room_id = ? AND member_id = ?',
    roomId,
    memberId,
  );
  return { ok: true, grants: rows.map(({ granter: from, granted: grant, news }) => ({ from, grant, news })) };
}

interface OfferRow {
  readonly member_id: MemberId;
  readonly offer: Bytes;
  readonly acceptance: Bytes | null;
}
const offerRow = (tx: Transaction, roomId: RoomId): OfferRow | undefined =>
  tx.all<OfferRow>('SELECT * FROM offers WHERE room_id = ?', roomId)[0];

export function putOffer(tx: Transaction, roomId: RoomId, to: MemberId, offer: Bytes): Of<'putOffer'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  if (!isMember(tx, roomId, to)) return refuse('BAD_ENTRY');
  const known = offerRow(tx, roomId);
  if (known?.member_id === to && equalBytes(known.offer, offer)) return { ok: true };
  tx.run('INSERT OR REPLACE INTO offers VALUES (?, ?, ?, NULL)', roomId, to, offer);
  tx.publish(roomId, { type: 'offer', to });
  return { ok: true };
}

export function putAcceptance(
  tx: Transaction,
  roomId: RoomId,
  from: MemberId,
  acceptance: Bytes,
): Of<'putAcceptance'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const known = offerRow(tx, roomId);
  if (known?.member_id !== from) return refuse('BAD_ENTRY');
  if (known.acceptance !== null && equalBytes(known.acceptance, acceptance)) return { ok: true };
  tx.run('UPDATE offers SET acceptance = ? WHERE room_id = ?', acceptance, roomId);
  tx.publish(roomId, { type: 'acceptance', from });
  return { ok: true };
}

export function readOffer(tx: Transaction, roomId: RoomId): Of<'readOffer'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = offerRow(tx, roomId);
  if (row === undefined) return { ok: true, offer: null };
  const { member_id: to, offer, acceptance } = row;
  return { ok: true, offer: { from: found.row.owner, to, offer, acceptance } };
}
