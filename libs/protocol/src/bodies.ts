/**
 * Bodies of signed containers. On the wire a body is `CBOR["0fc/2/"+kind, fields]`: it
 * starts with its tag, names its room, and its epoch, sender and receiver where it has
 * them (docs/protocol.md section 2; words: docs/glossary.md).
 */
import * as v from 'valibot';
import { decodeCbor, encodeCbor, PROTOCOL_VERSION, tagOf, type CborValue } from './codec.js';
import { anyContent, seen, signalContent } from './content.js';
import { ERROR_CODES, ProtocolError } from './errors.js';
import { LIMITS } from './limits.js';
import {
  bytes, container, encapsulationKey, epoch, hash32, integer, inviteId, kemCiphertext, memberId, name, parse, position, publicKey, random16, random32, roomId,
  secret, text, time, type InferOutput, type Schema,
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
/** Of a room of version 1, which took more members: as it is read from a vault. */
export const outdatedSettings = v.strictObject({ ...settings.entries, maxMembers: integer(2, 1_000) });
export type RoomSettings = InferOutput<typeof settings>;
export const SETTINGS_FIELDS = Object.keys(settings.entries) as readonly (keyof RoomSettings)[];

const reason = v.picklist(['removed', 'misuse']);

/** Fields every roster entry but genesis has: the room, the epoch and the head that it stands on, who signs. */
const onHead = { roomId, epoch, head: hash32, owner: memberId };

export const BODIES = {
  genesis: v.strictObject({
    /** of the room: what is signed and sealed in it follows this, and nothing that a relay says */
    version: v.literal(PROTOCOL_VERSION),
    ownerKey: publicKey,
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
  /** from here on the room is of a later version, which rises with each: who does not know it reads on and seals nothing */
  upgrade: v.strictObject({ ...onHead, version: integer(PROTOCOL_VERSION + 1, LIMITS.roomVersion) }),
  leaveRequest: v.strictObject({ roomId, member: memberId, admit: hash32 }),
  transferOffer: v.strictObject({
    roomId,
    /** of the roster when it was made: the offer ends with the next transfer */
    head: hash32,
    old: memberId,
    new: memberId,
    nonce: random16,
  }),
  /** ends with its epoch: a transfer holds one of the epoch that it names itself */
  transferAcceptance: v.strictObject({ roomId, epoch, old: memberId, new: memberId, nonce: random16 }),
  prekey: v.strictObject({
    roomId,
    memberId,
    k: integer(1, LIMITS.prekeyNumber),
    key: publicKey,
    /** SHA-256 of the encapsulation key, which travels beside the container: an admit stays in the chain for ever */
    ekHash: hash32,
  }),
  joinRequest: v.strictObject({
    roomId, inviteId,
    /** of the link that was used: what its owner compares with the one that it made */
    ownerKey: publicKey, inviteKey: publicKey,
    joinerKey: publicKey, joinKey: secret('joinKey'), prekey: container, ek: encapsulationKey, name,
  }), // prettier-ignore
  /** beside the reply, under the join key: the owner's word for all of it */
  joinReply: v.strictObject({
    roomId,
    epoch,
    joiner: memberId,
    /** SHA-256 of the joinRequest as it travelled */
    request: hash32,
    /** SHA-256 of the encoded joinReplyBody: a body of its size is no body to sign (LIMITS.bodyItems) */
    reply: hash32,
  }),
  joinConfirm: v.strictObject({ roomId, epoch, joiner: memberId, request: hash32, reply: hash32 }),
  message: v.strictObject({
    roomId,
    epoch,
    sender: memberId,
    instance: random16,
    n: integer(1),
    mid: random16,
    seen,
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
    /** T where the epoch before began, as the owner has it: the checkpoint; null: it does not know it */
    base: v.nullable(hash32),
    /** Unix ms by the owner's clock: a rotation is repeated as it was signed, however late it arrives */
    signedAt: time,
    /** made without the key of the epoch before: nothing in it is sealed under that */
    cold: v.boolean(),
  }),
  /** the rotation's payload: under the old key, or by itself where the rotation is cold */
  rotationInner: v.strictObject({
    roomId,
    newEpoch: epoch,
    owner: memberId,
    head: hash32,
    keyHash: hash32,
    /** number of the prekey that each member's wrap uses, in the order of the roster at `head`; 0: no wrap */
    prekeys: v.pipe(v.array(integer(0, LIMITS.prekeyNumber)), v.maxLength(LIMITS.maxMembers)),
  }),
  needKey: v.strictObject({
    roomId,
    memberId,
    epoch,
    /** body hash of the rotation that began the epoch; of genesis in the first: an answer is one to this epoch's key */
    rotation: hash32,
    /** a fresh hybrid key for this one answer */
    prekey: publicKey,
    ek: encapsulationKey,
    nonce: random16,
    /** whose grants to an earlier request of this epoch did not open: they are not asked again */
    failed: v.pipe(v.array(memberId), v.maxLength(LIMITS.failedGranters)),
  }),
  keyGrant: v.strictObject({
    roomId,
    epoch,
    granter: memberId,
    memberId,
    request: hash32,
    /** one hybrid message of kind `grant` */
    ephemeral: publicKey,
    ct: kemCiphertext,
    sealed: container,
  }),
  /** a relay's key gives way to another one; signed by both, for the deployment at `origin` (section 3.1) */
  'relay-succession': v.strictObject({ old: publicKey, new: publicKey, origin: text(1, LIMITS.originBytes) }),
} as const satisfies Record<string, Schema<object>>;

export type BodyKind = keyof typeof BODIES;
export type Body<K extends BodyKind> = InferOutput<(typeof BODIES)[K]>;

/** Kinds of roster entries, in no particular order; genesis is the first of every chain. */
export const ROSTER_KINDS = [
  'genesis',
  'admit',
  'remove',
  'leave',
  'transfer',
  'settings',
  'close',
  'upgrade',
] as const;
export type RosterKind = (typeof ROSTER_KINDS)[number];

/**
 * Kinds of the log that a later version may give more fields: who does not know them believes the others, says that it
 * needs a newer client, and seals nothing behind an entry or a rotation with one. A name that begins with `x-` is for
 * whoever knows it, and means nothing to the rest.
 */
const EXTENSIBLE: ReadonlySet<BodyKind> = new Set<BodyKind>([
  'admit', 'remove', 'leave', 'transfer', 'settings', 'close', 'upgrade', 'rotation', 'message', 'signal',
]); // prettier-ignore
/** Fields that are maps of known fields themselves. */
const NESTED: ReadonlySet<string> = new Set(['settings']);

type Fields = Readonly<Record<string, CborValue>>;

interface SplitFields {
  readonly known: Record<string, unknown>;
  readonly unknown: Record<string, CborValue>;
}

/** The fields that the schema has, and the others. */
function split(entries: Readonly<Record<string, unknown>>, value: Fields): SplitFields {
  const known: Record<string, unknown> = {};
  const unknown: Record<string, CborValue> = {};
  for (const [name, field] of Object.entries(value)) {
    if (!Object.hasOwn(entries, name)) {
      if (!name.startsWith('x-')) unknown[name] = field;
    } else if (NESTED.has(name) && isFields(field)) {
      const inner = split(settings.entries, field);
      known[name] = inner.known;
      Object.assign(unknown, inner.unknown);
    } else known[name] = field;
  }
  return { known, unknown };
}

const isFields = (value: CborValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** Validates and encodes a body: the bytes that get signed. Throws MALFORMED. */
export const encodeBody = <K extends BodyKind>(kind: K, body: Body<K>): Bytes =>
  encodeCbor([tagOf(kind), parse(BODIES[kind] as unknown as Schema<Body<K>>, body) as unknown as CborValue]);

/**
 * The kind and fields of a body of one of `kinds`. `unknown`: signed fields that this version does not know, of
 * kinds that may have some. Throws MALFORMED, TOO_LARGE, UNSUPPORTED_VERSION or UNKNOWN_KIND.
 */
export function decodeBody<K extends BodyKind>(
  bytes: Bytes,
  ...kinds: readonly K[]
): { [P in K]: { readonly kind: P; readonly body: Body<P>; readonly unknown: Fields } }[K] {
  const value = decodeCbor(bytes, LIMITS.bodyItems);
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') {
    throw new ProtocolError(ERROR_CODES.MALFORMED, 'not a tagged body');
  }
  const tag: string = value[0];
  const kind = kinds.find((candidate) => tagOf(candidate) === tag);
  if (kind === undefined) {
    const known = tag.startsWith(tagOf('')) || !/^0fc\/\d+\//.test(tag);
    throw new ProtocolError(
      known ? ERROR_CODES.UNKNOWN_KIND : ERROR_CODES.UNSUPPORTED_VERSION,
      'another kind of body',
    );
  }
  const fields: CborValue | undefined = (value as readonly CborValue[])[1];
  const { known, unknown } =
    EXTENSIBLE.has(kind) && isFields(fields)
      ? split(BODIES[kind].entries, fields)
      : { known: fields, unknown: {} };
  const body = parse(BODIES[kind] as unknown as Schema<Body<K>>, known);
  return { kind, body, unknown };
}

/** Plaintext of a joinReply, under the join key: the signed container of kind joinReply, and an encoded joinReplyBody. */
export const signedJoinReply = v.strictTuple([container, bytes(1, LIMITS.joinReplyBytes)]);
/** What an owner's reply to a joiner says. */
export const joinReplyBody = v.strictObject({
  epoch,
  key: secret('roomKey'),
  head: hash32,
  /** clear part of the rotation that began the epoch: commits to the key (null in epoch 1: genesis does) */
  rotation: v.nullable(bytes(1, LIMITS.clearBytes)),
  /** position of the rotation or genesis that began the epoch */
  floor: position,
  /** T at the floor; null: the owner does not know it, after a loss */
  t: v.nullable(hash32),
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

/** Plaintext of a wrap, under the old key (of a cold rotation: as it is): one hybrid message to prekey `k`. */
export const wrapBody = v.strictObject({ k: integer(1), ct: kemCiphertext, sealed: container });
/** What the wrap's hybrid message carries. */
export const wrappedKey = v.strictTuple([
  v.literal(tagOf('wrapped-key')),
  roomId,
  epoch,
  memberId,
  secret('roomKey'),
]);
/** What a key grant's hybrid message carries. */
export const grantedKey = v.strictTuple([
  v.literal(tagOf('granted-key')),
  roomId,
  epoch,
  memberId,
  secret('roomKey'),
]);

/** What an invite link's fragment holds, before its four check bytes. */
export const inviteLink = v.strictObject({
  v: v.literal(PROTOCOL_VERSION),
  roomId,
  ownerKey: publicKey,
  inviteKey: publicKey,
  token: secret('inviteToken'),
  /** SHA-256 of the relay's public key */
  relay: hash32,
  expires: time,
});
export type InviteLink = InferOutput<typeof inviteLink>;
