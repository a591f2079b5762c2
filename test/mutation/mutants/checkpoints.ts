/** Rotations as checkpoints (docs/decisions/0030): a fork is shown to both sides, and so is the next one. */
import type { Mutant } from '../mutant.js';

const TRANSCRIPT = 'libs/crypto/src/verify/transcript.ts';
const CHECKPOINT = 'libs/client/src/room/log/checkpoint.ts';
const FORK = 'libs/client/src/room/log/fork.ts';
const ROTATION = 'libs/client/src/room/log/rotation.ts';
const GENERATIONS = 'libs/client/src/room/log/generations.ts';
const USED = 'libs/client/src/room/log/used-prekeys.ts';
const ROTATIONS = 'libs/crypto/src/keys/rotation.ts';
const SPEC = 'libs/client/src/room/log/checkpoint.spec.ts';
const TRANSCRIPT_SPEC = 'libs/crypto/src/verify/transcript.spec.ts';
const USED_SPEC = 'libs/client/src/room/log/used-prekeys.spec.ts';
const ROTATION_SPEC = 'libs/crypto/src/keys/rotation.spec.ts';

export const CHECKPOINT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a rotation is no checkpoint: transcripts never meet again',
    breaks: ['G7'],
    changes: [
      {
        file: ROTATION,
        find: 'if (!trimmed) await passCheckpoint(hash, draft, rotation.base);',
        put: '',
      },
    ],
    tests: [
      {
        path: SPEC,
        name: 'is shown in its epoch and in the next, to both sides, and transcripts meet again',
      },
    ],
  },
  {
    name: 'a checkpoint forgets what the epoch had in it',
    breaks: ['G7'],
    changes: [
      {
        file: TRANSCRIPT,
        find: "transcriptAtFloor(await hash.sha256(ctx('checkpoint', base, segmentOf(value))));",
        put: "transcriptAtFloor(await hash.sha256(ctx('checkpoint', base, NOTHING_SINCE)));",
      },
    ],
    tests: [
      {
        path: TRANSCRIPT_SPEC,
        name: 'stays apart where the epoch itself differed, until the rotation after it',
      },
    ],
  },
  {
    name: 'a fork is shown once for each sender, for ever',
    breaks: ['G7'],
    changes: [
      {
        file: FORK,
        find: 'if (draft.sender(sender).forkedIn === epoch) return [];',
        put: 'if (draft.sender(sender).forkedIn > 0) return [];',
      },
    ],
    tests: [{ path: SPEC, name: 'after one that was shown is shown like the first' }],
  },
  {
    name: 'who found the owner’s checkpoint to be another one does not say so',
    breaks: ['G7'],
    changes: [
      {
        file: FORK,
        find: '...(current.differed === undefined ? {} : { differed: current.differed }),',
        put: '',
      },
    ],
    tests: [
      {
        path: SPEC,
        name: 'that only the members of one side can tell is shown to the other by what they seal',
      },
    ],
  },
  {
    name: 'what others say of the owner’s checkpoint is not looked at',
    breaks: ['G7'],
    changes: [
      {
        file: FORK,
        find: "if (compared === 'ahead' || compared === 'differs' || isOtherSide(draft, seen))",
        put: "if (compared === 'ahead' || compared === 'differs')",
      },
    ],
    tests: [
      {
        path: SPEC,
        name: 'that only the members of one side can tell is shown to the other by what they seal',
      },
    ],
  },
  {
    name: 'the owner’s checkpoint is not compared with one’s own beginning',
    breaks: ['G7'],
    changes: [
      {
        file: CHECKPOINT,
        find: 'if (moved) return { items: [] };',
        put: 'if (!moved) return { items: [] };',
      },
    ],
    tests: [{ path: SPEC, name: 'is a fork' }],
  },
  {
    name: 'a rotation that was signed before a loss is taken for a fork',
    breaks: ['G7'],
    changes: [{ file: CHECKPOINT, find: 'if (moved) return { items: [] };', put: '' }],
    tests: [
      {
        path: SPEC,
        name: 'after a loss of that beginning: signed before its owner could know of a loss is none',
      },
    ],
  },
  {
    name: 'who does not know its transcript compares it',
    breaks: ['G7'],
    changes: [
      {
        file: GENERATIONS,
        find: 'const provisional = from === null ? 2 : core.provisional;',
        put: 'const { provisional } = core;',
      },
    ],
    tests: [
      {
        path: SPEC,
        name: 'shows no fork that is none, seals nothing that looks like one, and knows it again after a fresh rotation',
      },
    ],
  },
  {
    name: 'a rotation wraps to a prekey from before the one that was used',
    breaks: ['G9'],
    changes: [
      {
        file: ROTATIONS,
        find: 'prekey !== null && (member.memberId === owner || prekey.k >= (least.get(member.memberId) ?? 0));',
        put: 'prekey !== null;',
      },
    ],
    tests: [
      { path: ROTATION_SPEC, name: 'G9: wraps to no prekey before the one that the last rotation used' },
    ],
  },
  {
    name: 'nobody but the owner keeps which prekeys were used',
    breaks: ['G9'],
    changes: [{ file: USED, find: 'draft.apply(set({ wrappedTo }));', put: '' }],
    tests: [
      {
        path: USED_SPEC,
        name: 'the list of a rotation is kept, and says which prekeys had been used before',
      },
    ],
  },
  {
    name: 'a rotation says that it is cold, and is not',
    breaks: ['G9'],
    changes: [
      {
        file: ROTATIONS,
        find: 'if (rotation.cold) return payload;',
        put: 'if (rotation.cold && payload.length === 0) return payload;',
      },
    ],
    tests: [
      {
        path: ROTATION_SPEC,
        name: 'gives every member the key, without the old one, and says that it is cold',
      },
    ],
  },
  {
    name: 'who could not compare the checkpoint is shown the other side of one',
    breaks: ['G7'],
    changes: [
      {
        file: 'libs/client/src/room/log/fork.ts',
        find: 'return (snapshot.key(epoch - 1)?.t ?? null) !== null;',
        put: 'return epoch > 0;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/checkpoint.spec.ts',
        name: 'is shown no other side where it could not compare, and takes nobody for one who could not',
      },
    ],
  },
];
