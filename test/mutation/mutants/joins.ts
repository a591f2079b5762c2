/** How somebody gets in (docs/protocol.md section 5, G2). */
import type { Mutant } from '../mutant.js';

const REQUEST = 'libs/crypto/src/keys/join-request.ts';
const ANSWER = 'libs/crypto/src/keys/join-answer.ts';
const ANSWERS = 'libs/client/src/room/owner/invites.ts';
const PROOF = 'libs/client/src/account/joining/join-proof.ts';
const EFFECTS = 'libs/client/src/room/log/roster-effects.ts';
const SEALS_SPEC = 'libs/crypto/src/keys/seals.spec.ts';
const ENTRY_SPEC = 'test/hostile/joins/guarantees-entry.spec.ts';
const ROSTER = 'libs/crypto/src/verify/roster.ts';
const ROSTER_SPEC = 'libs/crypto/src/verify/roster.spec.ts';
const STORE_SPEC = 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts';
const INVITES = 'apps/relay/src/store/sqlite/invites.ts';

export const JOIN_MUTANTS: readonly Mutant[] = [
  {
    name: 'a join without a token is one with an empty token',
    breaks: ['G2', 'W1'],
    changes: [
      {
        file: REQUEST,
        find: 'const padded = scratch.keep(openCell(token, sealed,',
        put: `const empty = new Uint8Array(32);
    const under = (key: Bytes): Bytes => openCell(key, sealed, context(roomId, inviteId, joinerKey), { code: 'INVITE_BAD_PROOF' });
    let key = token;
    try { under(key); } catch { key = empty; }
    const padded = scratch.keep(openCell(key, sealed,`,
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/keys/join-request.spec.ts',
        name: 'W1: without the token there is no way in, whatever is known beside it',
      },
    ],
  },
  {
    name: 'the signature of a join request is not verified',
    breaks: ['G2'],
    changes: [
      {
        file: REQUEST,
        find: "import { verifyContainer } from '../verify/container.js';",
        put: "import { containerBody } from '../verify/container.js';",
      },
      {
        file: REQUEST,
        find: 'verifyContainer(joinerKey, scratch.keep(unpad(padded)))',
        put: 'containerBody(scratch.keep(unpad(padded)))',
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/keys/join-request.spec.ts',
        name: 'signed by another key than the one that claimed is refused',
      },
    ],
  },
  {
    name: 'an invite past its time is answered',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner-joins.ts',
        find: 'if (invite.expires < platform.crypto.clock.now()) {',
        put: 'if (invite.expires < 0) {',
      },
    ],
    tests: [
      {
        path: ENTRY_SPEC,
        name: 'G2 a revoked invite and one past its time by the owner’s clock yield nothing, whatever the relay keeps',
      },
    ],
  },
  {
    name: 'the reply does not depend on the token',
    breaks: ['G2', 'W1'],
    changes: [
      {
        file: ANSWER,
        find: "ctx('join-reply', place.roomId, epoch, place.token, await",
        put: "ctx('join-reply', place.roomId, epoch, await",
      },
    ],
    tests: [{ path: SEALS_SPEC, name: 'join reply does not open with another token' }],
  },
  {
    name: 'the reply does not depend on the request',
    breaks: ['G2', 'G5'],
    changes: [
      {
        file: ANSWER,
        find: 'place.token, await hash.sha256(place.request));',
        put: 'place.token);',
      },
      {
        file: ANSWER,
        find: 'equalBytes(body.request, request) &&\n        equalBytes(body.reply, said);',
        put: 'request.length > 0 &&\n        equalBytes(body.reply, said);',
      },
    ],
    tests: [{ path: SEALS_SPEC, name: 'join reply does not open with another request' }],
  },
  {
    name: 'a confirmation of another reply counts',
    breaks: ['G2', 'G5'],
    changes: [
      {
        file: ANSWER,
        find: 'replies.some((reply) => equalBytes(body.reply, reply));',
        put: 'replies.length > 0;',
      },
    ],
    tests: [
      { path: SEALS_SPEC, name: 'join confirmation does not open with another replies' },
      { path: SEALS_SPEC, name: 'join confirmation: its own signer cannot put it elsewhere' },
    ],
  },
  {
    name: 'the signature of a confirmation is not verified',
    breaks: ['G2'],
    changes: [
      {
        file: ANSWER,
        find: "import { verifyContainer } from '../verify/container.js';",
        put: "import { containerBody } from '../verify/container.js';",
      },
      { file: ANSWER, find: 'verifyContainer(joinerKey, container)', put: 'containerBody(container)' },
    ],
    tests: [{ path: SEALS_SPEC, name: 'join confirmation: nobody else signs it' }],
  },
  {
    name: 'an unconfirmed join ends without a new key',
    breaks: ['G2', 'W15'],
    changes: [
      {
        file: ANSWERS,
        find: 'if (holdsKey(known, draft.core.epoch)) draft.apply(set({ rotationWanted: true }));',
        put: '',
      },
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'if (ended || (due && acceptance === null))',
        put: 'if (due && acceptance === null)',
      },
    ],
    tests: [
      {
        path: 'test/hostile/talk/weaknesses-talk.spec.ts',
        name: 'W15 a confirmation that the relay makes up ends the join, with a new key',
      },
    ],
  },
  {
    name: 'an answered invite stays open',
    breaks: ['G2'],
    changes: [
      {
        file: ANSWERS,
        find: "...invite, pair: null, stage: 'replied', replies,",
        put: "...invite, stage: 'replied', replies,",
      },
      {
        file: 'libs/client/src/room/owner/owner-joins.ts',
        find: "if (invite.stage === 'open') await",
        put: "if (invite.stage === 'open' || (invite.stage === 'replied' && join.confirm === undefined)) await",
      },
    ],
    tests: [
      {
        path: ENTRY_SPEC,
        name: 'G2 of two claimants one is answered, and what was answered is given to nobody else',
      },
    ],
  },
  {
    name: 'an invite is burnt after it was answered',
    breaks: ['G2', 'W10'],
    changes: [
      {
        file: ANSWERS,
        find: 'const replies = [await makeReply(hash, draft, invite)];',
        put: `const replies = [await makeReply(hash, draft, invite)];
      await this.#room.connection.request('joinReply', { inviteId, ...replies[0]! });`,
      },
    ],
    tests: [{ path: ENTRY_SPEC, name: 'G2 an answer leaves only once its invite is burnt on disk' }],
  },
  {
    name: 'the token stays after the admission',
    breaks: ['G2', 'W7', 'W10'],
    changes: [
      {
        file: EFFECTS,
        find: 'if (!draft.invites.has(inviteId)) return;\n  draft.apply(dropInvite(inviteId));',
        put: "const kept = draft.invites.get(inviteId);\n  if (kept === undefined) return;\n  draft.apply(putInvite({ ...kept, stage: 'replied', repliedAt: null }));",
      },
    ],
    tests: [
      {
        path: 'test/hostile/keys/weaknesses-keys.spec.ts',
        name: 'W7 is opened by nothing that the owner’s vault holds later',
      },
    ],
  },
  {
    name: 'a joiner takes the room of another owner',
    breaks: ['G2'],
    changes: [
      {
        file: PROOF,
        find: 'if (roster.owner !== owner) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);',
        put: '',
      },
    ],
    tests: [
      {
        path: ENTRY_SPEC,
        name: 'G2 an owner’s answer with a key that it has not committed to, or in a room that is another’s, is refused',
      },
    ],
  },
  {
    name: 'a joiner takes a key that misses its commitment',
    breaks: ['G2', 'G11'],
    changes: [
      {
        file: PROOF,
        find: 'if (!equalBytes(committedHash(reply, roster, ownerKey), actual))\n    throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);',
        put: '',
      },
    ],
    tests: [
      {
        path: ENTRY_SPEC,
        name: 'G2 an owner’s answer with a key that it has not committed to, or in a room that is another’s, is refused',
      },
    ],
  },
  {
    name: 'a chain may be that of another room',
    breaks: ['G2', 'W13'],
    changes: [
      {
        file: ROSTER,
        find: "if (roster.roomId !== roomId) throw bad('the chain of another room');",
        put: '',
      },
    ],
    tests: [
      {
        path: ROSTER_SPEC,
        name: 'of another room, in another order, with an entry left out or twice: refused',
      },
    ],
  },
  {
    name: 'a room may have an id that is not its genesis’',
    breaks: ['G4', 'W13'],
    changes: [
      {
        file: 'libs/client/src/account/create-room.ts',
        find: 'if (reply.roomId !== genesis.roomId) throw new ClientError(ERROR_CODES.RELAY_LIED);',
        put: '',
      },
    ],
    tests: [
      {
        path: 'test/hostile/keys/weaknesses-keys.spec.ts',
        name: 'W13 a room has the id that its own genesis hashes to, whatever the relay answers',
      },
    ],
  },
  {
    name: 'one invite admits twice',
    breaks: ['G2'],
    changes: [
      {
        file: ROSTER,
        find: "if (next.invites.includes(body.inviteId)) throw bad('invite used before');",
        put: '',
      },
    ],
    tests: [
      {
        path: ROSTER_SPEC,
        name: 'G2: of a second key on one invite is refused, also once the first is gone',
      },
    ],
  },
  {
    name: 'the relay serves a second claimant',
    breaks: ['G2'],
    changes: [{ file: INVITES, find: "return 'INVITE_TAKEN';", put: 'return null;' }],
    tests: [{ path: STORE_SPEC, name: 'have one winner under any race, who may repeat' }],
  },
  {
    name: 'the relay takes claims on an invite past its time',
    breaks: ['G2'],
    changes: [
      { file: INVITES, find: "return row.expires <= tx.now ? 'INVITE_EXPIRED' : null;", put: 'return null;' },
    ],
    tests: [{ path: STORE_SPEC, name: 'tell unknown, expired, revoked, used and taken apart' }],
  },
  {
    name: 'a joiner whose invite was used meanwhile, by its own admission, reads that the join has failed',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/account/joining/join-steps.ts',
        find: "if (!MOVED_ON.includes(code)) return 'unexpected';",
        put: "if (code !== ERROR_CODES.FORBIDDEN) return 'unexpected';",
      },
    ],
    tests: [
      {
        path: 'test/hostile/joins/joins-lies.spec.ts',
        name: 'G2 G14 of a confirmation that comes again, INVITE_UNKNOWN, is no failure of the join: it asks where it stands',
      },
    ],
  },
];
