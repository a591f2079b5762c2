/** Requests for the key and an owner without it (docs/decisions/0034): bound, repeatable, few, blamed, and begun anew. */
import type { Mutant } from '../mutant.js';
import { ORACLE } from './written-for.js';

const REQUESTS = 'libs/client/src/room/member/key-requests.ts';
const OWNER = 'libs/client/src/room/owner/owner.ts';
const ROTATION = 'libs/client/src/room/log/rotation.ts';
const GRANT = 'libs/crypto/src/keys/grant.ts';
const OUTDATED = 'libs/client/src/vault/migrations/03-outdated-rooms.ts';
const REQUESTS_SPEC = 'libs/client/src/room/member/key-requests.spec.ts';
const COLD_SPEC = 'libs/client/src/room/owner/cold-rotation.spec.ts';
const GRANT_SPEC = 'libs/crypto/src/keys/rotation.spec.ts';
const HOSTILE = 'test/hostile/keys/key-requests.spec.ts';

export const KEY_REQUEST_MUTANTS: readonly Mutant[] = [
  {
    name: 'an owner without the key waits for ever',
    breaks: ['G16'],
    changes: [
      {
        file: OWNER,
        find: "return this.#coldWait(snapshot) <= 0 ? { kind: 'rotate' } : null;",
        put: 'return null;',
      },
    ],
    tests: [
      { path: COLD_SPEC, name: 'once a minute has brought no grant, and not before' },
      {
        path: HOSTILE,
        name: 'G11 G16 whose relay says that nobody answers begins anew without it, and everybody is shown so',
      },
    ],
  },
  {
    name: 'the relay keeps a request for the key of another epoch',
    breaks: ['G8', 'G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/prekeys-and-grants.ts',
        find: 'if (epoch !== room.epoch) throw new Refusal(otherEpoch(epoch, room.epoch));',
        put: '',
      },
    ],
    tests: [
      { path: HOSTILE, name: 'G8 G16 that was recorded gets no later key, from the relay or from anybody' },
    ],
  },
  {
    name: 'a request for the key of another epoch is answered',
    breaks: ['G8'],
    changes: [
      {
        file: GRANT,
        find: 'if (body.epoch !== epoch || !equalBytes(body.rotation, rotation))',
        put: 'if (body.nonce.length === 0)',
      },
    ],
    tests: [
      { path: GRANT_SPEC, name: 'answer no request of another epoch, or of another rotation to it' },
      { path: REQUESTS_SPEC, name: 'that was recorded gets no later key' },
      ORACLE,
    ],
  },
  {
    name: 'a request for the key of another rotation to the epoch is answered',
    breaks: ['G8'],
    changes: [{ file: GRANT, find: ' || !equalBytes(body.rotation, rotation))', put: ')' }],
    tests: [{ path: GRANT_SPEC, name: 'answer no request of another epoch, or of another rotation to it' }],
  },
  {
    name: 'a request names whatever began the room, and not the epoch',
    breaks: ['G8'],
    changes: [
      {
        file: REQUESTS,
        find: 'const begin = current.rotation ?? chain.get(0);',
        put: 'const begin = chain.get(0);',
      },
    ],
    tests: [{ path: REQUESTS_SPEC, name: 'names the epoch, and the rotation that began it, or genesis' }],
  },
  {
    name: 'the same request for the key gets other bytes',
    breaks: ['G16'],
    changes: [{ file: GRANT, find: 'given ?? (await signGrant(', put: '(await signGrant(' }],
    tests: [
      { path: GRANT_SPEC, name: 'give the same bytes again to the same request, beside the news of now' },
      {
        path: REQUESTS_SPEC,
        name: 'gets the same bytes again, after a restart too, and one line tells of it',
      },
    ],
  },
  {
    name: 'grants are not stored',
    breaks: ['G16'],
    changes: [
      {
        file: REQUESTS,
        find: 'set({ granted: [...core.granted, { memberId: from, request: id, grant, shown: false }] }),',
        put: 'set({ granted: [] }),',
      },
    ],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'is one of three that a member is granted in an epoch, whatever is restarted; the next epoch has its own',
      },
      {
        path: HOSTILE,
        name: 'G16 repeated by the relay gets the same bytes, after a restart too, and is shown once',
      },
    ],
  },
  {
    name: 'an answer to a request for the key is shown each time that it goes out',
    breaks: ['G16'],
    changes: [
      {
        file: REQUESTS,
        find: 'if (!granted.some((answer) => isThis(answer) && !answer.shown)) return;',
        put: '',
      },
    ],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'gets the same bytes again, after a restart too, and one line tells of it',
      },
    ],
  },
  {
    name: 'the grants of an epoch count in the next one',
    breaks: ['G16'],
    changes: [{ file: ROTATION, find: 'granted: [],', put: '' }],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'is one of three that a member is granted in an epoch, whatever is restarted; the next epoch has its own',
      },
    ],
  },
  {
    name: 'a grant that fails names nobody',
    breaks: ['G2', 'G16'],
    changes: [
      {
        file: REQUESTS,
        find: '? [...new Set([...needKey.failed, from])].slice(-LIMITS.failedGranters)',
        put: '? needKey.failed',
      },
    ],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'is told with its granter, and the owner’s next request names it: that one is not asked again',
      },
      {
        path: HOSTILE,
        name: 'G2 G16 names whose grant failed, who is not asked again, and has the key from another',
      },
    ],
  },
  {
    name: 'a member whom the owner’s grant has failed is answered by nobody',
    breaks: ['G2', 'G16'],
    changes: [{ file: REQUESTS, find: 'const failed = draft.isOwner', put: 'const failed = draft.core.me' }],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'is told to a member, who has nobody but the owner to ask: it is asked again',
      },
    ],
  },
  {
    name: 'whose grant failed answers again',
    breaks: ['G16'],
    changes: [
      {
        file: GRANT,
        find: "if (body.failed.includes(granter)) throw new CryptoError('FORBIDDEN', 'failed before');",
        put: '',
      },
    ],
    tests: [
      { path: GRANT_SPEC, name: 'are not by whom the asker names as failed' },
      {
        path: REQUESTS_SPEC,
        name: 'is told with its granter, and the owner’s next request names it: that one is not asked again',
      },
    ],
  },
  {
    name: 'a granter is blamed for what the relay has made up',
    breaks: ['G2', 'G16'],
    changes: [
      {
        file: REQUESTS,
        find: 'if (code !== ERROR_CODES.BAD_KEY) return;',
        put: 'if (code === ERROR_CODES.BAD_SIGNATURE || code === ERROR_CODES.BAD_ENTRY) return;',
      },
    ],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'because the relay made it up or changed it blames nobody, and the owner is asked as before',
      },
    ],
  },
  {
    name: 'names that the relay has changed cost the key beside them',
    breaks: ['G16'],
    changes: [
      {
        file: GRANT,
        find: "orNull(() => decodeAs(keyGrantNews, unpad(openCell(key, sealed, context, { code: 'MALFORMED' }))));",
        put: "decodeAs(keyGrantNews, unpad(openCell(key, sealed, context, { code: 'MALFORMED' })));",
      },
    ],
    tests: [
      {
        path: REQUESTS_SPEC,
        name: 'because the relay made it up or changed it blames nobody, and the owner is asked as before',
      },
    ],
  },
  {
    name: 'all members answer the owner at once',
    breaks: ['G16'],
    changes: [
      { file: REQUESTS, find: 'state.isOwner ? 0 : jitter(', put: 'state.isOwner ? 0 : 0 * jitter(' },
    ],
    tests: [
      { path: REQUESTS_SPEC, name: 'is answered by a member within three seconds, and not at once by all' },
    ],
  },
  {
    name: 'an owner without the key begins anew before anybody can answer',
    breaks: ['G9'],
    changes: [{ file: OWNER, find: 'const COLD_AFTER_MS = 60_000;', put: 'const COLD_AFTER_MS = 0;' }],
    tests: [{ path: COLD_SPEC, name: 'once a minute has brought no grant, and not before' }],
  },
  {
    name: 'an owner without the key counts the time that it was away',
    breaks: ['G9'],
    changes: [{ file: OWNER, find: '[needKey.since, this.#sessionAt]', put: '[needKey.since]' }],
    tests: [{ path: COLD_SPEC, name: 'a minute into this session, however long ago it asked' }],
  },
  {
    name: 'an owner without the key waits out its minute although two have failed',
    breaks: ['G16'],
    changes: [{ file: OWNER, find: 'if (needKey.failed.length >= FAILED_GRANTS) return 0;', put: '' }],
    tests: [{ path: COLD_SPEC, name: 'at once after two grants that failed, and not after one' }],
  },
  {
    name: 'an owner without the key rotates beside a command that it has stored',
    breaks: ['G11'],
    changes: [
      {
        file: OWNER,
        find: '      if (pending !== null) {\n',
        put: '      if (pending !== null && state.current.key !== null) {\n',
      },
      {
        file: OWNER,
        find: 'const work = draft.core.pending === null ? this.#work(draft) : null;',
        put: 'const work = draft.core.pending === null || draft.current.key === null ? this.#work(draft) : null;',
      },
    ],
    tests: [{ path: COLD_SPEC, name: 'beside a command that it has stored' }],
  },
  {
    name: 'an imported owner rotates before its prekey is replaced',
    breaks: ['G11'],
    changes: [
      {
        file: OWNER,
        find: 'current.key !== null || core.imported || needsNewer',
        put: 'current.key !== null || needsNewer',
      },
    ],
    tests: [{ path: COLD_SPEC, name: 'after an import whose prekey is not replaced, whoever asks' }],
  },
  {
    name: 'an owner without the key tries without end what only a newer version may do',
    breaks: ['G16'],
    changes: [{ file: OWNER, find: ' || needsNewer(snapshot)) return Infinity;', put: ') return Infinity;' }],
    tests: [
      {
        path: COLD_SPEC,
        name: 'where its epoch has what only a newer version understands: nor does it try without end',
      },
    ],
  },
  {
    name: 'a rotation without the key before is shown as any other',
    breaks: ['G11'],
    changes: [
      { file: ROTATION, find: '...(rotation.cold', put: '...(rotation.cold && rotation.newEpoch === 0' },
    ],
    tests: [
      { path: COLD_SPEC, name: 'is shown to the others as one, and gives them the key' },
      {
        path: HOSTILE,
        name: 'G11 G16 whose relay says that nobody answers begins anew without it, and everybody is shown so',
      },
    ],
  },
  {
    name: 'a request for the key outlives its form',
    breaks: ['G14'],
    changes: [{ file: OUTDATED, find: 'own: { granted: [], needKey: null },', put: 'own: { granted: [] },' }],
    tests: [
      {
        path: 'libs/client/src/vault/migrations/03-outdated-rooms.spec.ts',
        name: 'a room of version 2 goes on as it was, under the new names, and asks for its key again',
      },
    ],
  },
];
