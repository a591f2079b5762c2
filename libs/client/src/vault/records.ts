/**
 * The records of a room in the vault, and their encoding (docs/protocol.md section 9).
 *
 * Stores: `rooms` (who this member is in each), `slices` (the other parts of a room's record), `senders` (one record
 * for each), `chain` (signed roster entries), `rotations` (raw rotation entries), `log` (what was read, in local
 * order), `messages` and `effects` (where in the log a message is, and which records change it: index-keys.ts),
 * `outbox`, `invites` (the owner's), `joins` (this client's own, until admitted).
 *
 * Some keys of stored records and of wire bodies are short, and stay until version 2 of the protocol: `n`: counter of
 * a message within its instance; `mid`: messageNonce, 16 random bytes; `k`: prekeyId; `t`: transcript at a position;
 * `handedOn`: the counter comes from a join reply and not from a message.
 */
import * as v from 'valibot';
import {
  anyContent, bytes, container, decodeAs, DROP_REASONS, encapsulationKey, encodeAs, ENTRY_KINDS, entry, epoch, generation, hash32, integer, inviteId, LIMITS,
  memberId, name, position, publicKey, random16, roomId, secret, settings, text, time, type InferOutput, type Schema,
} from '@0fc/protocol'; // prettier-ignore
export * from './record-keys.js';

/** The same value, and nothing in it that could be changed in place. */
export type DeepReadonly<T> = unknown extends T
  ? T
  : T extends Uint8Array
    ? T
    : T extends readonly (infer Item)[]
      ? readonly DeepReadonly<Item>[]
      : T extends string | number | boolean | null | undefined
        ? T
        : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

const prekeyNumber = integer(1, LIMITS.prekeyNumber);
const keyPair = v.strictObject({ publicKey, privateKey: secret('privateKey', 1, 256) });
const hybridPair = v.strictObject({ ...keyPair.entries, seed: secret('kemSeed', LIMITS.kemSeedBytes) });
const counter = v.strictObject({ sender: memberId, instance: random16, n: integer(0) });
const rotationBytes = v.strictObject({
  clear: bytes(1, LIMITS.clearBytes),
  payload: bytes(1, LIMITS.payloadBytes),
  wraps: v.record(memberId, bytes(1, LIMITS.wrapBytes)),
});

/** A key of the room with what its epoch began with: what a join reply is made of. */
/** A value of the transcript (libs/crypto, verify/transcript.ts): 64 bytes; of a room of version 1, 32. */
const transcript = bytes(32, 64);

const epochKey = v.strictObject({
  epoch,
  /** null: this member has no key of that epoch */
  key: v.nullable(secret('roomKey')),
  keyHash: hash32,
  rotation: v.nullable(bytes(1, LIMITS.clearBytes)),
  floor: position,
  /** transcript at the floor; null: it is not known here */
  t: v.nullable(transcript),
  /** the transcript hash here where the epoch before began, where the owner’s checkpoint was another */
  differed: v.exactOptional(hash32),
  /** the rotation has fields that this client does not know: it seals nothing under the key */
  newer: v.exactOptional(v.literal(true)),
  counters: v.array(counter),
  since: time,
});
export type EpochKey = DeepReadonly<InferOutput<typeof epochKey>>;

/** The owner's one command in flight: stored first, repeated byte for byte (section 4). */
const pendingCommand = v.strictObject({
  kind: v.picklist(['roster', 'rotate']),
  entry: v.nullable(container),
  rotation: v.nullable(rotationBytes),
  /** the new key that the rotation brings, until it is read back from the log */
  candidate: v.nullable(v.strictObject({ epoch, key: secret('roomKey'), keyHash: hash32 })),
  /** of an admit: the join it ends, and the reply for an epoch that moved */
  inviteId: v.nullable(inviteId),
  reply: v.nullable(v.strictObject({ epoch, payload: bytes(1, LIMITS.joinReplyBytes) })),
});
export type PendingCommand = DeepReadonly<InferOutput<typeof pendingCommand>>;

/** Commands of the owner that are stored and not begun (section 4). They survive a restart. */
const tasks = v.strictObject({
  removals: v.array(memberId),
  settings: v.nullable(settings),
  close: v.boolean(),
});

/** An ownership transfer: the signed offer, and the signed acceptance once received. */
const ownershipTransfer = v.strictObject({
  /** the other member: the one it is offered to, or the one that offers */
  memberId,
  nonce: random16,
  since: time,
  offer: container,
  acceptance: v.nullable(container),
});

const person = v.strictObject({
  memberId,
  name,
  /** the signed message container that proves the name, to forward to new members */
  proof: v.nullable(container),
});

/**
 * Id of this membership in the vault and in the API; absent: the id of the room. A former member that is invited
 * again joins under another key: the earlier log stays as it is (section 5.11).
 */
const membership = v.exactOptional(text(1, 48));
/** Who this member is in the room: written when the room begins, and by an import. */
const head = v.strictObject({
  version: v.literal(2),
  roomId,
  membership,
  me: memberId,
  identity: keyPair,
  /** random, new for each vault and each import */
  instance: random16,
});

/** What was read of the log, and where that ends. */
const place = v.strictObject({
  stage: v.picklist(['member', 'left', 'removed', 'closed']),
  epoch,
  position,
  /** transcript at `position` */
  t: transcript,
  /** 0: `t` is known; 1: after the next rotation; 2: after the one behind that (log/checkpoint.ts) */
  provisional: integer(0, 2),
  /** next local index in the log store */
  nextIndex: integer(0),
  epochMessages: integer(0),
  /** epoch of the log at `position`: below `epoch` after the relay has lost a rotation */
  logEpoch: epoch,
  /** roster entries that the log holds at `position`: fewer than are held here after a loss */
  logLength: integer(0),
  /** entries of the chain that the local log has shown */
  chainShown: integer(0),
  /** entries that the relay has trimmed were never read here: the chain and the epoch may have moved meanwhile */
  skipped: v.boolean(),
  /** this client has read a removal or departure, and not yet the rotation after it */
  paused: v.boolean(),
  lastTime: time,
  /** what is counted of the log (content.ts) */
  alarms: integer(0),
  others: integer(0),
  sealed: integer(0),
  missed: integer(0),
  /** indexes of the newest record that shows something, and of the newest with a line; null: none does */
  shownIndex: v.nullable(integer(0)),
  lineIndex: v.nullable(integer(0)),
});

const keys = v.strictObject({ keys: v.array(epochKey) });

const names = v.strictObject({
  people: v.array(person),
  roomName: v.nullable(v.strictObject({ name, proof: v.nullable(container) })),
});

/** What this member does in the room, owner or not. */
const own = v.strictObject({
  nextN: integer(1),
  prekeys: v.array(v.strictObject({ k: prekeyNumber, pair: hybridPair })),
  /** the highest own prekey number that a rotation used */
  usedK: integer(0),
  /** highest prekey number that the relay has confirmed; 1 from the start, also of a founder of whom it has none yet */
  publishedK: integer(0),
  /** what that was when the last rotation was read: what the next one can be held to */
  publishedThen: integer(0),
  /** the request for the key of `epoch`, until it is granted or a rotation brings one */
  needKey: v.nullable(
    v.strictObject({ epoch, request: container, pair: hybridPair, since: time, failed: v.array(memberId) }),
  ),
  /** grants of this epoch: the same request gets the same bytes again */
  granted: v.array(v.strictObject({ memberId, request: hash32, grant: container, shown: v.boolean() })),
  /** this room was imported: invites are revoked and the prekey is replaced at the next catch-up */
  imported: v.boolean(),
  /** this member’s own request to leave */
  leaveRequest: v.nullable(container),
  /** as the owner: to whom; as a member: by whom */
  ownershipTransfer: v.nullable(ownershipTransfer),
  /** nonce of the offer that this member declined: the relay may repeat it */
  declined: v.nullable(random16),
  /** nonces of earlier declined offers, oldest first */
  declinedBefore: v.exactOptional(v.array(random16)),
});

/** What the user has seen and compared. */
const reading = v.strictObject({
  readIndex: integer(0),
  /** lines of others before that */
  othersRead: integer(0),
  /** position of the last read marker that this client has sent */
  lastReadMarker: v.nullable(position),
  /** members whose safety number was compared here (section 10) */
  verified: v.array(memberId),
  /** the relay’s changed key has been shown */
  relayKeyShown: v.boolean(),
});

const owner = v.strictObject({
  rotationWanted: v.boolean(),
  /** the room was handed over to this member, and its first rotation is not in the log yet */
  mustRotate: v.boolean(),
  pending: v.nullable(pendingCommand),
  tasks,
  /** members that have asked to leave, with their signed requests */
  leaving: v.array(v.strictObject({ memberId, request: container })),
  /** the prekeys that the owner’s last rotation used, and whether an earlier one had used the same */
  wrappedTo: v.array(v.strictObject({ memberId, k: integer(0), again: v.boolean() })),
  /** when the last changes of the settings were placed, by the relay's clock, oldest first */
  settingsPlaced: v.array(time),
});

const loss = v.strictObject({
  /**
   * when (Unix ms, this clock) a loss was told that took a rotation, until the next one is read; and when that one
   * was signed (Unix ms, its owner's clock). Every member stores both, since any may be handed the room
   */
  tookRotation: v.exactOptional(v.nullable(time)),
  freshAfterLoss: v.exactOptional(time),
  /** generations that lost something of what was read, oldest first */
  losses: v.array(generation),
  /** the last starts of generations that were read, with when this client read them, oldest first */
  starts: v.array(v.strictObject({ position, time })),
  /** indexes of the log from which positions ascend again: reading had gone back without a loss; ascending */
  turns: v.array(integer(0)),
  /** the last loss: where it is shown, and how many of the lost entries are back */
  lost: v.nullable(
    v.strictObject({ index: integer(0), from: integer(0), to: integer(0), restored: integer(0) }),
  ),
});

/**
 * The parts of a room's record. Each is stored by itself, so that a write carries what changed; `head` under
 * the room's id in `rooms`, the others in `slices`.
 */
export const SLICES = { head, place, keys, names, own, reading, owner, loss } as const;
export type SliceName = keyof typeof SLICES;

type Fields = { [S in SliceName]: InferOutput<(typeof SLICES)[S]> };

/** All slices of a room side by side. Never changed in place: `set` makes a new one. */
export type RoomCore = DeepReadonly<
  Fields['head'] & Fields['place'] & Fields['keys'] & Fields['names'] & Fields['own'] & Fields['reading'] &
    Fields['owner'] & Fields['loss']
>; // prettier-ignore

/** The signed roster that the chain makes, encoded (libs/crypto): a slice that only the chain changes. */
export const ROSTER_SLICE = 'roster';

/** What is kept of each sender, a record each. */
export const senderRecord = v.strictObject({
  /** of its last message; null: none is known */
  counter: v.nullable(v.strictObject({ instance: random16, n: integer(0) })),
  /**
   * true: this client has read no message of the sender. `counter` is the one that the owner named in the join reply
   * (null: it named none). It is a claim of the owner, and proves nothing against the sender. Absent once a message
   * of the sender is read
   */
  handedOn: v.exactOptional(v.boolean()),
  /** position of that message; null: before what this client has read */
  at: v.nullable(position),
  /** highest epoch in which a message of its was sealed (absent: none is known): it had read the rotation that began it */
  epoch: v.exactOptional(epoch),
  /** entries that were shown as missed by then, of all */
  missedAt: integer(0),
  /** highest counter of a message of its that somebody has edited, deleted or reacted to before it was here; 0: none */
  changedAhead: integer(0),
  /** when the relay placed the last entry of its that proved itself; null: none was read here */
  lastEntry: v.nullable(time),
  /** instances that it has replaced: a new message under one is an alarm */
  retired: v.array(v.strictObject({ instance: random16, n: integer(0) })),
  /** what it had read when it sealed its last message */
  seen: v.nullable(position),
  /** the last epoch in which its different history was shown; 0: none */
  forkedIn: integer(0),
  /** counters of its instance that were shown as missed, oldest first: taken whenever they come */
  missing: v.array(v.strictObject({ from: integer(1), to: integer(1) })),
});
export type SenderRecord = DeepReadonly<InferOutput<typeof senderRecord>>;

export const NEW_SENDER: SenderRecord = {
  counter: null, at: null, missedAt: 0, changedAhead: 0, lastEntry: null, retired: [], seen: null, forkedIn: 0, missing: [],
}; // prettier-ignore

/** A rotation as it came; the owner keeps the wraps of its own too (section 6). */
export const rotationRecord = v.strictObject({
  entry,
  wraps: v.nullable(v.record(memberId, bytes(1, LIMITS.wrapBytes))),
});
export type RotationRecord = DeepReadonly<InferOutput<typeof rotationRecord>>;

export const storedItem = v.variant('type', [
  v.strictObject({
    type: v.literal('message'),
    sender: memberId,
    instance: random16,
    n: integer(1),
    mid: random16,
    sentAt: time,
    content: anyContent,
    /** its sender has deleted it: the content is a void now, and the line is shown as deleted */
    deleted: v.exactOptional(v.literal(true)),
    /**
     * of this member: the relay has lost it in an earlier epoch, and it is not sealed for a later one (G18). Number
     * of entries of the roster chain when it was written
     */
    lost: v.exactOptional(integer(0)),
    /** received after messages that its sender wrote later */
    late: v.exactOptional(v.literal(true)),
    /** sent again in the epoch after this one, sealed inside under the key of this one (G18) */
    again: v.exactOptional(epoch),
    /** of this device's own: the epoch in which it was sealed */
    sealedIn: v.exactOptional(epoch),
    /** the first message of its sender on this client, and its counter does not follow the one of the join reply */
    orderUnknown: v.exactOptional(v.literal(true)),
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
  /** a message that is in the log already: the store had lost it, and its sender has resent it (section 6) */
  v.strictObject({
    type: v.literal('repeat'),
    sender: memberId,
    instance: random16,
    n: integer(1),
    /** both as of a message */
    again: v.exactOptional(epoch),
    sealedIn: v.exactOptional(epoch),
  }),
  v.strictObject({
    type: v.literal('alarm'),
    code: text(1, 64),
    member: v.nullable(memberId),
    numbers: v.record(text(1, 32), integer(0)),
  }),
]);
export type StoredItem = DeepReadonly<InferOutput<typeof storedItem>>;
export type StoredMessage = Extract<StoredItem, { type: 'message' }>;

/** What the relay stores of an entry: for the panel that shows it. */
const relayed = v.strictObject({
  kind: v.picklist(ENTRY_KINDS),
  sender: memberId,
  clearBytes: integer(0),
  payloadBytes: integer(0),
  /** the first bytes of the payload */
  sample: bytes(0, 48),
});
export type Relayed = InferOutput<typeof relayed>;

/**
 * Items of one log record, at most: they sort behind it and before the next. Where records are written, more are refused
 * (tables.ts).
 */
export const ITEMS_PER_RECORD = 16;

export const logRecord = v.strictObject({
  index: integer(0),
  /** null for a record without an entry of the log; `relayed` null for the start of a generation */
  at: v.nullable(v.strictObject({ position, t: transcript, relayed: v.nullable(relayed) })),
  time,
  items: v.array(storedItem),
});
export type LogRecord = DeepReadonly<InferOutput<typeof logRecord>>;

/** Index of a message in the local log, and its nonce. */
export const messageIndex = v.strictObject({ index: integer(0), mid: random16 });
export type MessageIndex = DeepReadonly<InferOutput<typeof messageIndex>>;

export const outboxItem = v.strictObject({
  n: integer(1),
  instance: random16,
  mid: random16,
  made: time,
  content: anyContent,
  /** as it was last sent: repeated as it is while its epoch lasts, so that the relay knows it again */
  sealed: v.nullable(v.strictObject({ epoch, clear: bytes(1, 64), payload: bytes(1, LIMITS.payloadBytes) })),
  /** the relay has acknowledged it as it is sealed: from then on it is never sealed for another epoch (G18) */
  acknowledged: v.boolean(),
  /** not null: the log held it in this epoch, or may have; it is sealed for no other epoch (G18) */
  only: v.nullable(epoch),
  /** it goes in the epoch after this one, sealed inside under the key of this one (G18) */
  again: v.exactOptional(epoch),
  /** number of entries of the roster chain when it was written: it is not addressed to members admitted later */
  writtenAt: integer(0),
  /** the user has confirmed to send it to members admitted since it was written too */
  confirmed: v.boolean(),
});
export type OutboxItem = DeepReadonly<InferOutput<typeof outboxItem>>;

export const ownerInvite = v.strictObject({
  inviteId,
  made: time,
  expires: time,
  /** null once the join request was accepted: the private half is deleted then */
  pair: v.nullable(keyPair),
  token: v.nullable(secret('inviteToken')),
  stage: v.picklist(['open', 'asked', 'replied', 'confirmed', 'dropping']),
  joiner: v.nullable(
    v.strictObject({
      key: publicKey,
      name,
      joinKey: v.nullable(secret('joinKey')),
      prekey: container,
      ek: encapsulationKey,
      request: bytes(1, LIMITS.joinRequestBytes),
    }),
  ),
  approved: v.boolean(),
  replies: v.array(v.strictObject({ epoch, payload: bytes(1, LIMITS.joinReplyBytes) })),
  repliedAt: v.nullable(time),
  dropReason: v.nullable(v.picklist([...DROP_REASONS, 'revoked'])),
  /** joins that have not proved its token, and index of the record of the log that counts them */
  badProofs: v.exactOptional(v.strictObject({ times: integer(1), line: integer(0) })),
  /** that the room had no place for who came with it has been shown */
  fullShown: v.exactOptional(v.literal(true)),
});
export type OwnerInvite = DeepReadonly<InferOutput<typeof ownerInvite>>;

export const joinRecord = v.strictObject({
  /** of the protocol, that its invite is of */
  version: integer(1),
  roomId,
  membership,
  inviteId,
  ownerKey: publicKey,
  relay: hash32,
  expires: time,
  name,
  token: secret('inviteToken'),
  identity: keyPair,
  joinKey: secret('joinKey'),
  /** number 1 */
  prekey: hybridPair,
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

/** Validates and encodes. Throws MALFORMED. */
export const encodeRecord = <T>(schema: Schema<T>, value: DeepReadonly<T>) => encodeAs(schema, value as T);
export const decodeRecord = <T>(schema: Schema<T>, data: Uint8Array) => decodeAs(schema, data);
