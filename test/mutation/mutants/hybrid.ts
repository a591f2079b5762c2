/** Hybrid keys and messages (docs/decisions/0027, 0036): what they are bound to, and the half that is not the curve. */
import type { Mutant } from '../mutant.js';

const HYBRID = 'libs/crypto/src/keys/hybrid.ts';
const HYBRID_SPEC = 'libs/crypto/src/keys/hybrid.spec.ts';
const KEM_KEY = 'libs/crypto/src/verify/kem-key.ts';
const KEM_SPEC = 'libs/crypto/src/keys/kem.spec.ts';
const WRAP = 'libs/crypto/src/keys/wrap.ts';
const PREKEY = 'libs/crypto/src/verify/prekey.ts';
const REQUESTS = 'libs/crypto/src/verify/requests.ts';
const REQUESTS_SPEC = 'libs/crypto/src/verify/requests.spec.ts';
const LIMITS = 'libs/protocol/src/limits.ts';
const ROOM_SPEC = 'libs/crypto/src/keys/full-room.spec.ts';
const HOSTILE = 'test/hostile/keys/hybrid-keys.spec.ts';
const RECORDED = {
  path: 'test/hostile/keys/recorded-today.spec.ts',
  name: 'G17 every private key of the curve opens nothing: no room key, no line',
} as const;

export const HYBRID_MUTANTS: readonly Mutant[] = [
  {
    name: 'a hybrid message is not bound to its kind',
    breaks: ['G4'],
    changes: [
      {
        file: HYBRID,
        find: 'return [kind, roomId, epoch, memberId, keys, encapsulation];',
        put: "return ['wrap', roomId, epoch, memberId, keys, encapsulation];",
      },
    ],
    tests: [
      { path: HYBRID_SPEC, name: 'kind' },
      { path: HYBRID_SPEC, name: 'place, drawn at random' },
    ],
  },
  {
    name: 'a hybrid message is not bound to its ephemeral key',
    breaks: ['G4'],
    changes: [{ file: HYBRID, find: 'hash.sha256(concat(ephemeral, ct)),', put: 'hash.sha256(ct),' }],
    tests: [{ path: HYBRID_SPEC, name: 'ephemeral, its negative' }],
  },
  {
    name: 'the key of a hybrid message has nothing of the KEM in it',
    breaks: ['G17', 'G9'],
    changes: [
      {
        file: HYBRID,
        find: "const hashed = ctx('hybrid', ...place, sharedSecret);",
        put: "const hashed = ctx('hybrid', ...place);",
      },
    ],
    tests: [
      {
        path: HYBRID_SPEC,
        name: 'and every private key of the curve opens nothing: the seed is missing',
      },
      RECORDED,
    ],
  },
  {
    name: 'room keys go to the curve alone',
    breaks: ['G17', 'G9'],
    changes: [
      {
        file: HYBRID,
        find: "return { ct, sealed: sealCell(kk, inner, ctx('hybrid', ...place)) };",
        put: 'return { ct, sealed: inner };',
      },
      {
        file: HYBRID,
        find: "const inner = openCell(kk, message.sealed, ctx('hybrid', ...place), { code: 'MALFORMED' });",
        put: 'const inner = message.sealed;',
      },
    ],
    tests: [RECORDED, { path: HYBRID_SPEC, name: 'is built as the record says' }],
  },
  {
    name: 'room keys go to the KEM alone',
    breaks: ['G9'],
    changes: [
      {
        file: HYBRID,
        find: 'const inner = encryptTo(ephemeral.privateKey, to.key, options.plain);',
        put: 'const inner = options.plain;',
      },
      {
        file: HYBRID,
        find: 'return decryptFrom(pair.privateKey, ephemeral, inner);',
        put: 'return inner;',
      },
    ],
    tests: [{ path: HYBRID_SPEC, name: 'and the seed alone opens nothing: a key of the curve is missing' }],
  },
  {
    name: 'a wrap of a cold rotation passes for one under the old key',
    breaks: ['G4'],
    changes: [{ file: WRAP, find: "kind: cold ? 'cold-wrap' : 'wrap',", put: "kind: 'wrap'," }],
    tests: [
      {
        path: 'libs/crypto/src/keys/wrap.spec.ts',
        name: 'of a cold rotation needs no old key, and both halves all the same',
      },
    ],
  },
  {
    name: 'a signed prekey stands for any encapsulation key beside it',
    breaks: ['G9'],
    changes: [
      {
        file: PREKEY,
        find: 'if (!equalBytes(await hash.sha256(ek), prekey.ekHash))',
        put: 'if (!equalBytes((await hash.sha256(ek)).slice(32), prekey.ekHash.slice(32)))',
      },
    ],
    tests: [
      { path: REQUESTS_SPEC, name: 'is the one that was signed for' },
      { path: HOSTILE, name: 'G9 is not published, whatever is wrong with it' },
    ],
  },
  {
    name: 'an encapsulation key that is none is taken with its holder’s signature',
    breaks: ['G9', 'G16'],
    changes: [
      {
        file: PREKEY,
        find: "if (!isEncapsulationKey(ek)) throw new CryptoError('BAD_KEY', 'not an encapsulation key');",
        put: '',
      },
    ],
    tests: [
      { path: REQUESTS_SPEC, name: 'is a key that can be encrypted to, whoever signed for it' },
      { path: HOSTILE, name: 'G9 is not published, whatever is wrong with it' },
    ],
  },
  {
    name: 'a request for the key may have an encapsulation key that is none',
    breaks: ['G16'],
    changes: [
      {
        file: REQUESTS,
        find: "if (!isEncapsulationKey(body.ek)) throw new CryptoError('BAD_KEY', 'not an encapsulation key');",
        put: '',
      },
    ],
    tests: [
      { path: REQUESTS_SPEC, name: 'a needKey has an encapsulation key that can be encrypted to' },
      {
        path: HOSTILE,
        name: 'G16 in a request for the key is refused, and gets no answer where the relay passes it on',
      },
    ],
  },
  {
    name: 'one unusable prekey stops the rotation',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/crypto/src/keys/rotation.ts',
        find: "if (isRefusal(error) && error.code === 'BAD_KEY') return null;",
        put: '',
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/keys/rotation.spec.ts',
        name: 'goes on without a member whose prekey is no key, and says so; never without the owner',
      },
    ],
  },
  {
    name: 'an owner stops at a prekey that the relay has made up',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner-commands.ts',
        find: 'if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;',
        put: 'throw error;',
      },
    ],
    tests: [
      {
        path: HOSTILE,
        name: 'G9 G16 that the relay hands out all the same leaves its member without a wrap, shown, and the others go on',
      },
    ],
  },
  {
    name: 'a first prekey that the relay has lost is not published again',
    breaks: ['G9', 'G16'],
    changes: [
      {
        file: 'libs/client/src/room/member/prekeys.ts',
        find: 'this.#published = k;',
        put: 'this.#published = Math.max(1, k);',
      },
    ],
    tests: [
      {
        path: HOSTILE,
        name: 'G9 G16 that the relay has lost is published again by its member, the same as before',
      },
    ],
  },
  {
    name: 'a relay takes any encapsulation key beside an admission',
    breaks: ['G9'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/roster-changes.ts',
        find: 'await verifyPrekey(context.hash, next, change.member, { prekey: change.prekey, ek });',
        put: '',
      },
    ],
    tests: [
      {
        path: 'test/integration/relay-admissions.spec.ts',
        name: 'beside an admission is the one that the joiner signed for, and stands for its first prekey',
      },
    ],
  },
  {
    name: 'a room may have more members than a frame has room for',
    breaks: ['G16'],
    changes: [{ file: LIMITS, find: 'maxMembers: 500,', put: 'maxMembers: 1_000,' }],
    tests: [
      { path: ROOM_SPEC, name: 'is rotated in one frame: the longest parts, entry and wraps' },
      { path: ROOM_SPEC, name: 'has its prekeys told in one frame' },
    ],
  },
  {
    name: 'the wire takes no hybrid wrap of the longest numbers',
    breaks: ['G16'],
    changes: [{ file: LIMITS, find: 'wrapBytes: 1_408,', put: 'wrapBytes: 1_350,' }],
    tests: [{ path: ROOM_SPEC, name: 'has no wrap that the wire does not take' }],
  },
  {
    name: 'an encapsulation key may be all zero',
    breaks: ['G9'],
    changes: [{ file: KEM_KEY, find: 'return any !== 0;', put: 'return any >= 0;' }],
    tests: [
      { path: KEM_SPEC, name: 'is not a vector of zeros, whose secrets anybody reads off the ciphertext' },
    ],
  },
];
