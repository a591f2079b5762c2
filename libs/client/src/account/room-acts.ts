/** Commands on a room that affect this device alone: nothing is sent. */
import { ERROR_CODES, PROTOCOL_VERSION, type Bytes, type RoomId } from '@0fc/protocol';
import { safetyNumber } from '@0fc/crypto/keys';
import { fingerprintOf, type Hash, type Roster } from '@0fc/crypto/verify';
import type { Failure, SafetyNumberView } from '../contract/api.js';
import { ClientError } from '../contract/errors.js';
import type { StorageChange } from '../contract/ports.js';
import { membershipKey, prefixOf, STORES } from '../vault/records.js';
import type { Room } from '../room/room.js';
import { set, type RoomSnapshot } from '../room/state/draft.js';
import { hasEnded, type MembershipLink } from '../view/summary.js';
import type { Vault } from '../vault/vault.js';
import { digitsOf } from '../view/member-identities.js';

/** Of a member, a former one, or the joiner of an invite. Rejects with MEMBER_UNKNOWN. */
export async function safetyNumberWith(
  hash: Hash,
  state: RoomSnapshot,
  memberOrInvite: string,
): Promise<SafetyNumberView> {
  const { roomId, identity } = state.core;
  const theirs = keyOfMember(state, memberOrInvite) ?? keyOfJoiner(state, memberOrInvite);
  if (theirs === null) throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
  const mine = identity.publicKey;
  const digits = digitsOf(await safetyNumber(hash, roomId, mine, theirs));
  const myFingerprint = await fingerprintOf(hash, mine);
  const theirFingerprint = await fingerprintOf(hash, theirs);
  return { digits, qr: `0fc-safety:1:${roomId}:${digits}`, myFingerprint, theirFingerprint };
}

/** The safety number was compared, or is to be compared again. Rejects with MEMBER_UNKNOWN. */
export async function setVerified(room: Room, memberId: string, verified: boolean): Promise<void> {
  await room.write((draft) => {
    const { core, roster } = draft;
    if (keyOfMember(draft, memberId) === null) throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
    const everyone = [...roster.members.keys(), ...roster.former.keys()];
    const others = core.verified.filter((known) => known !== memberId);
    const added = verified ? everyone.filter((known) => known === memberId) : [];
    draft.apply(set({ verified: [...others, ...added] }));
  });
}

/** Null for oneself: there is nobody to compare with. */
function keyOfMember({ core, roster }: RoomSnapshot, memberId: string): Bytes | null {
  if (memberId === core.me) return null;
  const member = [...roster.members.values()].find((known) => known.memberId === memberId);
  const former = [...roster.former].find(([known]) => known === memberId);
  return member?.key ?? former?.[1].key ?? null;
}

const keyOfJoiner = (state: RoomSnapshot, inviteId: string): Bytes | null =>
  state.invites.get(inviteId)?.joiner?.key ?? null;

/** Stopped while `store` puts its end into the vault; what could not be ended goes on, while the vault `isOpen`. */
export async function stopWhile(
  live: { start(): void; stop(): Promise<void> },
  isOpen: () => boolean,
  store: () => Promise<void>,
): Promise<void> {
  await live.stop();
  try {
    await store();
  } catch (error) {
    if (isOpen()) live.start();
    throw error;
  }
}

/** The changes that delete everything of a room. */
export async function deletionOf(vault: Vault, membership: string): Promise<readonly StorageChange[]> {
  const stores = [
    STORES.slices,
    STORES.senders,
    STORES.chain,
    STORES.rotations,
    STORES.log,
    STORES.messages,
    STORES.effects,
    STORES.outbox,
    STORES.invites,
  ];
  const lists = await Promise.all(
    stores.map(async (store) =>
      (await vault.keysFrom(store, prefixOf(membership))).map((key) => ({ store, key, value: null })),
    ),
  );
  const heads = [STORES.rooms, STORES.joins].map((store) => ({ store, key: membership, value: null }));
  return [...heads, ...lists.flat()];
}

/**
 * Id of the membership for a new join. An ended membership keeps its log beside the new one, and so does an
 * unreadable one (`damaged`: their ids). Throws ALREADY_MEMBER, and ROOM_CLOSED for a room that its owner has closed.
 */
export function newMembership(
  rooms: ReadonlyMap<string, Room>,
  damaged: ReadonlyMap<string, unknown>,
  roomId: RoomId,
): string {
  const known = [...rooms.values()].filter(({ state }) => state.core.roomId === roomId);
  const stages = known.map(({ state }) => state.core.stage);
  if (stages.includes('closed')) throw new ClientError(ERROR_CODES.ROOM_CLOSED);
  if (stages.includes('member')) throw new ClientError(ERROR_CODES.ALREADY_MEMBER);
  let n = 1;
  const isTaken = (key: string): boolean => rooms.has(key) || damaged.has(key);
  while (isTaken(membershipKey(roomId, n))) n += 1;
  return membershipKey(roomId, n);
}

/** Why a room of an earlier version of the protocol connects nowhere; null for one of this version, or a later one. */
export const outdatedFailure = ({ version }: Pick<Roster, 'version'>): Failure | null =>
  version >= PROTOCOL_VERSION ? null : { code: ERROR_CODES.ROOM_OUTDATED, params: { version } };

/**
 * Throws STILL_MEMBER where this member has to leave or close the room first. `unconfirmed`: a stored leave request
 * is enough, without waiting for the log to hold it.
 */
export function assertRoomEnded(room: MembershipLink, unconfirmed: boolean): void {
  const leaves = unconfirmed && room.state.core.leaveRequest !== null;
  if (!hasEnded(room) && !leaves) throw new ClientError(ERROR_CODES.STILL_MEMBER);
}

/**
 * The store that is damaged so that `open` fails; null: it does not fail. Other rejections of `open` are passed
 * through.
 */
export async function damageOf(open: () => Promise<void>): Promise<{ readonly store: string | null } | null> {
  try {
    await open();
    return null;
  } catch (error) {
    const { code, params } = ClientError.from(error);
    if (code !== ERROR_CODES.VAULT_DAMAGED && code !== ERROR_CODES.MALFORMED) throw error;
    return { store: typeof params.store === 'string' ? params.store : null };
  }
}
