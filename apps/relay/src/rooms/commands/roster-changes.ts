/** Roster entries and rotations (docs/protocol.md sections 4 and 7). */
import {
  decodeBody,
  encodeAs,
  LIMITS,
  publishedPrekey,
  type Bytes,
  type MemberId,
  type RequestBody,
  type RoomId,
  type RotationCommand,
} from '@0fc/protocol';
import {
  applyRoster,
  bodyHash,
  checkWraps,
  containerBody,
  verifyPrekey,
  verifyRotation,
  type Roster,
  type RosterChange,
} from '@0fc/crypto/verify';
import type { Handler, RelayContext } from './context.js';
import { otherEpoch, unwrap, Refusal } from '../port/result.js';
import type { RoomFacts, StoreChange, StoreRotation } from '../port/room-store.js';
import { boundRoom } from './rooms.js';

/** The part of a change that the store acts upon. `restored`: it was signed under limits that nobody knows any more. */
export function storeChange({ limits }: RelayContext, change: RosterChange, restored: boolean): StoreChange {
  switch (change.kind) {
    case 'settings': {
      const { settings } = limits;
      const entries = restored ? LIMITS.settingsEntries : settings.entries;
      return { kind: 'settings', history: change.settings.history, limits: { ...settings, entries } };
    }
    case 'admit':
    case 'remove':
    case 'leave':
    case 'transfer':
    case 'close':
    case 'upgrade':
      return change;
  }
}

const wrapsOf = ({ wraps }: RotationCommand): Map<MemberId, Bytes> =>
  new Map(Object.entries(wraps) as [MemberId, Bytes][]);

/** What an admission brings beside its entry. Without it a member publishes its prekey when it opens the room. */
const firstPrekeyOf = (change: RosterChange, ek: Bytes | undefined): { readonly firstPrekey?: Bytes } =>
  change.kind === 'admit' && ek !== undefined
    ? { firstPrekey: encodeAs(publishedPrekey, { prekey: change.prekey, ek }) }
    : {};

/** A rotation out of `epoch` on this roster, verified, with wraps for exactly its members. */
async function verifiedRotation(
  context: RelayContext,
  roster: Roster,
  epoch: number,
  command: RotationCommand,
): Promise<StoreRotation> {
  const { clear, payload } = command;
  const body = await verifyRotation(context.hash, roster, epoch, clear, payload);
  const byMember = wrapsOf(command);
  checkWraps(roster, body, byMember.keys());
  return {
    newEpoch: body.newEpoch,
    hash: await bodyHash(context.hash, clear),
    clear,
    payload,
    wraps: byMember,
  };
}

/** The epoch that a rotation's clear part begins; it has not been verified. */
export const namedEpoch = (clear: Bytes): number =>
  decodeBody(containerBody(clear), 'rotation').body.newEpoch;

export const roster: Handler<'roster'> = {
  // Of a room that this entry has closed already nobody is the owner any more; it has succeeded all the same.
  authorizedBy: 'store',
  async handle(context, peer, body) {
    const roomId = boundRoom(peer);
    const { room, role } = unwrap(await context.store.readRoom(roomId, peer.memberId));
    if (role !== 'owner' && !room.closed) throw new Refusal('FORBIDDEN');
    const head = await bodyHash(context.hash, body.entry);
    if (room.closed) return { reply: await closedBy(context, roomId, head) };
    const repeated = await alreadyThere(context, room, head, body);
    if (repeated !== null) return { reply: repeated };
    const before = await context.rosters.at(room);
    const { roster: next, change } = await applyRoster(context.hash, before, body.entry);
    const departs = change.kind === 'remove' || change.kind === 'leave';
    // A departure without a new key would leave the departed one able to read (G10).
    if (departs !== (body.rotation !== undefined)) throw new Refusal('BAD_ENTRY');
    if (body.reply !== undefined && (change.kind !== 'admit' || body.reply.inviteId !== change.inviteId)) {
      throw new Refusal('BAD_ENTRY');
    }
    const { ek } = body;
    if (ek !== undefined) {
      if (change.kind !== 'admit') throw new Refusal('BAD_ENTRY');
      await verifyPrekey(context.hash, next, change.member, { prekey: change.prekey, ek });
    }
    // Only a rise: a room made under a larger limit keeps its places, and its owner may change the rest.
    const most = Math.max(before.settings.maxMembers, context.limits.maxMembers);
    if (change.kind === 'settings' && next.settings.maxMembers > most) throw new Refusal('BAD_ENTRY');
    if (body.reply !== undefined && body.reply.epoch !== room.epoch) {
      throw new Refusal(otherEpoch(body.reply.epoch, room.epoch));
    }
    const rotation =
      body.rotation === undefined
        ? undefined
        : await verifiedRotation(context, next, room.epoch, body.rotation);
    const done = unwrap(
      await context.store.appendRoster({
        roomId,
        signer: before.owner,
        before: before.head,
        epoch: change.epoch,
        head,
        container: body.entry,
        change: { ...storeChange(context, change, false), ...firstPrekeyOf(change, ek) },
        restored: false,
        ...(rotation === undefined ? {} : { rotation }),
        ...(body.reply === undefined
          ? {}
          : { reply: { epoch: body.reply.epoch, payload: body.reply.payload } }),
      }),
    );
    if (change.kind === 'close') context.rosters.forget(roomId);
    else context.rosters.keep(next);
    context.trimmer.due(roomId);
    return {
      reply: { placed: done.placed, ...(done.rotation === undefined ? {} : { rotation: done.rotation }) },
    };
  },
};

/** The close that ended the room, sent again: of it nothing but its last entry is known. */
async function closedBy(context: RelayContext, roomId: RoomId, head: Bytes) {
  const { placed } = unwrap(await context.store.findRoster(roomId, head));
  if (placed === null) throw new Refusal('FORBIDDEN');
  return { placed };
}

/** The same entry again: success, while what it proposed is in the log. */
async function alreadyThere(
  context: RelayContext,
  room: RoomFacts,
  head: Bytes,
  body: RequestBody<'roster'>,
) {
  const { roomId } = room;
  const { placed } = unwrap(await context.store.findRoster(roomId, head));
  if (placed === null) return null;
  if (body.rotation === undefined) return { placed };
  const { clear } = body.rotation;
  const hash = await bodyHash(context.hash, clear);
  const known = unwrap(await context.store.findRotation(roomId, namedEpoch(clear), hash)).placed;
  if (known !== null) return { placed, rotation: known };
  // Somebody has brought the departure back alone: its owner's command brings the rest, and no other rotation.
  const { epoch } = decodeBody(containerBody(body.entry), 'remove', 'leave').body;
  if (namedEpoch(clear) !== epoch + 1) throw new Refusal('STALE_EPOCH');
  const rotated = await placeRotation(context, room, body.rotation);
  return { placed, rotation: rotated };
}

async function placeRotation(context: RelayContext, room: RoomFacts, command: RotationCommand) {
  const { roomId, epoch } = room;
  const members = await context.rosters.at(room);
  const rotation = await verifiedRotation(context, members, epoch, command);
  const { owner: signer, head } = members;
  return unwrap(await context.store.rotate({ roomId, signer, head, rotation })).placed;
}

export const rotate: Handler<'rotate'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, body) {
    const hash = await bodyHash(context.hash, body.clear);
    const known = unwrap(await context.store.findRotation(roomId, namedEpoch(body.clear), hash)).placed;
    if (known !== null) {
      // Brought back by somebody who had but its own wrap: its owner heals it.
      const wraps = wrapsOf(body);
      const newEpoch = namedEpoch(body.clear);
      unwrap(await context.store.addWraps({ roomId, by: peer.memberId, newEpoch, hash, wraps }));
      return { reply: { placed: known } };
    }
    // An owner can make keys without end, and each is every member's to keep: a message makes room for one.
    const retryMs = room.epochMessages > 0 ? 0 : context.mayRotate(roomId, false);
    if (retryMs > 0) throw new Refusal('RATE_LIMITED', { retryMs });
    const placed = await placeRotation(context, room, body);
    context.trimmer.due(roomId);
    return { reply: { placed } };
  },
};
