/** What is sealed and signed, and what it is held against when it is opened (docs/protocol.md sections 2 and 6). */
import type { Mutant } from '../mutant.js';

const MESSAGE = 'libs/crypto/src/keys/message.ts';
const ANSWER = 'libs/crypto/src/keys/join-answer.ts';
const CELL = 'libs/crypto/src/cell.ts';
const SEALS_SPEC = 'libs/crypto/src/keys/seals.spec.ts';
const TALK_SPEC = 'test/hostile/talk/guarantees-talk.spec.ts';

/** A module that verifies gets the function that only takes apart. */
const unverified = (file: string) => ({
  file,
  find: "import { verifyContainer } from '../verify/container.js';",
  put: "import { containerBody, verifyContainer } from '../verify/container.js';",
});

export const SEAL_MUTANTS: readonly Mutant[] = [
  {
    name: 'messages travel in clear',
    breaks: ['G1'],
    changes: [
      {
        file: MESSAGE,
        find: "const payload = sealCell(roomKey, pad(container), context('message', body));",
        put: 'const payload = pad(container);',
      },
      {
        file: MESSAGE,
        find: "const padded = openCell(place.roomKey, place.payload, context(kind, place), { code: 'MALFORMED' });",
        put: "const padded = kind === 'message' ? place.payload : openCell(place.roomKey, place.payload, context(kind, place), { code: 'MALFORMED' });",
      },
    ],
    tests: [
      {
        path: 'test/hostile/transcript/transcript.spec.ts',
        name: 'G1 shows the relay no key, token, name or text: nothing in its sessions, frames, requests or store',
      },
    ],
  },
  {
    name: 'the answer to a joiner travels in clear',
    breaks: ['G1'],
    changes: [
      {
        file: ANSWER,
        find: 'const payload = sealCell(options.joinKey, plain, await replyContext(hash, options, reply.epoch));',
        put: 'const payload = Uint8Array.from(plain);',
      },
      {
        file: ANSWER,
        find: "const plain = openCell(options.joinKey, options.payload, context, { code: 'INVITE_REPLY_INVALID' });",
        put: 'const plain = context.length === 0 ? context : Uint8Array.from(options.payload);',
      },
    ],
    tests: [
      {
        path: 'test/hostile/transcript/transcript.spec.ts',
        name: 'G1 shows the relay no key, token, name or text: nothing in its sessions, frames, requests or store',
      },
    ],
  },
  {
    name: 'the relay’s name for an invite tells of its token',
    breaks: ['G1'],
    changes: [
      {
        file: 'libs/crypto/src/keys/invite.ts',
        find: "toBase64Url((await hash.sha256(ctx('invite-id', token))).subarray(0, 16))",
        put: 'toBase64Url(token.subarray(0, 16))',
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/keys/invite.spec.ts',
        name: 'the relay’s name for it tells nothing of the token',
      },
    ],
  },
  {
    name: 'a seal is bound to no context',
    breaks: ['G4', 'W1'],
    changes: [
      { file: CELL, find: '.encrypt(plain, context)', put: '.encrypt(plain)' },
      { file: CELL, find: '.decrypt(sealed, context)', put: '.decrypt(sealed)' },
    ],
    tests: [
      { path: SEALS_SPEC, name: 'join reply does not open with another token' },
      {
        path: 'libs/crypto/src/keys/vault.spec.ts',
        name: 'opens nowhere else: not where store and key merely join to the same text',
      },
    ],
  },
  {
    name: 'one signed body passes for another kind',
    breaks: ['G4', 'W2'],
    changes: [
      {
        file: MESSAGE,
        find: 'ctx(kind, place.roomId, place.epoch, place.sender);',
        put: "ctx('message', place.roomId, place.epoch, place.sender);",
      },
      {
        file: MESSAGE,
        find: 'decodeBody<K>(verifyContainer(place.senderKey, container), kind)',
        put: "decodeBody<'message' | 'signal'>(verifyContainer(place.senderKey, container), 'message', 'signal')",
      },
    ],
    tests: [{ path: SEALS_SPEC, name: 'opens as no other: each in the place of each' }],
  },
  {
    name: 'the signature of a message is not verified',
    breaks: ['G3', 'W4'],
    changes: [
      unverified(MESSAGE),
      { file: MESSAGE, find: 'verifyContainer(place.senderKey, container)', put: 'containerBody(container)' },
    ],
    tests: [
      { path: 'libs/client/src/room/log/entry.spec.ts', name: 'cannot be claimed inside the seal either' },
      {
        path: 'test/hostile/talk/weaknesses-talk.spec.ts',
        name: 'W4 is not believed, not even with the relay’s help, and the room’s own words are no text',
      },
    ],
  },
  {
    name: 'the place that is signed inside a seal is not compared',
    breaks: ['G3', 'G4'],
    changes: [
      {
        file: MESSAGE,
        find: 'if (roomId !== place.roomId || epoch !== place.epoch || sender !== place.sender) {',
        put: "if (roomId === '' || epoch < 0 || sender === '') {",
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/keys/message.spec.ts',
        name: 'ALARM_BAD_SIGNATURE: a member that writes as another, or moves or relabels its words',
      },
    ],
  },
  {
    name: 'an edit by somebody else counts',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/room/conversation/annotations.ts',
        find: 'if (content.to.sender !== sender) return null;',
        put: '',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/conversation/annotations.spec.ts',
        name: 'G3: nobody edits or deletes the message of another',
      },
      {
        path: TALK_SPEC,
        name: 'G3 edits, deletions, the room’s name and other members’ names count only from who may make them',
      },
    ],
  },
  {
    name: 'anybody names the room',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/room/log/profiles.ts',
        find: "content?.type === 'roomName' && body.sender === draft.roster.owner",
        put: "content?.type === 'roomName'",
      },
    ],
    tests: [
      { path: 'libs/client/src/room/log/entry.spec.ts', name: 'a member’s message is no name for the room' },
      {
        path: TALK_SPEC,
        name: 'G3 edits, deletions, the room’s name and other members’ names count only from who may make them',
      },
    ],
  },
  {
    name: 'padding may hold anything',
    breaks: ['G4'],
    changes: [
      {
        file: 'libs/protocol/src/padding.ts',
        find: 'if (padded.subarray(4 + length).some((byte) => byte !== 0)) throw wrong();',
        put: '',
      },
    ],
    tests: [{ path: 'libs/protocol/src/bytes.spec.ts', name: 'is refused with another length or size' }],
  },
  {
    name: 'a container may have bytes behind it',
    breaks: ['G4'],
    changes: [
      {
        file: 'libs/crypto/src/verify/container.ts',
        find: 'container.length === HEADER_BYTES + bodyBytes + signatureBytes;',
        put: 'container.length >= HEADER_BYTES + bodyBytes + signatureBytes;',
      },
    ],
    tests: [{ path: 'libs/crypto/src/verify/container.spec.ts', name: 'have exactly one length' }],
  },
];
