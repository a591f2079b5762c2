/** Ownership transfers, keys that are no new ones, and departures after a transfer (docs/protocol.md sections 4 and 7). */
import type { Mutant } from '../mutant.js';

const TRANSFER = 'libs/client/src/room/member/ownership-transfer.ts';
const LEAVE = 'libs/client/src/room/member/leave-request.ts';
const LEAVE_SPEC = 'libs/client/src/room/member/leave-request.spec.ts';
const DEPARTED = 'libs/client/src/room/log/departed.ts';
const LIES = 'test/hostile/owner/owner-lies-transfer.spec.ts';
const TRANSFER_SPEC = 'libs/client/src/room/member/ownership-transfer.spec.ts';
const CONTRACT = 'the departed read the chain up to their own entry, and nothing later';

export const OWNERSHIP_TRANSFER_MUTANTS: readonly Mutant[] = [
  {
    name: 'who has accepted a room leaves it',
    breaks: ['G11'],
    changes: [{ file: LEAVE, find: 'state.isOwner || hasAccepted(state) ||', put: 'state.isOwner ||' }],
    tests: [{ path: LEAVE_SPEC, name: 'asks to leave once it went to somebody else, and not before' }],
  },
  {
    name: 'who has handed a room over leaves before anybody else is known to hold that',
    breaks: ['G11'],
    changes: [
      { file: LEAVE, find: 'hasAccepted(state) || hasJustHandedOver(state)', put: 'hasAccepted(state)' },
    ],
    tests: [
      {
        path: LEAVE_SPEC,
        name: 'asks to leave once it has read the first rotation of the new owner, and not before',
      },
    ],
  },
  {
    name: 'a new offer goes out beside a signed transfer',
    breaks: ['G11'],
    changes: [
      {
        file: TRANSFER,
        find: '!draft.isOwner || isTransfer(core.pending?.entry ?? null)',
        put: '!draft.isOwner',
      },
    ],
    tests: [{ path: LEAVE_SPEC, name: 'offers the room to nobody beside it' }],
  },
  {
    name: 'an offer counts whatever was handed over since it was made',
    breaks: ['G11'],
    changes: [
      {
        file: TRANSFER,
        find: 'if (entry === undefined || isTransfer(entry)) return false;',
        put: 'if (entry === undefined) return false;',
      },
    ],
    tests: [
      {
        path: TRANSFER_SPEC,
        name: 'of before a hand-over is none, though its owner owns the room once more',
      },
    ],
  },
  {
    name: 'an offer counts before the member has read the head that it names',
    breaks: ['G11'],
    changes: [
      { file: TRANSFER, find: 'if (made === null) return false;', put: 'if (made === null) return true;' },
    ],
    tests: [
      {
        path: LIES,
        name: 'that withholds hand-overs and passes a later offer on: it is shown once they have been read',
      },
    ],
  },
  {
    name: 'an offer that comes before the log is forgotten',
    breaks: ['G16'],
    changes: [
      {
        file: TRANSFER,
        find: 'return stands ? null : { kind, statement, ...placeOf(draft) };',
        put: 'return stands || kind ? null : { kind, statement, ...placeOf(draft) };',
      },
    ],
    tests: [{ path: TRANSFER_SPEC, name: 'which was not read yet is kept, and is one once it has been' }],
  },
  {
    name: 'an acceptance binds its member beyond its epoch',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/roster-effects.ts',
        find: 'return { ...ownershipTransfer, acceptance: null };',
        put: 'return ownershipTransfer;',
      },
    ],
    tests: [
      {
        path: TRANSFER_SPEC,
        name: 'ends with its epoch: the offer stands, and may be accepted once more, or declined',
      },
      {
        path: LIES,
        name: 'that brings an acceptance in a later epoch: nothing is handed over, and who gave it may leave',
      },
    ],
  },
  {
    name: 'a room is handed over on an acceptance of another epoch',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/crypto/src/verify/roster.ts',
        find: "if (accepted.epoch !== body.epoch) throw bad('acceptance of another epoch');",
        put: '',
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/verify/roster.spec.ts',
        name: 'holds an acceptance of its own epoch: it ends with a rotation, for whoever kept it',
      },
    ],
  },
  {
    name: 'the owner takes an acceptance of another epoch for one',
    breaks: ['G11'],
    changes: [{ file: TRANSFER, find: 'if (body.epoch !== core.epoch) return false;', put: '' }],
    tests: [
      {
        path: TRANSFER_SPEC,
        name: 'counts for the owner in the epoch that it names: not before, and not after',
      },
    ],
  },
  {
    name: 'the relay passes an acceptance of another epoch on',
    breaks: ['G11'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/departures.ts',
        find: 'if (body.epoch !== room.epoch)',
        put: 'if (body.epoch !== room.epoch && body.epoch < 0)',
      },
    ],
    tests: [
      {
        path: 'test/integration/relay-members.spec.ts',
        name: 'is accepted in one epoch, and made in that one',
      },
    ],
  },
  {
    name: 'a rotation that is due ends the acceptance that is at hand',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'if (ended || (due && acceptance === null))',
        put: 'if (ended || due)',
      },
    ],
    tests: [{ path: TRANSFER_SPEC, name: 'is used before a rotation that is due would end it' }],
  },
  {
    name: 'a request to leave voids the transfer to the leaver',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/pending.ts',
        find: 'return body.epoch !== core.epoch ||',
        put: "return ('to' in body && core.leaving.length > 0) || body.epoch !== core.epoch ||",
      },
    ],
    tests: [
      {
        path: LEAVE_SPEC,
        name: 'signs nothing else on its state, though the next owner asks to leave: the transfer may be in the log',
      },
    ],
  },
  {
    name: 'only the last offer that was declined is remembered',
    breaks: ['G5'],
    changes: [
      {
        file: TRANSFER,
        find: '[ownershipTransfer?.nonce ?? null, declined, ...declinedBefore]',
        put: '[ownershipTransfer?.nonce ?? null, declined, ...declinedBefore.slice(0, 0)]',
      },
    ],
    tests: [
      {
        path: LIES,
        name: 'that was declined does not come back: not at the next start, and not after another one was declined',
      },
    ],
  },
  {
    name: 'an acceptance that is out may be declined',
    breaks: ['G11'],
    changes: [
      {
        file: TRANSFER,
        find: 'if (ownershipTransfer?.acceptance !== null) throw',
        put: 'if (ownershipTransfer === null || (draft.isOwner && ownershipTransfer.acceptance !== null)) throw',
      },
    ],
    tests: [
      {
        path: LIES,
        name: 'that was accepted cannot be declined: whoever holds the acceptance may use it, and it is shown',
      },
    ],
  },
  {
    name: 'a rotation to a key that the room had is no alarm',
    breaks: ['G9', 'G10'],
    changes: [
      {
        file: 'libs/client/src/room/log/rotation.ts',
        find: '...(await reusedKey(hash, draft, rotation)),',
        put: '...(await reusedKey(hash, draft, rotation)).slice(1),',
      },
    ],
    tests: [
      {
        path: LIES,
        name: 'to the key of the epoch that it ends: shown to everybody in its place, and the room goes on',
      },
    ],
  },
  {
    name: 'only the key of this epoch is compared with a new one',
    breaks: ['G9', 'G10'],
    changes: [
      {
        file: 'libs/client/src/room/log/rotation.ts',
        find: 'for (const { epoch, key } of core.keys) {',
        put: 'for (const { epoch, key } of core.keys.slice(-1)) {',
      },
    ],
    tests: [
      {
        path: LIES,
        name: 'to the key of the epoch before: shown to everybody in its place, and the room goes on',
      },
    ],
  },
  {
    name: 'the departed do not read the chain',
    breaks: ['G11'],
    changes: [
      {
        file: DEPARTED,
        find: 'for (const container of chain) {',
        put: 'for (const container of chain.slice(0, 0)) {',
      },
    ],
    tests: [
      {
        path: LIES,
        name: 'and that its new owner then ended for that member (removed): it reads so, by whom, and suspects nobody',
      },
      {
        path: LIES,
        name: 'and that its new owner then ended for that member (closed): it reads so, by whom, and suspects nobody',
      },
    ],
  },
  {
    name: 'the departed keep the roster of before the hand-over',
    breaks: ['G11'],
    changes: [{ file: DEPARTED, find: '...followed,\n', put: '' }],
    tests: [
      {
        path: LIES,
        name: 'and that its new owner then ended for that member (removed): it reads so, by whom, and suspects nobody',
      },
    ],
  },
  {
    name: 'the departed put all hand-overs into one record',
    breaks: ['G11'],
    changes: [
      {
        file: DEPARTED,
        find: '...[...before, item].map((line) => append(null, time, [line]))',
        put: 'append(null, time, [...before, item])',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/departed.spec.ts',
        name: 'after 20 hand-overs shows each of them and then the removal',
      },
    ],
  },
  {
    name: 'the chain of the departed need not prove itself',
    breaks: ['G11', 'G14'],
    changes: [
      {
        file: DEPARTED,
        find: 'if (next === null) return null;',
        put: "if (next === null) return { how: 'removed', actor, before };",
      },
    ],
    tests: [
      { path: LIES, name: 'and of which the relay serves a chain with a hole: no departure is believed' },
    ],
  },
  {
    name: 'the embedded store serves the departed what came after them',
    breaks: ['G10'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/read.ts',
        find: 'chain.head = coalesce(gone_head, rooms.head)',
        put: 'chain.head = rooms.head',
      },
    ],
    tests: [{ path: 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts', name: CONTRACT }],
  },
  {
    name: 'Redis serves the departed what came after them',
    breaks: ['G10'],
    changes: [
      {
        file: 'apps/relay/src/store/redis/scripts/read-chain.lua',
        find: 'if known then length = known.gl or (known.gh and 0) or room.len end',
        put: 'if known then length = room.len end',
      },
    ],
    tests: [{ path: 'apps/relay/src/store/redis/redis-room-store.spec.ts', name: CONTRACT }],
  },
];
