/**
 * Bodies of signed containers. On the wire a body is `CBOR["0fc/1/"+kind, fields]`: it
 * starts with its tag, names its room, and its epoch, sender and receiver where it has
 * them (docs/protocol.md section 2; words: docs/glossary.md).
 */
import * as v from 'valibot';
import { decodeCbor, encodeCbor, PROTOCOL_VERSION, type CborValue } from './codec.js';
import { anyContent, signalContent } from './content.js';
import { ERROR_CODES, ProtocolError } from './errors.js';
import { LIMITS } from './limits.js';
import {
  bytes, container, epoch, hash32, integer, inviteId, memberId, name, parse, position, publicKey, random16, random32, roomId,
  secret, time, type InferOutput, type Schema,
} from './schema.js'; // prettier-ignore
import type { Bytes } from './bytes.js';

/** Least and most of each number among a room's settings. */
export const SETTINGS_BOUNDS = {
  rotateEvery: [1, LIMITS.rotateEvery],
  maxMembers: [2, LIMITS.maxMembers],
  /** entries of history the relay may keep for absent members */
  history: [0, LIMITS.historyEntries],
  /** milliseconds */
  joinDeadline: [LIMITS.minJoinDeadlineMs, LIMITS.joinDeadlineMs],
} as const;

export const settings = v.strictObject({
  rotateEvery: integer(...SETTINGS_BOUNDS.rotateEvery),
  maxMembers: integer(...SETTINGS_BOUNDS.maxMembers),
  history: integer(...SETTINGS_BOUNDS.history),
  approval: v.boolean(),
  joinDeadline: integer(...SETTINGS_BOUNDS.joinDeadline),
});
export type RoomSettings = InferOutput<typeof settings>;
export const SETTINGS_FIELDS = Object.keys(settings.entries) as readonly (keyof RoomSettings)[];

const reason = v.picklist(['removed', 'misuse']);

/** Fields every roster entry but genesis has: the room, the epoch and the head that it stands on, who signs. */
const onHead = { roomId, epoch, head: hash32, owner: memberId };

export const BODIES = {
  genesis: v.strictObject({
    ownerKey: publicKey,
    prekey: v.strictObject({ k: v.literal(1), key: publicKey }),
    nonce: random32,
    keyHash: hash32,
    settings,
  }),
  admit: v.strictObject({ ...onHead, key: publicKey, prekey: container, inviteId }),
  remove: v.strictObject({ ...onHead, member: memberId, reason }),
  leave: v.strictObject({ ...onHead, member: memberId, request: container }),
  transfer: v.strictObject({ ...onHead, to: memberId, acceptance: container }),
  settings: v.strictObject({ ...onHead, settings }),
  close: v.strictObject({ ...onHead }),
  leaveRequest: v.strictObject({ roomId, member: memberId, admit: hash32 }),
  transferOffer: v.strictObject({ roomId, old: memberId, new: memberId, nonce: random16 }),
  transferAcceptance: v.strictObject({ roomId, old: memberId, new: memberId, nonce: random16 }),
  prekey: v.strictObject({ roomId, memberId, k: integer(1, LIMITS.prekeyNumber), key: publicKey }),
  joinRequest: v.strictObject({
    roomId, inviteId, ownerKey: publicKey, joinerKey: publicKey, joinKey: secret('joinKey'), prekey: container, name,
  }), // prettier-ignore
  joinConfirm: v.strictObject({ roomId, epoch, joiner: memberId, request: hash32, reply: hash32 }),
  message: v.strictObject({
    roomId,
    epoch,
    sender: memberId,
    instance: random16,
    n: integer(1),
    mid: random16,
    seen: v.strictObject({ position, t: hash32 }),
    sentAt: time,
    content: anyContent,
  }),
  signal: v.strictObject({
    roomId, epoch, sender: memberId, instance: random16, counter: integer(1), sentAt: time, content: signalContent,
  }), // prettier-ignore
  /** the clear part of a rotation */
  rotation: v.strictObject({
    roomId,
    newEpoch: epoch,
    owner: memberId,
    head: hash32,
    keyHash: hash32,
    ephemeral: publicKey,
    unwrapped: v.pipe(v.array(memberId), v.maxLength(LIMITS.maxMembers)),
    payload: hash32,
  }),
  /** inside the rotation's payload, under the old key */
  rotationInner: v.strictObject({ roomId, newEpoch: epoch, owner: memberId, head: hash32, keyHash: hash32 }),
  needKey: v.strictObject({ roomId, memberId, prekey: publicKey, nonce: random16 }),
  keyGrant: v.strictObject({
    roomId,
    epoch,
    granter: memberId,
    memberId,
    request: hash32,
    ephemeral: publicKey,
    sealed: v.pipe(container),
  }),
} as const satisfies Record<string, Schema<object>>;

export type BodyKind = keyof typeof BODIES;
export type Body<K extends BodyKind> = InferOutput<(typeof BODIES)[K]>;

/** Kinds of roster entries, in no particular order; genesis is the first of every chain. */
export const ROSTER_KINDS = ['genesis', 'admit', 'remove', 'leave', 'transfer', 'settings', 'close'] as const;
export type RosterKind = (typeof ROSTER_KINDS)[number];

const tagOf = (kind: BodyKind): string => `0fc/${String(PROTOCOL_VERSION)}/${kind}`;

/** Validates and encodes a body: the bytes that get signed. Throws MALFORMED. */
export const encodeBody = <K extends BodyKind>(kind: K, body: Body<K>): Bytes =>
  encodeCbor([tagOf(kind), parse(BODIES[kind] as unknown as Schema<Body<K>>, body) as unknown as CborValue]);

/** The kind and fields of a body of one of `kinds`. Throws MALFORMED, TOO_LARGE, UNSUPPORTED_VERSION or UNKNOWN_KIND. */
export function decodeBody<K extends BodyKind>(
  bytes: Bytes,
  ...kinds: readonly K[]
): { [P in K]: { readonly kind: P; readonly body: Body<P> } }[K] {
  const value = decodeCbor(bytes, LIMITS.bodyItems);
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') {
    throw new ProtocolError(ERROR_CODES.MALFORMED, 'not a tagged body');
  }
  const tag: string = value[0];
  const kind = kinds.find((candidate) => tagOf(candidate) === tag);
  if (kind === undefined) {
    const known = tag.startsWith(`0fc/${String(PROTOCOL_VERSION)}/`) || !/^0fc\/\d+\//.test(tag);
    throw new ProtocolError(
      known ? ERROR_CODES.UNKNOWN_KIND : ERROR_CODES.UNSUPPORTED_VERSION,
      'another kind of body',
    );
  }
  const body = parse(BODIES[kind] as unknown as Schema<Body<K>>, value[1]);
  return { kind, body };
}

/** Plaintext of a joinReply (sealed under the join key). */
export const joinReplyBody = v.strictObject({
  epoch,
  key: secret('roomKey'),
  head: hash32,
  /** clear part of the rotation that began the epoch: commits to the key (null in epoch 1: genesis does) */
  rotation: v.nullable(bytes(1, LIMITS.clearBytes)),
  /** position of the rotation or genesis that began the epoch */
  floor: position,
  /** transcript at the floor */
  t: hash32,
  /** each sender's last counter at the floor */
  counters: v.pipe(
    v.array(v.strictObject({ sender: memberId, instance: random16, n: integer(1) })),
    v.maxLength(4 * LIMITS.maxMembers),
  ),
  /** newest signed message containers of type profile, one a member at most */
  profiles: v.pipe(v.array(container), v.maxLength(LIMITS.maxMembers)),
  /** newest signed message container of type roomName */
  roomName: v.nullable(container),
});
export type JoinReplyBody = InferOutput<typeof joinReplyBody>;

/** Plaintext sealed under the granted key, beside a keyGrant. */
export const keyGrantNews = v.strictObject({
  profiles: v.pipe(v.array(container), v.maxLength(LIMITS.maxMembers)),
  roomName: v.nullable(container),
});
export type KeyGrantNews = InferOutput<typeof keyGrantNews>;

/** Plaintext of a wrap, under the old key. */
export const wrapBody = v.strictObject({ k: integer(1), sealed: container });
/** What the wrap's inner Secure Message carries. */
export const wrappedKey = v.strictTuple([
  v.literal('0fc/1/wrapped-key'),
  roomId,
  epoch,
  memberId,
  secret('roomKey'),
]);
/** What a key grant's Secure Message carries. */
export const grantedKey = v.strictTuple([
  v.literal('0fc/1/granted-key'),
  roomId,
  epoch,
  memberId,
  secret('roomKey'),
]);

/** What an invite link's fragment holds, before its four check bytes. */
export const inviteLink = v.strictObject({
  v: v.literal(1),
  roomId,
  ownerKey: publicKey,
  inviteKey: publicKey,
  token: secret('inviteToken'),
  /** SHA-256 of the relay's public key */
  relay: hash32,
  expires: time,
});
export type InviteLink = InferOutput<typeof inviteLink>;
