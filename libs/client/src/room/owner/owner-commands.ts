/** What the owner signs and seals: join replies, admits, rotations (docs/protocol.md sections 4, 5, 7). */
import { ERROR_CODES, type Bytes, type MemberId, type ReplyBody, type RoomSettings } from '@0fc/protocol';
import {
  hybridPublicKey,
  makeJoinReply,
  makeRotation,
  signBody,
  type Ports as CryptoPorts,
} from '@0fc/crypto/keys';
import {
  applyRoster,
  memberIdOf,
  Turns,
  verifyPrekey,
  type Hash,
  type HybridPrekey,
  type Roster,
} from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import { checkpointBase } from '../log/checkpoint.js';
import type { OwnerInvite, PendingCommand } from '../../vault/records.js';
import type { DueOf } from '../outgoing/part.js';

/** Seals a join reply for the current epoch, with what that epoch began with. */
export async function makeReply(
  hash: Hash,
  snapshot: RoomSnapshot,
  invite: OwnerInvite,
): Promise<OwnerInvite['replies'][number]> {
  const { current, core, roster } = snapshot;
  const { token } = invite;
  const joinKey = invite.joiner?.joinKey ?? null;
  if (current.key === null || token === null || joinKey === null || invite.joiner === null) {
    throw new ClientError(ERROR_CODES.NO_ROOM_KEY);
  }
  const payload = await makeJoinReply(hash, {
    owner: core.identity,
    joinKey,
    token,
    roomId: core.roomId,
    joiner: await memberIdOf(hash, invite.joiner.key),
    request: invite.joiner.request,
    reply: {
      epoch: current.epoch,
      key: current.key,
      head: roster.head,
      rotation: current.rotation,
      floor: current.floor,
      t: checkpointBase(snapshot),
      counters: [...current.counters],
      profiles: core.people.flatMap((person) =>
        person.proof === null || !roster.members.has(person.memberId) ? [] : [person.proof],
      ),
      roomName: core.roomName?.proof ?? null,
    },
  });
  return { epoch: current.epoch, payload };
}

/** Head and epoch for every entry that is signed now (section 4). */
const onHead = ({ core, roster }: RoomSnapshot) => ({
  roomId: core.roomId,
  epoch: core.epoch,
  head: roster.head,
  owner: core.me,
});

/** The signed admit; with a fresh reply where the epoch has moved since the last one. */
export async function makeAdmit(
  hash: Hash,
  snapshot: RoomSnapshot,
  invite: OwnerInvite,
): Promise<PendingCommand> {
  const { core, roster } = snapshot;
  if (invite.joiner === null) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
  const entry = signBody(core.identity, 'admit', {
    ...onHead(snapshot),
    key: invite.joiner.key,
    prekey: invite.joiner.prekey,
    inviteId: invite.inviteId,
  });
  // Checked before signing: an entry that every client refuses would need a second one on this head.
  await applyRoster(hash, roster, entry);
  const moved = invite.replies.at(-1)?.epoch !== core.epoch;
  const reply = moved ? await makeReply(hash, snapshot, invite) : null;
  return { kind: 'roster', entry, rotation: null, candidate: null, inviteId: invite.inviteId, reply };
}

export type Offered = ReplyBody<'prekeys'>['prekeys'];

/** A fresh key for everybody on the roster whose newest prekey verifies. */
export async function makeRotationCommand(
  crypto: CryptoPorts,
  draft: RoomDraft,
  offered: Offered,
): Promise<PendingCommand> {
  const { rotation, candidate } = await freshKey(crypto, draft, draft.roster, offered);
  return { kind: 'rotate', entry: null, rotation, candidate, inviteId: null, reply: null };
}

/** The entry of a departure and a rotation for the others, in one command (section 4). */
export async function makeDeparture(
  crypto: CryptoPorts,
  draft: RoomDraft,
  departure:
    | { readonly kind: 'remove'; readonly member: MemberId }
    | { readonly kind: 'leave'; readonly member: MemberId; readonly request: Bytes },
  offered: Offered,
): Promise<PendingCommand> {
  const { core, roster } = draft;
  // A departure takes no cold rotation along: the rotation comes first, by itself.
  if (draft.current.key === null) throw new ClientError(ERROR_CODES.NO_ROOM_KEY);
  const head = onHead(draft);
  const { member } = departure;
  const entry =
    departure.kind === 'remove'
      ? signBody(core.identity, 'remove', { ...head, member, reason: 'removed' })
      : signBody(core.identity, 'leave', { ...head, member, request: departure.request });
  const after = await applyRoster(crypto.hash, roster, entry);
  const { rotation, candidate } = await freshKey(crypto, draft, after.roster, offered);
  return { kind: 'roster', entry, rotation, candidate, inviteId: null, reply: null };
}

/** A signed roster entry that goes alone: settings, transfer, close. */
export async function makeEntry(
  hash: Hash,
  snapshot: RoomSnapshot,
  change:
    | { readonly kind: 'settings'; readonly settings: RoomSettings }
    | { readonly kind: 'transfer'; readonly to: MemberId; readonly acceptance: Bytes }
    | { readonly kind: 'close' },
): Promise<PendingCommand> {
  const { core, roster } = snapshot;
  const head = onHead(snapshot);
  const entry =
    change.kind === 'settings'
      ? signBody(core.identity, 'settings', { ...head, settings: change.settings })
      : change.kind === 'transfer'
        ? signBody(core.identity, 'transfer', { ...head, to: change.to, acceptance: change.acceptance })
        : signBody(core.identity, 'close', head);
  // Checked before signing: an entry that every client refuses would need a second one on this head.
  await applyRoster(hash, roster, entry);
  return { kind: 'roster', entry, rotation: null, candidate: null, inviteId: null, reply: null };
}

async function freshKey(
  crypto: CryptoPorts,
  draft: RoomDraft,
  roster: Roster,
  offered: Offered,
): Promise<Pick<PendingCommand, 'rotation' | 'candidate'>> {
  const { core, current } = draft;
  const prekeys = await newestPrekeys(crypto.hash, draft, roster, offered);
  const made = await makeRotation(crypto, {
    identity: core.identity, roster, epoch: core.epoch, roomKey: current.key, base: checkpointBase(draft), prekeys,
    least: new Map(core.wrappedTo.map(({ memberId, k }) => [memberId, k])),
  }); // prettier-ignore
  return {
    rotation: { clear: made.command.clear, payload: made.command.payload, wraps: made.command.wraps },
    candidate: { epoch: made.newEpoch, key: made.newKey, keyHash: made.keyHash },
  };
}

/** The newest prekey of each member that it has signed, of what the relay offers; the own one from here. */
export async function newestPrekeys(
  hash: Hash,
  { core }: RoomSnapshot,
  roster: Roster,
  offered: Offered,
): Promise<ReadonlyMap<MemberId, HybridPrekey>> {
  const prekeys = new Map<MemberId, HybridPrekey>();
  const turns = new Turns();
  for (const { memberId, prekey } of offered) {
    if (prekey === null || !roster.members.has(memberId)) continue;
    await turns.step();
    try {
      const verified = await verifyPrekey(hash, roster, memberId, prekey);
      if (verified.k > (prekeys.get(memberId)?.k ?? 0)) prekeys.set(memberId, verified);
    } catch (error) {
      // The relay may offer anything: a member with nothing that it has signed gets no wrap, and the others go on.
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    }
  }
  // The own prekey is known, whatever the relay claims.
  const own = core.prekeys.reduce((newest, prekey) => (prekey.k > newest.k ? prekey : newest));
  prekeys.set(core.me, { k: own.k, ...hybridPublicKey(own.pair) });
  return prekeys;
}

type Command =
  | Pick<DueOf<'roster'>, 'kind' | 'body'>
  | Pick<DueOf<'rotate'>, 'kind' | 'body'>
  | Pick<DueOf<'restore'>, 'kind' | 'body'>;

/** `restored`: sent as an entry to restore; the signature of its owner is proof enough (section 6). */
export function commandOf(
  { core, invites }: RoomSnapshot,
  pending: PendingCommand,
  restored: boolean,
): Command | null {
  const { entry, rotation, inviteId, reply } = pending;
  if (entry === null) return rotation === null ? null : { kind: 'rotate', body: rotation };
  if (restored) {
    const { roomId, position, me: sender } = core;
    const brought = {
      position,
      kind: 'roster',
      sender,
      time: 0,
      clear: new Uint8Array(),
      payload: entry,
    } as const;
    return { kind: 'restore', body: { roomId, entries: [brought] } };
  }
  const ek = inviteId === null ? undefined : invites.get(inviteId)?.joiner?.ek;
  return {
    kind: 'roster',
    body: {
      entry,
      ...(ek === undefined ? {} : { ek }),
      ...(rotation === null ? {} : { rotation }),
      ...(inviteId === null || reply === null ? {} : { reply: { inviteId, ...reply } }),
    },
  };
}
