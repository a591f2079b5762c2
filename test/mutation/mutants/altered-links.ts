/** Links that were altered on their way, and what a vault keeps of an invite (docs/protocol.md section 5, G2). */
import type { Mutant, NamedTest } from '../mutant.js';

const REQUEST = 'libs/crypto/src/keys/join-request.ts';
const ANSWER = 'libs/crypto/src/keys/join-answer.ts';
const INVITES = 'libs/client/src/room/owner/invites.ts';
const STAGES = 'libs/client/src/room/owner/invite-stages.ts';
const OWNER_JOINS = 'libs/client/src/room/owner/owner-joins.ts';
const EFFECTS = 'libs/client/src/room/log/roster-effects.ts';
const JOINER = 'libs/client/src/account/joining/joiner.ts';
const RECEIPTS = 'libs/client/src/view/receipts.ts';

const link = (name: string): NamedTest => ({
  path: 'test/hostile/joins/altered-links.spec.ts',
  name: `G2 ${name}`,
});
const secrets = (name: string): NamedTest => ({ path: 'test/hostile/joins/invite-secrets.spec.ts', name });
const request = (of: string): NamedTest => ({
  path: 'libs/crypto/src/keys/join-request.spec.ts',
  name: `signed for ${of} is of an altered link`,
});
const reply = (name: string): NamedTest => ({ path: 'libs/crypto/src/keys/join-answer.spec.ts', name });

const goesOn = (how: string): NamedTest => ({
  path: 'test/hostile/joins/joins-lies.spec.ts',
  name: `G2 G14 ${how}: its keys stay, and it goes on by itself until its admission is in the chain`,
});

const FORWARDS = link(
  'opens the request and forwards it: the owner answers nothing, ends the invite, and says what to do',
);
const BURNT = secrets(
  'G2 W7 the private key goes when it is burnt; token and join key when its joiner is admitted',
);
const UNVERIFIED: Mutant['changes'] = [
  {
    file: ANSWER,
    find: "import { verifyContainer } from '../verify/container.js';",
    put: "import { containerBody, verifyContainer } from '../verify/container.js';",
  },
  { file: ANSWER, find: 'verifyContainer(options.ownerKey, signed)', put: 'containerBody(signed)' },
];
const RECEIPT: NamedTest = {
  path: 'libs/client/src/view/room-view.spec.ts',
  name: 'has applied the last departure by what it signs in the epoch after it: in the log for good, or by a signal',
};
const RESTARTED: NamedTest = {
  path: 'test/hostile/keys/guarantees-keys.spec.ts',
  name: 'G10 the page shows who has applied a removal, by its own signed word, and from the log after a restart',
};

export const ALTERED_LINK_MUTANTS: readonly Mutant[] = [
  {
    name: 'the invite key of a request is not compared with the one that the invite was made with',
    breaks: ['G2'],
    changes: [
      {
        file: REQUEST,
        find: 'equalBytes(body.inviteKey, options.inviteKeyPair.publicKey);',
        put: 'body.inviteKey.length > 0;',
      },
    ],
    tests: [request('another invite key'), FORWARDS],
  },
  {
    name: 'the owner key of a request is not compared',
    breaks: ['G2'],
    changes: [
      { file: REQUEST, find: 'equalBytes(body.ownerKey, ownerKey) &&', put: 'body.ownerKey.length > 0 &&' },
    ],
    tests: [request('another owner'), link('another owner key: nobody comes in, and who can see it is told')],
  },
  {
    name: 'a request of an altered link releases its invite',
    breaks: ['G2'],
    changes: [
      {
        file: OWNER_JOINS,
        find: "altered ? 'altered' : 'badProof'",
        put: "altered ? 'badProof' : 'badProof'",
      },
    ],
    tests: [FORWARDS, link('another owner key: nobody comes in, and who can see it is told')],
  },
  {
    name: 'the owner’s signature of a reply is not verified',
    breaks: ['G2'],
    changes: UNVERIFIED,
    tests: [
      reply('of a member, with the true room key under the true join key, is refused'),
      link('answers the joiner himself, under his own signature, as a member: nothing of it is believed'),
    ],
  },
  {
    name: 'the request that a reply was signed for is not compared',
    breaks: ['G2', 'G5'],
    changes: [
      {
        file: ANSWER,
        find: 'equalBytes(body.request, request) &&\n        equalBytes(body.reply, said);',
        put: 'request.length > 0 &&\n        equalBytes(body.reply, said);',
      },
    ],
    tests: [reply('signed for another request is refused')],
  },
  {
    name: 'the joiner that a reply was signed for is not compared',
    breaks: ['G2', 'G4'],
    changes: [{ file: ANSWER, find: 'body.joiner === options.joiner &&', put: "body.joiner !== '' &&" }],
    tests: [reply('signed for another joiner is refused')],
  },
  {
    name: 'what the owner has signed for one joiner is taken by another',
    breaks: ['G2', 'G4', 'G5'],
    changes: [
      { file: ANSWER, find: 'body.joiner === options.joiner &&', put: "body.joiner !== '' &&" },
      {
        file: ANSWER,
        find: 'equalBytes(body.request, request) &&\n        equalBytes(body.reply, said);',
        put: 'request.length > 0 &&\n        equalBytes(body.reply, said);',
      },
    ],
    tests: [
      link('answers the joiner himself, with what the owner has signed for him: nothing of it is believed'),
    ],
  },
  {
    name: 'the body beside the owner’s signature of a reply is any',
    breaks: ['G2'],
    changes: [
      {
        file: ANSWER,
        find: 'equalBytes(body.request, request) &&\n        equalBytes(body.reply, said);',
        put: 'equalBytes(body.request, request) &&\n        said.length > 0;',
      },
    ],
    tests: [
      reply('with any other body beside the signature is refused'),
      reply('signed for another reply is refused'),
    ],
  },
  {
    name: 'the private key of an invite outlives its burn',
    breaks: ['G2', 'W7'],
    changes: [
      {
        file: INVITES,
        find: "...invite, pair: null, stage: 'replied', replies,",
        put: "...invite, stage: 'replied', replies,",
      },
    ],
    tests: [BURNT],
  },
  {
    name: 'the secrets of an invite outlive its end until the relay has carried it out',
    breaks: ['G2'],
    changes: [
      {
        file: STAGES,
        find: 'if (staysOpen(dropped)) return dropped;',
        put: "if (dropped.stage === 'dropping') return dropped;",
      },
    ],
    tests: [
      secrets('G2 all of them go when it is revoked, though the relay does not carry that out'),
      secrets('G2 all of them go when an answered join ends, though the relay does not carry that out'),
      secrets('G2 all of them go when its link was altered, or the room is closed'),
    ],
  },
  {
    name: 'a room that is closed keeps the secrets of its invites',
    breaks: ['G2'],
    changes: [
      {
        file: EFFECTS,
        find: "      dropInvites(draft);\n      draft.apply(set({ stage: 'closed' }));",
        put: "      draft.apply(set({ stage: 'closed' }));",
      },
    ],
    tests: [secrets('G2 all of them go when its link was altered, or the room is closed')],
  },
  {
    name: 'a joiner stops at the end of its invite unless the relay says that it has confirmed',
    breaks: ['G14'],
    changes: [
      { file: JOINER, find: "({ step }) => step === 'claim'", put: "({ step }) => step === 'confirmed'" },
    ],
    tests: [goesOn('asked in time'), goesOn('confirmed in time, which the relay does not tell it')],
  },
  {
    name: 'who has applied a removal is known from presence alone',
    breaks: ['G10'],
    changes: [
      {
        file: RECEIPTS,
        find: 'const sealed = snapshot.sender(memberId).epoch ?? 0;',
        put: 'const sealed = 0 * (snapshot.sender(memberId).epoch ?? 0);',
      },
    ],
    tests: [RECEIPT, RESTARTED],
  },
  {
    name: 'whoever was ever heard of has applied the last removal',
    breaks: ['G10'],
    changes: [
      {
        file: RECEIPTS,
        find: "return (heard ?? 0) >= epoch ? 'presence' : 'none';",
        put: "return heard === null ? 'none' : 'presence';",
      },
    ],
    tests: [RECEIPT],
  },
];
