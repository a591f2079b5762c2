/** Invitations and the three join messages (docs/protocol.md section 5). */
import * as v from 'valibot';
import { LIMITS } from '../limits.js';
import { bytes, inviteId, roomId, time } from '../schema.js';
import { event, OWNER, request } from './define.js';
import { DROP_REASONS, empty, joinConfirmPart, joinReplyPart, joinState, ownerJoin } from './shapes.js';

export const joins = {
  invite: request({
    body: v.strictObject({ inviteId, expires: time }),
    reply: empty,
    from: OWNER,
    binds: false,
    errors: ['INVITE_LIMIT', 'BAD_ENTRY'],
    about: 'Registers an invite. Repeating it succeeds.',
  }),
  revoke: request({
    body: v.strictObject({ inviteId }),
    reply: empty,
    from: OWNER,
    binds: false,
    errors: [],
    about:
      'Revokes an invite that nobody has been admitted by, and drops its join. Unknown invites: success.',
  }),
  claim: request({
    body: v.strictObject({ roomId, inviteId }),
    reply: joinState,
    from: ['stranger', 'joiner', 'member', 'owner'],
    binds: true,
    errors: [
      'INVITE_UNKNOWN',
      'INVITE_TAKEN',
      'INVITE_USED',
      'INVITE_EXPIRED',
      'INVITE_REVOKED',
      'ALREADY_MEMBER',
      'WAS_MEMBER',
    ],
    about:
      'Claims an invite for this session’s key: one winner. The claimant repeats it to resume; once admitted it reads stage admitted.',
  }),
  joinRequest: request({
    body: v.strictObject({ inviteId, request: bytes(1, LIMITS.joinRequestBytes) }),
    reply: joinState,
    from: ['joiner'],
    binds: false,
    errors: ['INVITE_UNKNOWN', 'INVITE_EXPIRED'],
    about: 'Kept until the owner answers. The same bytes again: success; others: BAD_ENTRY.',
  }),
  joinReply: request({
    body: v.strictObject({ inviteId, ...joinReplyPart.entries }),
    reply: empty,
    from: OWNER,
    binds: false,
    errors: ['INVITE_UNKNOWN', 'STALE_EPOCH', 'EPOCH_AHEAD'],
    about: 'The sealed room key for the claimed joiner; a later one replaces it.',
  }),
  joinConfirm: request({
    body: v.strictObject({ inviteId, ...joinConfirmPart.entries }),
    reply: joinState,
    from: ['joiner'],
    binds: false,
    errors: ['INVITE_UNKNOWN', 'BAD_ENTRY'],
    about: 'The joiner’s proof that it holds the key; kept until the owner admits or drops.',
  }),
  joinDrop: request({
    body: v.strictObject({
      inviteId,
      /** true: the claim is released and the invite stays open (a bad proof, a full room, before any reply) */
      release: v.boolean(),
      reason: v.picklist(DROP_REASONS),
    }),
    reply: empty,
    from: OWNER,
    binds: false,
    errors: ['INVITE_UNKNOWN'],
    about: 'Ends a join. Repeating it succeeds.',
  }),
  join: event({
    body: ownerJoin,
    to: OWNER,
    about: 'A join as the relay holds it: on each change, and for each pending one once the owner is live.',
  }),
  joinState: event({
    body: joinState,
    to: ['joiner'],
    about: 'The join’s state on each change.',
  }),
} as const;
