/** Which keys are made, kept and given (docs/protocol.md sections 4 and 7; G8, G9, G10). */
import type { Mutant } from '../mutant.js';

const USED_SPEC = 'libs/client/src/room/log/used-prekeys.spec.ts';
const ROTATION = 'libs/crypto/src/keys/rotation.ts';
const WRAP = 'libs/crypto/src/keys/wrap.ts';
const ROTATION_SPEC = 'libs/crypto/src/keys/rotation.spec.ts';
const APPLY_ROTATION = 'libs/client/src/room/log/rotation.ts';
const ENTRY_TEST = 'libs/client/src/room/log/entry.spec.ts';
const KEYS_SPEC = 'test/hostile/keys/guarantees-keys.spec.ts';
const PREKEY = 'libs/crypto/src/verify/prekey.ts';

export const KEY_MUTANTS: readonly Mutant[] = [
  {
    name: 'room keys are kept for ever',
    breaks: ['G8'],
    changes: [
      {
        file: 'libs/client/src/room/log/room-keys.ts',
        find: 'if (kept.length < core.keys.length) draft.apply(set({ keys: kept }));',
        put: '',
      },
    ],
    tests: [
      { path: ENTRY_TEST, name: 'G8: a key is gone two rotations after its epoch' },
      {
        path: KEYS_SPEC,
        name: 'G8 a vault that is stolen after a rotation does not open what was sent before the previous one',
      },
    ],
  },
  {
    name: 'a new key is sealed under the old one alone',
    breaks: ['G9', 'W6'],
    changes: [
      {
        file: WRAP,
        find: 'const body = encodeAs(wrapBody, { k: prekey.k, ct, sealed });',
        put: 'const body = encodeAs(wrapBody, { k: prekey.k, ct, sealed: Uint8Array.from(plain) });',
      },
      {
        file: WRAP,
        find: 'const plain = await decryptHybrid(hash, { pair, ephemeral, place, message });',
        put: 'const plain = Uint8Array.from(message.sealed);',
      },
    ],
    tests: [
      { path: ROTATION_SPEC, name: 'G9: the old key alone opens nothing' },
      {
        path: 'test/hostile/keys/weaknesses-keys.spec.ts',
        name: 'W6 opens neither the rotation after it, nor anything later',
      },
    ],
  },
  {
    name: 'used prekeys are kept',
    breaks: ['G9'],
    changes: [
      {
        file: APPLY_ROTATION,
        find: 'const prekeys = core.prekeys.filter((prekey) => prekey.k >= k);',
        put: 'const { prekeys } = core;',
      },
    ],
    tests: [
      { path: USED_SPEC, name: 'G8: a private prekey is deleted once a rotation has used a later one' },
    ],
  },
  {
    name: 'a used prekey is not replaced',
    breaks: ['G9'],
    changes: [
      {
        file: 'libs/client/src/room/member/prekeys.ts',
        find: 'if (!replace && state.core.usedK < due && this.#published >= due) return null;',
        put: 'if (!replace) return null;',
      },
    ],
    tests: [
      {
        path: KEYS_SPEC,
        name: 'G9 a thief of room key and prekey follows one rotation, and is lost at the first that uses a later prekey',
      },
    ],
  },
  {
    name: 'a prekey that was used before is taken without a word',
    breaks: ['G5', 'G9'],
    changes: [
      { file: APPLY_ROTATION, find: 'if (k < core.usedK) return [alarm(', put: 'if (k < 0) return [alarm(' },
    ],
    tests: [
      {
        path: USED_SPEC,
        name: 'an owner’s client that uses an older prekey than before all the same is shown',
      },
    ],
  },
  {
    name: 'the signature of a prekey is not verified',
    breaks: ['G9'],
    changes: [
      {
        file: PREKEY,
        find: "import { verifyContainer } from './container.js';",
        put: "import { containerBody } from './container.js';",
      },
      { file: PREKEY, find: 'verifyContainer(owner.key, container)', put: 'containerBody(container)' },
    ],
    tests: [
      {
        path: 'libs/crypto/src/verify/roster.spec.ts',
        name: 'needs a prekey that the joiner signed for this room, as number 1',
      },
    ],
  },
  {
    name: 'nobody rotates at the configured count',
    breaks: ['G9'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'const byCount = core.epochMessages >= roster.settings.rotateEvery;',
        put: 'const byCount = false;',
      },
    ],
    tests: [{ path: KEYS_SPEC, name: 'G9 rotation comes by itself at the configured count' }],
  },
  {
    name: 'a due rotation does not wait for prekeys that a relay has lost',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/lost-prekeys.ts',
        find: 'if (!lost) return false;',
        put: 'if (core.epoch > 0) return false;',
      },
    ],
    tests: [
      {
        path: 'test/hostile/losses/lost-prekeys.spec.ts',
        name: 'G9 G16 a rotation that is due waits a minute for who comes back, and has a key for everybody',
      },
    ],
  },
  {
    name: 'made-up losses hold a due rotation back without end',
    breaks: ['G9'],
    changes: [
      {
        file: 'libs/client/src/room/owner/lost-prekeys.ts',
        find: 'this.#since ??= now;',
        put: 'this.#since = now;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/owner/lost-prekeys.spec.ts',
        name: 'waits a minute in an epoch, however many losses a relay makes up; in the next one anew',
      },
    ],
  },
  {
    name: 'a rotated key may miss its commitment',
    breaks: ['G9', 'G11'],
    changes: [
      {
        file: ROTATION,
        find: 'if (!equalBytes(await keyHash(hash, roster.nonce, newEpoch, key), rotation.keyHash)) {',
        put: 'if (key.length === 0) {',
      },
    ],
    tests: [
      {
        path: ROTATION_SPEC,
        name: 'ALARM_WRONG_KEY: the owner commits to one key and gives another, or one for something else',
      },
    ],
  },
  {
    name: 'a granted key may miss its commitment',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/crypto/src/keys/grant.ts',
        find: 'if (key === null || !equalBytes(await keyHash(hash, roster.nonce, epoch, key), options.expectedKeyHash)) {',
        put: 'if (key === null) {',
      },
    ],
    tests: [
      { path: ROTATION_SPEC, name: 'show a key that misses its commitment as the wrong one' },
      {
        path: 'test/hostile/losses/loss-lies.spec.ts',
        name: 'G2 a grant by the relay, by a member or for another request brings no key',
      },
    ],
  },
  {
    name: 'the sealed half of a rotation is not looked at',
    breaks: ['G4', 'G11', 'W2'],
    changes: [
      { file: ROTATION, find: 'const used = rotationPrekeys(options).get(memberId);', put: '' },
      { file: ROTATION, find: "if (used !== k) throw foreign('another prekey is listed');", put: '' },
    ],
    tests: [{ path: ROTATION_SPEC, name: 'ALARM_FOREIGN_ROTATION: W2, a message relabelled as a rotation' }],
  },
  {
    name: 'the removed stay on the roster',
    breaks: ['G10', 'W15'],
    changes: [{ file: 'libs/crypto/src/verify/roster.ts', find: 'members.delete(memberId);', put: '' }],
    tests: [
      {
        path: ROTATION_SPEC,
        name: 'G10: the removed member gets no wrap, and holds no key that opens another’s',
      },
      {
        path: 'libs/crypto/src/verify/roster.spec.ts',
        name: 'move a member to the former, with how it went',
      },
    ],
  },
  {
    name: 'messages and signals go out while a departure waits for its rotation',
    breaks: ['G10'],
    changes: [{ file: 'libs/client/src/room/log/room-keys.ts', find: ' || core.paused ||', put: ' ||' }],
    tests: [
      {
        path: KEYS_SPEC,
        name: 'G10 who has taken in a removal sends nothing before the rotation that follows, however long the relay keeps it',
      },
    ],
  },
  {
    name: 'the key is granted to who is being removed',
    breaks: ['G10'],
    changes: [
      {
        file: 'libs/client/src/room/member/key-requests.ts',
        find: 'if (core.tasks.removals.includes(from) || core.leaving.some(({ memberId }) => memberId === from))',
        put: "if (from === '')",
      },
    ],
    tests: [
      {
        path: 'test/hostile/losses/loss-lies.spec.ts',
        name: 'G10 a grant to somebody who is being removed is not made',
      },
    ],
  },
  {
    name: 'the epoch goes back with the relay’s store',
    breaks: ['G10', 'G6'],
    changes: [
      {
        file: 'libs/client/src/room/log/generations.ts',
        find: 'requeueLost(draft, lost);',
        put: 'requeueLost(draft, lost);\n  draft.apply(set({ epoch: Math.max(1, draft.core.logEpoch) }));',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/generations.spec.ts',
        name: 'across a removal and rotations leaves the client where it was, and is brought back in order',
      },
    ],
  },
  {
    name: 'the relay serves who was removed',
    breaks: ['G10'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/read.ts',
        find: "if (member.standing !== 'member') return {",
        put: "if (member.standing === 'leaving') return {",
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts',
        name: 'the departed read the entry that says so, and nothing later',
      },
    ],
  },
  {
    name: 'the relay appends below the epoch',
    breaks: ['G9', 'G10'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/append.ts',
        find: '} else if (epoch !== row.epoch) {',
        put: '} else if (epoch > row.epoch) {',
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts',
        name: 'a refusal ends the prefix: another epoch',
      },
    ],
  },
];
