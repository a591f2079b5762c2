/**
 * What a room keeps in the vault, and how it is encoded there (docs/protocol.md section 9).
 *
 * Stores: `rooms` (one core record a room), `chain` (signed roster entries), `rotations`
 * (raw rotation entries), `log` (what was taken in, in local order), `outbox`, `invites`
 * (the owner's), `joins` (this client's own, until admitted).
 */
import * as v from 'valibot';
import {
  anyContent, bytes, container, decodeAs, encodeAs, ENTRY_KINDS, entry, epoch, generation, hash32, integer, inviteId, LIMITS,
  memberId, name, position, publicKey, random16, roomId, secret32, settings, text, time, type InferOutput, type Schema,
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

/** What the owner has been asked to do and has not begun (section 4): survives everything. */
const tasks = v.strictObject({
  removals: v.array(memberId),
  settings: v.nullable(settings),
  close: v.boolean(),
});

/** Of a hand-over: the signed offer, and the signed acceptance once it is there. */
const handOver = v.strictObject({
  /** the other one: whom it is offered to, or who offers */
  memberId,
  nonce: random16,
  since: time,
  offer: container,
  acceptance: v.nullable(container),
});

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
  /** the room was handed over to this member, and its first rotation is not in the log yet */
  mustRotate: v.boolean(),
  pending: v.nullable(pendingCommand),
  tasks,
  /** as the owner: to whom; as a member: by whom */
  handOver: v.nullable(handOver),
  /** members that have asked to leave, with their signed requests */
  leaving: v.array(v.strictObject({ memberId, request: container })),
  /** nonce of the offer that was declined here: the relay may go on telling of it */
  declined: v.nullable(random16),
  /** this member’s own request to leave */
  leaveRequest: v.nullable(container),
  /** epoch of the log at the position taken in: below `epoch` after the relay has lost a rotation */
  logEpoch: epoch,
  /** roster entries that the log holds at the position taken in: fewer than are held here after a loss */
  logLength: integer(0),
  /** entries of the chain that the local log has shown */
  chainShown: integer(0),
  /** generations that lost something of what was taken in, oldest first */
  losses: v.array(generation),
  /** the last loss: where it is shown, and how many of the lost entries are back */
  lost: v.nullable(
    v.strictObject({ index: integer(0), from: integer(0), to: integer(0), restored: integer(0) }),
  ),
  /** entries that the relay has trimmed were never read here: the chain and the epoch may have moved meanwhile */
  skipped: v.boolean(),
  /** highest prekey number that the relay has confirmed */
  publishedK: integer(0),
  /** what that was when the last rotation was taken in: what the next one can be held to */
  publishedThen: integer(0),
  /** the request for the key of `epoch`, until it is granted or a rotation brings one */
  needKey: v.nullable(v.strictObject({ epoch, request: container, pair: keyPair })),
  /** the prekeys that the owner’s last rotation used, and whether an earlier one had used the same */
  wrappedTo: v.array(v.strictObject({ memberId, k: integer(0), again: v.boolean() })),
  /** this room was imported: invites are revoked and the prekey is replaced at the next catch-up */
  imported: v.boolean(),
  /** members whose safety number was compared here (section 10) */
  verified: v.array(memberId),
  /** position of the last read marker sent */
  told: v.nullable(position),
  /** the relay’s changed key has been shown */
  relayKeyShown: v.boolean(),
  people: v.array(person),
  roomName: v.nullable(v.strictObject({ name, proof: v.nullable(container) })),
  /** senders whose different history has been shown already */
  forked: v.array(memberId),
  lastTime: time,
});
export type RoomCore = InferOutput<typeof roomCore>;

/** A rotation as it came; the owner keeps the wraps of its own too (section 6). */
export const rotationRecord = v.strictObject({
  entry,
  wraps: v.nullable(v.record(memberId, bytes(1, LIMITS.wrapBytes))),
});
export type RotationRecord = InferOutput<typeof rotationRecord>;

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
  /** a message of the current epoch that waits for its key (section 7) */
  v.strictObject({ type: v.literal('sealed'), entry, before: position }),
  /** a message that is held already: its store had lost it, and its sender has sent it again (section 6) */
  v.strictObject({ type: v.literal('repeat'), sender: memberId, instance: random16, n: integer(1) }),
  v.strictObject({
    type: v.literal('alarm'),
    code: text(1, 64),
    member: v.nullable(memberId),
    numbers: v.record(text(1, 32), integer(0)),
  }),
]);
export type StoredItem = InferOutput<typeof storedItem>;
export type StoredMessage = Extract<StoredItem, { type: 'message' }>;

/** What the relay has of an entry: for the panel that shows it. */
const relayed = v.strictObject({
  kind: v.picklist(ENTRY_KINDS),
  sender: memberId,
  clearBytes: integer(0),
  payloadBytes: integer(0),
  /** the first bytes of the payload */
  sample: bytes(0, 48),
});
export type Relayed = InferOutput<typeof relayed>;

export const logRecord = v.strictObject({
  index: integer(0),
  /** null for what no entry of the log said; `relayed` null for the start of a generation */
  at: v.nullable(v.strictObject({ position, t: hash32, relayed: v.nullable(relayed) })),
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
  dropReason: v.nullable(v.picklist(['declined', 'badProof', 'expired', 'badConfirm', 'revoked', 'other'])),
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
