/** Messages, keys, signals (docs/protocol.md sections 6 to 8). */
import * as v from 'valibot';
import { ERROR_CODES } from '../errors.js';
import { LIMITS } from '../limits.js';
import { bytes, container, epoch, memberId, position } from '../schema.js';
import { event, MEMBERS, OWNER, request } from './define.js';
import { empty, keyGrantPart, keyRequest, placed, publishedPrekey, rotationCommand } from './shapes.js';
import { entry } from '../entries.js';

const signal = v.strictObject({ epoch, payload: bytes(1, LIMITS.signalBytes) });

export const messages = {
  append: request({
    body: v.strictObject({
      messages: v.pipe(
        v.array(v.strictObject({ clear: bytes(1, 64), payload: bytes(1, LIMITS.payloadBytes) })),
        v.minLength(1),
        v.maxLength(LIMITS.appendMessages),
      ),
    }),
    reply: v.strictObject({
      /** of the prefix that is in the log, now or already */
      placed: v.pipe(v.array(placed), v.maxLength(LIMITS.appendMessages)),
      /** why the first one after the prefix was refused */
      refused: v.exactOptional(
        v.picklist([
          ERROR_CODES.STALE_EPOCH,
          ERROR_CODES.EPOCH_AHEAD,
          ERROR_CODES.RATE_LIMITED,
          ERROR_CODES.MALFORMED,
          ERROR_CODES.STORE_FULL,
          ERROR_CODES.FORBIDDEN,
        ]),
      ),
      /** with RATE_LIMITED: when to try again */
      retryMs: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    }),
    from: MEMBERS,
    binds: false,
    errors: [],
    about: 'Appends a prefix of a list of sealed messages. What is already in the log counts as appended.',
  }),
  ack: request({
    body: v.strictObject({ position }),
    reply: empty,
    from: MEMBERS,
    binds: false,
    errors: [],
    about: 'Everything up to a position is stored at this member: governs trimming only.',
  }),
  rotate: request({
    body: rotationCommand,
    reply: v.strictObject({ placed }),
    from: OWNER,
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_ENTRY', 'BAD_WRAPS', 'STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD'],
    about: 'Appends a rotation by compare-and-set on epoch and head. Repeating the same rotation succeeds.',
  }),
  prekey: request({
    body: publishedPrekey,
    reply: empty,
    from: MEMBERS,
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_KEY', 'BAD_ENTRY'],
    about:
      'Publishes this member’s next prekey. An ek that is no such key, or another than the one signed for: BAD_KEY. A lower or equal k that is not the stored one: BAD_ENTRY.',
  }),
  prekeys: request({
    body: empty,
    reply: v.strictObject({
      prekeys: v.pipe(
        v.array(v.strictObject({ memberId, prekey: v.nullable(publishedPrekey) })),
        v.maxLength(LIMITS.maxMembers),
      ),
    }),
    from: OWNER,
    binds: false,
    errors: [],
    about: 'Newest prekey of every member (null: none is here, and it has to publish one).',
  }),
  needKey: request({
    body: keyRequest,
    reply: empty,
    from: MEMBERS,
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_KEY', 'BAD_ENTRY', 'STALE_EPOCH', 'EPOCH_AHEAD'],
    about:
      'Asks for the key of the epoch that it names, the current one. Kept until a later one of this member’s, or until the rotation after its answer.',
  }),
  keyGrant: request({
    body: keyGrantPart,
    reply: empty,
    from: MEMBERS,
    binds: false,
    errors: ['BAD_SIGNATURE', 'BAD_ENTRY'],
    about:
      'Answers a needKey: the owner anybody’s, the others only the owner’s. The first answer to a request stands, and any other is refused.',
  }),
  signal: request({
    body: signal,
    reply: empty,
    from: MEMBERS,
    binds: false,
    errors: ['STALE_EPOCH'],
    about: 'A sealed typing or presence signal, passed on and forgotten.',
  }),
  entries: event({
    body: v.strictObject({
      entries: v.pipe(v.array(entry), v.minLength(1), v.maxLength(LIMITS.pageEntries)),
    }),
    to: MEMBERS,
    about: 'New entries of the log, in order, the reader’s own included.',
  }),
  signalled: event({
    body: v.strictObject({ sender: memberId, ...signal.entries }),
    to: MEMBERS,
    about: 'A member’s signal, the reader’s own included, which it passes over.',
  }),
  keyNeeded: event({
    body: v.strictObject({ from: memberId, request: container }),
    to: MEMBERS,
    about: 'A needKey: to the owner, or to the others if the owner asks.',
  }),
  keyGranted: event({
    body: v.strictObject({ from: memberId, grant: container, news: bytes(1, LIMITS.keyGrantBytes) }),
    to: MEMBERS,
    about: 'The answer to this member’s needKey.',
  }),
} as const;
