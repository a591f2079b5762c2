/** Rooms, roster, link state. */
import * as v from 'valibot';
import { LIMITS } from '../limits.js';
import {
  container,
  encapsulationKey,
  epoch,
  hash32,
  integer,
  memberId,
  position,
  publicKey,
  roomId,
} from '../schema.js';
import { event, MEMBERS, OWNER, request } from './define.js';
import { empty, joinReplyPart, openReply, placed, rotationCommand } from './shapes.js';
import { inviteId } from '../schema.js';
import { entry, generation } from '../entries.js';

export const rooms = {
  create: request({
    body: v.strictObject({
      genesis: container,
      /** the deployment's room-creation token, where it asks for one */
      ticket: v.exactOptional(v.pipe(v.string(), v.maxLength(128))),
    }),
    reply: v.strictObject({ roomId, placed }),
    from: ['stranger', 'owner'],
    binds: true,
    errors: ['BAD_SIGNATURE', 'BAD_KEY', 'BAD_ENTRY', 'ROOM_EXISTS', 'ROOM_CREATION_REFUSED'],
    about: 'Stores the signed genesis as entry 0. Repeating the same genesis succeeds.',
  }),
  open: request({
    body: v.strictObject({
      roomId,
      /** last position this client has taken in; null: none, begin at the member’s floor */
      after: v.nullable(position),
      /** roster head and epoch this client has taken in (null at first open) */
      head: v.nullable(hash32),
      epoch: integer(0),
    }),
    reply: openReply,
    from: ['member', 'owner', 'departed'],
    binds: true,
    errors: ['REPLACED'],
    about:
      'Reads the log from a position, a page at a time, and goes live at its end. The departed get only the signed entry that says so.',
  }),
  chain: request({
    body: v.strictObject({ from: integer(0) }),
    reply: v.strictObject({
      /** signed roster containers in order, genesis first */
      entries: v.pipe(v.array(container), v.maxLength(LIMITS.chainPage)),
      more: v.boolean(),
    }),
    from: ['joiner', 'member', 'owner', 'departed'],
    binds: false,
    errors: [],
    about:
      'The roster chain from an index on: what a joiner verifies against the room id, and gets from the owner’s reply on (FORBIDDEN before). The departed get it up to their departure, or the close.',
  }),
  roster: request({
    body: v.strictObject({
      entry: container,
      /** with remove and leave, in the same atomic command */
      rotation: v.exactOptional(rotationCommand),
      /** with an admit: the joiner’s, whose hash its first prekey has */
      ek: v.exactOptional(encapsulationKey),
      /** with an admit whose join saw an older epoch */
      reply: v.exactOptional(v.strictObject({ inviteId, ...joinReplyPart.entries })),
    }),
    reply: v.strictObject({ placed, rotation: v.exactOptional(placed) }),
    from: OWNER,
    binds: false,
    errors: [
      'BAD_SIGNATURE',
      'BAD_KEY',
      'BAD_ENTRY',
      'STALE_HEAD',
      'STALE_EPOCH',
      'EPOCH_AHEAD',
      'BAD_WRAPS',
      'ROOM_FULL',
      'WAS_MEMBER',
      'INVITE_UNKNOWN',
      'SETTINGS_LIMIT',
    ],
    about:
      'Appends a signed roster entry by compare-and-set on head and epoch. Repeating the same entry succeeds.',
  }),
  restore: request({
    body: v.strictObject({
      roomId,
      entries: v.pipe(v.array(entry), v.minLength(1), v.maxLength(LIMITS.restoreEntries)),
    }),
    reply: v.strictObject({ restored: integer(0), head: hash32, epoch }),
    from: ['stranger', 'joiner', 'member', 'owner', 'departed'],
    binds: true,
    errors: ['BAD_SIGNATURE', 'BAD_ENTRY', 'STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD', 'SETTINGS_LIMIT'],
    about: 'Brings back roster and rotation entries that the store lost; each proves itself.',
  }),
  leaveRequest: request({
    body: v.strictObject({ request: container }),
    reply: v.strictObject({ placed }),
    from: ['member'],
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_ENTRY'],
    about: 'A signed request to leave; the owner’s next rotation closes it.',
  }),
  transferOffer: request({
    body: v.strictObject({ to: memberId, offer: container }),
    reply: empty,
    from: OWNER,
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_ENTRY'],
    about: 'Offers a member the ownership; kept until answered, replaced or void.',
  }),
  transferAcceptance: request({
    body: v.strictObject({ acceptance: container }),
    reply: empty,
    from: ['member'],
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_ENTRY', 'STALE_EPOCH', 'EPOCH_AHEAD'],
    about: 'The signed acceptance, of this epoch, that the owner’s transfer entry then holds.',
  }),
  transferOffered: event({
    body: v.strictObject({ from: memberId, offer: container }),
    to: ['member'],
    about: 'The owner offers this member the room.',
  }),
  transferAccepted: event({
    body: v.strictObject({ from: memberId, acceptance: container }),
    to: OWNER,
    about: 'The member offered the room has accepted.',
  }),
  generation: event({
    body: generation,
    to: MEMBERS,
    about: 'The store has lost, or may have lost, what came after a position.',
  }),
  closing: event({
    body: v.strictObject({
      code: v.picklist([
        'REPLACED',
        'SLOW_CONSUMER',
        'TRY_AGAIN',
        'MALFORMED',
        'TOO_LARGE',
        'RATE_LIMITED',
        'UNSUPPORTED_VERSION',
        'SESSION_BROKEN',
        'OUT_OF_SEQUENCE',
        'UNKNOWN_KIND',
      ]),
      /** move to another replica, after at most this many milliseconds */
      moveWithinMs: v.exactOptional(integer(0, 600_000)),
    }),
    to: ['stranger', 'joiner', 'member', 'owner', 'departed'],
    about: 'Why the relay is about to close this connection.',
  }),
  hello: event({
    body: v.strictObject({
      version: integer(1),
      relay: publicKey,
      frameBytes: integer(1),
      appendMessages: integer(1),
      maxMembers: integer(2),
      invitesOpen: integer(1),
      /** settings entries in the life of a room, and in an hour */
      settingsEntries: integer(1),
      settingsPerHour: integer(1),
      /** most milliseconds between two frames of this relay: longer silence is a dead link */
      heartbeatMs: integer(LIMITS.leastHeartbeatMs, LIMITS.mostHeartbeatMs),
    }),
    to: ['stranger', 'joiner', 'member', 'owner', 'departed'],
    about: 'First in every session: the limits this relay publishes.',
  }),
  heartbeat: event({
    body: empty,
    to: ['stranger', 'joiner', 'member', 'owner', 'departed'],
    about: 'Nothing else was due for as long as `hello` says: the link is alive.',
  }),
} as const;
