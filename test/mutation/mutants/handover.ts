/** Hand-overs, keys that are no new ones, and departures after a hand-over (docs/protocol.md sections 4 and 7). */
import type { Mutant } from '../mutant.js';

const HAND_OVER = 'libs/client/src/room/member/ownership-transfer.ts';
const DEPARTED = 'libs/client/src/room/log/departed.ts';
const LIES = 'test/hostile/owner-lies-handover.spec.ts';
const CONTRACT = 'the departed read the chain up to their own entry, and nothing later';

export const HANDOVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'only the last offer that was declined is remembered',
    breaks: ['G5'],
    changes: [
      {
        file: HAND_OVER,
        find: '[handOver?.nonce ?? null, declined, ...declinedBefore]',
        put: '[handOver?.nonce ?? null, declined, ...declinedBefore.slice(0, 0)]',
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
        file: HAND_OVER,
        find: 'if (handOver?.acceptance !== null) throw',
        put: 'if (handOver === null || (draft.isOwner && handOver.acceptance !== null)) throw',
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
        find: 'length = known and (known.gl or (known.gh and 0) or room.len) or 0',
        put: 'length = known and room.len or 0',
      },
    ],
    tests: [{ path: 'apps/relay/src/store/redis/redis-room-store.spec.ts', name: CONTRACT }],
  },
];
