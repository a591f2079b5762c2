/**
 * What a room keeps in the vault, and how it is encoded there (docs/protocol.md section 9).
 *
 * Stores: `rooms` (one core record a room), `chain` (signed roster entries), `rotations`
 * (raw rotation entries), `log` (what was taken in, in local order), `outbox`, `invites`
 * (the owner's), `joins` (this client's own, until admitted).
 */
import * as v from 'valibot';
import {
  anyContent, bytes, container, decodeAs, encodeAs, epoch, hash32, integer, inviteId, LIMITS, memberId, name,
  position, publicKey, random16, roomId, secret32, text, time, type InferOutput, type Schema,
} from '@0fc/protocol'; // prettier-ignore

export const STORES = {
  app: 'app',
  rooms: 'rooms',
  chain: 'chain',
  rotations: 'rotations',
  log: 'log',
  outbox: 'outbox',
  invites: 'invites',
  joins: 'joins',
} as const;

const keyPair = v.strictObject({ publicKey, privateKey: bytes(1, 256) });
const counter = v.strictObject({ sender: memberId, instance: random16, n: integer(0) });
const rotationBytes = v.strictObject({
  clear: bytes(1, LIMITS.clearBytes),
  payload: bytes(1, LIMITS.payloadBytes),
  wraps: v.record(memberId, bytes(1, LIMITS.wrapBytes)),
});

/** A key of the room with what its epoch began with: what a join reply is made of. */
export const epochKey = v.strictObject({
  epoch,
  /** null: this member has no key of that epoch */
  key: v.nullable(secret32),
  keyHash: hash32,
  rotation: v.nullable(bytes(1, LIMITS.clearBytes)),
  floor: position,
  t: hash32,
  counters: v.array(counter),
  since: time,
});
export type EpochKey = InferOutput<typeof epochKey>;

/** The owner's one command in flight: stored first, repeated byte for byte (section 4). */
export const pendingCommand = v.strictObject({
  kind: v.picklist(['roster', 'rotate']),
  entry: v.nullable(container),
  rotation: v.nullable(rotationBytes),
  /** the new key that the rotation brings, until it is read back from the log */
  candidate: v.nullable(v.strictObject({ epoch, key: secret32, keyHash: hash32 })),
  /** of an admit: the join it ends, and the reply for an epoch that moved */
  inviteId: v.nullable(inviteId),
  reply: v.nullable(v.strictObject({ epoch, payload: bytes(1, LIMITS.joinReplyBytes) })),
});
export type PendingCommand = InferOutput<typeof pendingCommand>;

const person = v.strictObject({
  memberId,
  name,
  /** the signed message container that says so, to hand on to newcomers */
  proof: v.nullable(container),
});

export const roomCore = v.strictObject({
  version: v.literal(1),
  roomId,
  me: memberId,
  stage: v.picklist(['member', 'left', 'removed', 'closed']),
  identity: keyPair,
  roster: bytes(1, 4_000_000),
  epoch,
  keys: v.array(epochKey),
  position,
  t: hash32,
  /** next local index in the log store */
  nextIndex: integer(0),
  readIndex: integer(0),
  instance: random16,
  nextN: integer(1),
  prekeys: v.array(v.strictObject({ k: integer(1), pair: keyPair })),
  /** the highest own prekey number that a rotation used */
  usedK: integer(0),
  counters: v.array(counter),
  /** instances that a sender has replaced: a new message under one is an alarm */
  retired: v.array(counter),
  seen: v.array(v.strictObject({ memberId, position })),
  epochMessages: integer(0),
  /** a removal or departure was taken in, its rotation was not yet */
  paused: v.boolean(),
  rotationWanted: v.boolean(),
  pending: v.nullable(pendingCommand),
  people: v.array(person),
  roomName: v.nullable(v.strictObject({ name, proof: v.nullable(container) })),
  /** senders whose different history has been shown already */
  forked: v.array(memberId),
  lastTime: time,
});
export type RoomCore = InferOutput<typeof roomCore>;

export const storedItem = v.variant('type', [
  v.strictObject({
    type: v.literal('message'),
    sender: memberId,
    instance: random16,
    n: integer(1),
    mid: random16,
    sentAt: time,
    content: anyContent,
  }),
  v.strictObject({
    type: v.literal('system'),
    event: text(1, 32),
    actor: v.nullable(memberId),
    member: v.nullable(memberId),
    numbers: v.record(text(1, 32), integer(0)),
    text: text(0, LIMITS.nameBytes),
  }),
  v.strictObject({
    type: v.literal('alarm'),
    code: text(1, 64),
    member: v.nullable(memberId),
    numbers: v.record(text(1, 32), integer(0)),
  }),
]);
export type StoredItem = InferOutput<typeof storedItem>;
export type StoredMessage = Extract<StoredItem, { type: 'message' }>;

export const logRecord = v.strictObject({
  index: integer(0),
  /** null for what no entry of the log said */
  at: v.nullable(v.strictObject({ position, t: hash32 })),
  time,
  items: v.array(storedItem),
});
export type LogRecord = InferOutput<typeof logRecord>;

export const outboxItem = v.strictObject({
  n: integer(1),
  instance: random16,
  mid: random16,
  made: time,
  content: anyContent,
  /** as it was last sent: repeated as it is while its epoch lasts, so that the relay knows it again */
  sealed: v.nullable(v.strictObject({ epoch, clear: bytes(1, 64), payload: bytes(1, LIMITS.payloadBytes) })),
});
export type OutboxItem = InferOutput<typeof outboxItem>;

export const ownerInvite = v.strictObject({
  inviteId,
  made: time,
  expires: time,
  /** the invite key pair's private half is gone once burnt */
  pair: v.nullable(keyPair),
  token: v.nullable(secret32),
  stage: v.picklist(['open', 'asked', 'replied', 'confirmed', 'dropping']),
  joiner: v.nullable(
    v.strictObject({
      key: publicKey,
      name,
      joinKey: v.nullable(secret32),
      prekey: container,
      request: bytes(1, LIMITS.joinRequestBytes),
    }),
  ),
  approved: v.boolean(),
  replies: v.array(v.strictObject({ epoch, payload: bytes(1, LIMITS.joinReplyBytes) })),
  repliedAt: v.nullable(time),
  dropReason: v.nullable(v.picklist(['declined', 'badProof', 'expired', 'badConfirm', 'other'])),
});
export type OwnerInvite = InferOutput<typeof ownerInvite>;

export const joinRecord = v.strictObject({
  version: v.literal(1),
  roomId,
  inviteId,
  ownerKey: publicKey,
  relay: hash32,
  expires: time,
  name,
  token: secret32,
  identity: keyPair,
  joinKey: secret32,
  prekey: v.strictObject({ pair: keyPair, container }),
  request: bytes(1, LIMITS.joinRequestBytes),
  reply: v.nullable(v.strictObject({ epoch, payload: bytes(1, LIMITS.joinReplyBytes) })),
  confirm: v.nullable(v.strictObject({ epoch, payload: bytes(1, LIMITS.joinConfirmBytes) })),
  done: v.array(
    v.strictObject({
      step: v.picklist(['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted']),
      time,
    }),
  ),
  failure: v.nullable(text(1, 64)),
});
export type JoinRecord = InferOutput<typeof joinRecord>;

/** Zero-padded, so that plain string order is number order. */
const padded = (n: number): string => n.toString().padStart(16, '0');
export const keyOf = (room: string, n: number): string => `${room}/${padded(n)}`;
export const prefixOf = (room: string): string => `${room}/`;

export const encodeRecord = <T>(schema: Schema<T>, value: T) => encodeAs(schema, value);
export const decodeRecord = <T>(schema: Schema<T>, data: Uint8Array) => decodeAs(schema, data);
