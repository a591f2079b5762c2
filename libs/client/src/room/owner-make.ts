/** What the owner signs and seals: join replies, admits, rotations (docs/protocol.md sections 4, 5, 7). */
import { ERROR_CODES, type Bytes, type MemberId, type ReplyBody } from '@0fc/protocol';
import { makeJoinReply, makeRotation, signBody } from '@0fc/crypto/keys';
import { verifyPrekey } from '@0fc/crypto/verify';
import { ClientError } from '../errors.js';
import type { OwnerInvite, PendingCommand } from './records.js';
import type { RoomHandle } from './handle.js';

/** A reply for the epoch of this moment, with what its epoch began with. */
export async function makeReply(
  room: RoomHandle,
  invite: OwnerInvite,
): Promise<OwnerInvite['replies'][number]> {
  const { state, platform } = room;
  const { current, core } = state;
  const { token } = invite;
  const joinKey = invite.joiner?.joinKey ?? null;
  if (current.key === null || token === null || joinKey === null || invite.joiner === null) {
    throw new ClientError(ERROR_CODES.NO_ROOM_KEY);
  }
  const payload = await makeJoinReply(platform.crypto.hash, {
    joinKey,
    token,
    roomId: core.roomId,
    request: invite.joiner.request,
    reply: {
      epoch: current.epoch,
      key: current.key,
      head: state.roster.head,
      rotation: current.rotation,
      floor: current.floor,
      t: current.t,
      counters: current.counters,
      profiles: core.people.flatMap((person) =>
        person.proof === null || !state.roster.members.has(person.memberId) ? [] : [person.proof],
      ),
      roomName: core.roomName?.proof ?? null,
    },
  });
  return { epoch: current.epoch, payload };
}

/** The signed admit; with a fresh reply where the epoch has moved since the last one. */
export async function makeAdmit(room: RoomHandle, invite: OwnerInvite): Promise<PendingCommand> {
  const { core, roster } = room.state;
  if (invite.joiner === null) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
  const entry = signBody(core.identity, 'admit', {
    roomId: core.roomId,
    head: roster.head,
    owner: core.me,
    key: invite.joiner.key,
    prekey: invite.joiner.prekey,
    epoch: core.epoch,
    inviteId: invite.inviteId,
  });
  const moved = invite.replies.at(-1)?.epoch !== core.epoch;
  const reply = moved ? await makeReply(room, invite) : null;
  return { kind: 'roster', entry, rotation: null, candidate: null, inviteId: invite.inviteId, reply };
}

/** A fresh key for everybody on the roster, with the newest prekey of each that verifies. */
export async function makeRotationCommand(
  room: RoomHandle,
  offered: ReplyBody<'prekeys'>['prekeys'],
): Promise<PendingCommand> {
  const { state, platform } = room;
  const { core, roster, current } = state;
  if (current.key === null) throw new ClientError(ERROR_CODES.NO_ROOM_KEY);
  const prekeys = new Map<MemberId, { readonly k: number; readonly key: Bytes }>();
  for (const member of roster.members.values()) prekeys.set(member.memberId, member.prekey);
  for (const { memberId, prekey } of offered) {
    if (prekey === null || !roster.members.has(memberId)) continue;
    try {
      const { k, key } = verifyPrekey(roster, memberId, prekey);
      if (k > (prekeys.get(memberId)?.k ?? 0)) prekeys.set(memberId, { k, key });
    } catch (error) {
      // The relay may offer what it likes: only what its member signed replaces the one of the roster.
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    }
  }
  // One's own is known here, whatever the relay says.
  const own = core.prekeys.reduce((newest, prekey) => (prekey.k > newest.k ? prekey : newest));
  prekeys.set(core.me, { k: own.k, key: own.pair.publicKey });
  const made = await makeRotation(platform.crypto, {
    identity: core.identity, roster, epoch: core.epoch, roomKey: current.key, prekeys,
  }); // prettier-ignore
  return {
    kind: 'rotate',
    entry: null,
    rotation: { clear: made.command.clear, payload: made.command.payload, wraps: made.command.wraps },
    candidate: { epoch: made.newEpoch, key: made.newKey, keyHash: made.keyHash },
    inviteId: null,
    reply: null,
  };
}
