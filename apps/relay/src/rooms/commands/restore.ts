/**
 * Bringing back roster and rotation entries that the store lost (docs/protocol.md section 6).
 * Each proves itself: by its owner's signature, its head, its epoch. So it may come over any
 * connection; what is there already is passed over.
 */
import { type Bytes, type RequestBody, type Role, type RoomId } from '@0fc/protocol';
import { applyRoster, bodyHash, startRoster, verifyRotation } from '@0fc/crypto/verify';
import type { Handler, RelayContext } from './context.js';
import type { Peer } from '../delivery/peer.js';
import { unwrap, Refusal } from '../port/result.js';
import type { RoomFacts } from '../port/room-store.js';
import { assertVersion, bind, storeGenesis } from './rooms.js';
import { namedEpoch, storeChange } from './roster-changes.js';

/** Of a room whose store has lost nothing yet. */
const GENESIS_GENERATION = 1;

type Entries = RequestBody<'restore'>['entries'];
type Restored = Entries[number];

export const restore: Handler<'restore'> = {
  authorizedBy: 'store',
  async handle(context, peer, { roomId, entries }) {
    if (peer.subscription !== null && peer.subscription.roomId !== roomId) throw new Refusal('ALREADY_BOUND');
    const before = await context.store.readRoom(roomId, peer.memberId);
    if (before.ok) assertVersion(before.room);
    let restored = 0;
    for (const entry of entries) {
      // Each costs a signature's proof and more, over any connection: an address has so many.
      const retryMs = context.mayRestore(peer.address);
      if (retryMs > 0) throw new Refusal('RATE_LIMITED', { retryMs });
      if (await restoreOne(context, peer, roomId, entry)) restored++;
    }
    const { room, role } = unwrap(await context.store.readRoom(roomId, peer.memberId));
    if (isInside(role)) await bind(context, peer, roomId, role);
    return { reply: { restored, ...(await endFor(context, room, role, entries)) } };
  },
};

const isInside = (role: Role): boolean => role === 'member' || role === 'owner' || role === 'joiner';

/** The end of the log: for members. Anybody else learns what its own entries say, and no more. */
async function endFor(context: RelayContext, room: RoomFacts, role: Role, entries: Entries) {
  if (isInside(role)) return { head: room.head, epoch: room.epoch };
  const roster = entries.findLast(({ kind }) => kind === 'roster');
  const rotation = entries.findLast(({ kind }) => kind === 'rotation');
  return {
    head: await bodyHash(context.hash, roster?.payload ?? rotation?.clear ?? new Uint8Array(0)),
    epoch: rotation === undefined ? 1 : namedEpoch(rotation.clear),
  };
}

/** False: it is there already. */
async function restoreOne(
  context: RelayContext,
  peer: Peer,
  roomId: RoomId,
  entry: Restored,
): Promise<boolean> {
  switch (entry.kind) {
    case 'roster':
      return restoreRoster(context, peer, roomId, entry.payload);
    case 'rotation':
      return restoreRotation(context, peer, roomId, entry);
    case 'message':
    case 'leaveRequest':
      // Their senders send them again; nobody else's word stands for them.
      throw new Refusal('BAD_ENTRY');
  }
}

/** Whether this store has declared that it lost something of a room, or may have: a generation after the first does. */
const hasLost = ({ tip }: RoomFacts): boolean => tip.g !== GENESIS_GENERATION;

async function restoreRoster(
  context: RelayContext,
  peer: Peer,
  roomId: RoomId,
  container: Bytes,
): Promise<boolean> {
  const known = await context.store.readRoom(roomId, peer.memberId);
  if (!known.ok && known.code === 'ROOM_UNKNOWN') return restoreRoom(context, peer, roomId, container);
  const { room } = unwrap(known);
  const head = await bodyHash(context.hash, container);
  if (unwrap(await context.store.findRoster(roomId, head)).placed !== null) return false;
  const before = await context.rosters.at(room);
  const { roster, change } = await applyRoster(context.hash, before, container);
  // An admission that no join led to here has come of one that was lost, or of none. Where a room is made by ticket alone
  // its owner has made a lost one anew, and nothing tells the two apart.
  const ticketed = context.limits.creationToken !== null;
  if (change.kind === 'admit' && !hasLost(room) && !ticketed) throw new Refusal('BAD_ENTRY');
  unwrap(
    await context.store.appendRoster({
      roomId,
      signer: before.owner,
      before: before.head,
      epoch: change.epoch,
      head,
      container,
      change: storeChange(context, change, true),
      restored: true,
    }),
  );
  if (change.kind === 'close') context.rosters.forget(roomId);
  else context.rosters.keep(roster);
  return true;
}

/** All of it was lost: the genesis makes the room again, under the rules for making one. */
async function restoreRoom(
  context: RelayContext,
  peer: Peer,
  roomId: RoomId,
  genesis: Bytes,
): Promise<boolean> {
  // Where rooms need a ticket the owner shows it, by `create`; the rest may then be restored.
  if (context.limits.creationToken !== null) throw new Refusal('ROOM_UNKNOWN');
  const roster = await startRoster(context.hash, genesis);
  if (roster.roomId !== roomId) throw new Refusal('BAD_ENTRY');
  if (!context.mayCreate(peer.address)) throw new Refusal('RATE_LIMITED', { retryMs: 60_000 });
  await storeGenesis(context, roster, genesis, true);
  return true;
}

async function restoreRotation(
  context: RelayContext,
  peer: Peer,
  roomId: RoomId,
  entry: Restored,
): Promise<boolean> {
  const { clear, payload, wrap } = entry;
  const { room } = unwrap(await context.store.readRoom(roomId, peer.memberId));
  // The wraps went with the entry; who lacks one asks with needKey. One's own may come along.
  const wraps = new Map(wrap === undefined ? [] : [[peer.memberId, wrap]]);
  const hash = await bodyHash(context.hash, clear);
  const own = { roomId, by: peer.memberId, newEpoch: namedEpoch(clear), hash, wraps };
  if (unwrap(await context.store.addWraps(own)).placed !== null) return false;
  const roster = await context.rosters.at(room);
  const body = await verifyRotation(context.hash, roster, room.epoch, clear, payload);
  // Where nothing was lost it is one more rotation, and no message of its own made room for it; after a loss, which an
  // owner can bring about by restoring a room of its own, there are more of them, but not without end.
  const retryMs = context.mayRotate(roomId, hasLost(room));
  if (retryMs > 0) throw new Refusal('RATE_LIMITED', { retryMs });
  unwrap(
    await context.store.rotate({
      roomId,
      signer: roster.owner,
      head: roster.head,
      rotation: { newEpoch: body.newEpoch, hash, clear, payload, wraps },
    }),
  );
  return true;
}
