/** Whom a line is sealed for: those it was written for, and nobody else (docs/protocol.md sections 6 and 9, G18). */
import type { Mutant } from '../mutant.js';

const LOST = 'libs/client/src/room/log/lost.ts';
const AGAIN = 'libs/client/src/room/log/again.ts';
const MESSAGE = 'libs/crypto/src/keys/message.ts';
const OUTBOX = 'libs/client/src/room/member/outbox.ts';
const RESEALING = 'test/hostile/losses/resealing.spec.ts';
const EARLIER = 'test/hostile/losses/one-epoch-earlier.spec.ts';
const LOST_SPEC = 'libs/client/src/room/log/lost.spec.ts';
const AGAIN_SPEC = 'libs/client/src/room/log/again.spec.ts';
const RESTORED_SPEC = 'libs/client/src/room/log/restored.spec.ts';
const APPENDED = 'test/hostile/losses/appended-or-not.spec.ts';
const REMOVAL = 'test/hostile/keys/removal-lies.spec.ts';

/** Judged by an oracle that knows none of these faults. */
export const ORACLE = {
  path: 'test/hostile/random/secrecy.spec.ts',
  name: 'G8 G9 G10 G18 opens to nobody what was not for it',
} as const;

export const WRITTEN_FOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'what was lost in an earlier epoch is sealed for today’s',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: 'else if (epoch === core.epoch) draft.apply(putOutbox({ ...waits, only: epoch }));',
        put: 'else if (epoch !== -1) draft.apply(putOutbox({ ...waits, only: core.epoch }));',
      },
    ],
    tests: [
      {
        path: RESEALING,
        name: 'G18 made up in one word gives no older line to who came since, was only answered, or stole a key',
      },
      {
        path: RESEALING,
        name: 'G18 of all that an old copy has not gives no older line to who came since, was only answered, or stole a key',
      },
      ORACLE,
    ],
  },
  {
    name: 'what comes back between two losses counts as of today’s epoch',
    breaks: ['G18'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'const own = sender === draft.core.me ? { sealedIn: body.epoch } : {};',
        put: 'const own = sender === draft.core.me ? { sealedIn: draft.core.epoch } : {};',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/lost.spec.ts',
        name: 'G18 that a relay has brought back behind the epoch here is of its own epoch at the next loss',
      },
    ],
  },
  {
    name: 'an epoch that the relay has called old once is written in no more',
    breaks: ['G16'],
    changes: [{ file: OUTBOX, find: 'this.#refusedEpoch = 0;', put: '' }],
    tests: [
      {
        path: 'test/hostile/losses/loss-lies.spec.ts',
        name: 'G16 a relay that has refused a line with STALE_EPOCH again and again has it in the same epoch once it is honest, by itself',
      },
    ],
  },
  {
    name: 'what was deleted and then lost is sealed again',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: 'else if (deleted.has(item.n)) draft.apply(putOutbox(asVoid(waits)));',
        put: '',
      },
    ],
    tests: [
      {
        path: RESEALING,
        name: 'G18 seals a line that was deleted for nobody again, not even in its own epoch',
      },
    ],
  },
  {
    name: 'a line that has waited goes to whoever has come in since',
    breaks: ['G18'],
    changes: [
      {
        file: OUTBOX,
        find: '(item) => isPast(snapshot, item) || admittedSince(snapshot, item).length > 0,',
        put: '(item) => isPast(snapshot, item),',
      },
    ],
    tests: [
      {
        path: 'test/hostile/losses/unsent.spec.ts',
        name: 'G18 and has waited over a rotation and an admission asks first, and is sent or discarded by hand',
      },
      {
        path: 'test/hostile/losses/unsent.spec.ts',
        name: 'G18 and has waited over an admission alone asks first, and is sent or discarded by hand',
      },
    ],
  },
  {
    name: 'what was never acknowledged is on its way for ever',
    breaks: ['G18'],
    changes: [{ file: LOST, find: '&& now - made < ON_ITS_WAY_MS', put: '&& now - made < 1e15' }],
    tests: [
      {
        path: 'test/hostile/losses/unsent.spec.ts',
        name: 'G18 since it refuses it until a rotation a minute later comes back inside, for nobody who was answered since',
      },
      {
        path: 'libs/client/src/room/log/lost.spec.ts',
        name: 'G18 and was never acknowledged for a minute keeps its epoch: inside in the next one, given up in the one after',
      },
    ],
  },
  {
    name: 'what was acknowledged is sealed for a later epoch',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: 'bound !== null && bound !== snapshot.core.epoch;',
        put: 'bound !== null && bound < 0;',
      },
    ],
    tests: [
      {
        path: APPENDED,
        name: 'G18 and not stored, comes back inside, for those who were there, and for nobody who came since',
      },
    ],
  },
  {
    name: 'a message that was told as missed is a duplicate when it comes',
    breaks: ['G16', 'G6'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'if (late && draft.core.losses.length === 0 && !isMissing(draft, body)) {',
        put: 'if (late && draft.core.losses.length === 0) {',
      },
    ],
    tests: [
      {
        path: APPENDED,
        name: 'G16 and not stored, before one that is stored, comes late and to everybody once the relay is honest',
      },
    ],
  },
  {
    name: 'an owner that has stored a removal goes on sealing',
    breaks: ['G10', 'G18'],
    changes: [
      {
        file: 'libs/client/src/room/log/room-keys.ts',
        find: 'return !departing && tasks.removals.length === 0;',
        put: 'return !departing || tasks.removals.length >= 0;',
      },
    ],
    tests: [
      {
        path: REMOVAL,
        name: 'G10 G18 that the relay swallows: its owner seals nothing more for the removed from storing it on',
      },
    ],
  },
  {
    name: 'a line of the epoch before goes as one of today',
    breaks: ['G18'],
    changes: [
      {
        file: AGAIN,
        find: 'if (epoch === undefined) return content;',
        put: 'if (epoch !== 0) return content;',
      },
    ],
    tests: [
      {
        path: EARLIER,
        name: 'G18 G16 made up in one word brings it back for those who were there; who came since, was only answered or stole today’s key opens nothing',
      },
      {
        path: EARLIER,
        name: 'G18 G16 of all that an old copy has not brings it back for those who were there; who came since, was only answered or stole today’s key opens nothing',
      },
    ],
  },
  {
    name: 'what came back inside is of the epoch in which it came, at the next loss',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: 'due.set(item.n, item.again ?? item.sealedIn ?? null);',
        put: 'due.set(item.n, item.sealedIn ?? null);',
      },
    ],
    tests: [
      { path: LOST_SPEC, name: 'G18 that had come back inside is of its own epoch at the next loss too' },
    ],
  },
  {
    name: 'what is two epochs old goes inside',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: 'if (epoch === null || epoch !== snapshot.core.epoch - 1) return false;',
        put: 'if (epoch === null) return false;',
      },
    ],
    tests: [
      {
        path: LOST_SPEC,
        name: 'G18 and was acknowledged two epochs ago is given up where it waits, the key of then being here or not',
      },
    ],
  },
  {
    name: 'the next line seals what is bound to an epoch that has ended',
    breaks: ['G18'],
    changes: [
      {
        file: OUTBOX,
        find: '(item) => isPast(snapshot, item) || admittedSince(snapshot, item).length > 0,',
        put: '(item) => admittedSince(snapshot, item).length > 0,',
      },
    ],
    tests: [
      {
        path: LOST_SPEC,
        name: 'G18 for an epoch that has ended is sealed by nothing before it was decided on, the next line neither',
      },
    ],
  },
  {
    name: 'a line that was deleted while it waited goes inside',
    breaks: ['G18'],
    changes: [{ file: LOST, find: 'for (const { content } of outbox.values()) note(content);', put: '' }],
    tests: [
      {
        path: LOST_SPEC,
        name: 'G18 and was acknowledged in the epoch before goes inside, one that its sender has deleted as void',
      },
    ],
  },
  {
    name: 'a message inside another may be of any epoch',
    breaks: ['G5', 'G18'],
    changes: [{ file: MESSAGE, find: 'place.epoch !== outer.epoch - 1', put: 'place.epoch < 0' }],
    tests: [
      {
        path: AGAIN_SPEC,
        name: 'G5 G18 of two epochs ago is an alarm while its key is here, for a join that still needs it',
      },
    ],
  },
  {
    name: 'a message inside another may have another counter',
    breaks: ['G3', 'G5'],
    changes: [
      {
        file: MESSAGE,
        find: 'const same = n === outer.n && equalBytes(instance',
        put: 'const same = equalBytes(instance',
      },
    ],
    tests: [
      { path: AGAIN_SPEC, name: 'G3 G4 G18 under another counter is an alarm, and nothing of it is shown' },
    ],
  },
  {
    name: 'a message inside another may have another nonce',
    breaks: ['G3', 'G5'],
    changes: [{ file: MESSAGE, find: ' && equalBytes(mid, outer.mid);', put: ';' }],
    tests: [
      { path: AGAIN_SPEC, name: 'G3 G4 G18 under another nonce is an alarm, and nothing of it is shown' },
    ],
  },
  {
    name: 'names and further messages may be inside another',
    breaks: ['G3', 'G18'],
    changes: [{ file: MESSAGE, find: "new Set(['again', 'profile', 'roomName']);", put: 'new Set();' }],
    tests: [
      { path: AGAIN_SPEC, name: 'G3 G18 that is one more inside is an alarm' },
      { path: AGAIN_SPEC, name: 'G3 G18 that is a name is an alarm' },
    ],
  },
  {
    name: 'a line that comes again may say something else',
    breaks: ['G3', 'G16'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'if (other !== null) return [other];',
        put: 'if (other === undefined) return [];',
      },
    ],
    tests: [
      {
        path: AGAIN_SPEC,
        name: 'G3 G16 with other words than the line that is here, sent again inside, is an alarm, and what is here stays',
      },
      {
        path: AGAIN_SPEC,
        name: 'G3 G16 with other words than the line that is here, sent again as it was, is an alarm, and what is here stays',
      },
    ],
  },
  {
    name: 'nothing tells who came since that there was a line',
    breaks: ['G6', 'G18'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'if (closed === true) items.push(closedItem(body));',
        put: '',
      },
    ],
    tests: [
      {
        path: AGAIN_SPEC,
        name: 'G18 is a neutral line to who has no key of it: its counter goes, and nothing is missed',
      },
    ],
  },
  {
    name: 'a roster entry with a broken signature counts as back',
    breaks: ['G11', 'G16'],
    changes: [
      {
        file: 'libs/client/src/room/log/roster.ts',
        find: 'if (!isSigned(draft, known, entry.payload))',
        put: 'if (known < 0)',
      },
    ],
    tests: [
      {
        path: RESTORED_SPEC,
        name: 'G11 G16 under a signature that is none is an alarm, does not count, and the true one does',
      },
    ],
  },
  {
    name: 'a loss that took a rotation leads to no new one',
    breaks: ['G7'],
    changes: [
      {
        file: 'libs/client/src/room/log/generations.ts',
        find: '...(logEpoch < core.epoch ? { tookRotation: core.tookRotation ?? now } : {}),',
        put: '',
      },
    ],
    tests: [
      {
        path: RESTORED_SPEC,
        name: 'G7 is due a minute after the loss was told, and beside no stored command',
      },
    ],
  },
  {
    name: 'a clock that was ahead stops the rotation after a loss until it is that late',
    breaks: ['G7'],
    changes: [
      {
        file: 'libs/client/src/room/owner/fresh-rotation.ts',
        find: 'Math.abs(now - since) < waitMs',
        put: 'now - since < waitMs',
      },
    ],
    tests: [
      {
        path: RESTORED_SPEC,
        name: 'G7 is put off by no clock that was ahead when the loss was told or the last one signed, and is set right',
      },
    ],
  },
  {
    name: 'every further loss puts the owner’s rotation off',
    breaks: ['G7', 'G16'],
    changes: [
      { file: 'libs/client/src/room/log/generations.ts', find: 'core.tookRotation ?? now', put: 'now' },
    ],
    tests: [
      {
        path: RESTORED_SPEC,
        name: 'G7 is put off by no further loss, of which a relay can make up any number',
      },
    ],
  },
  {
    name: 'ten minutes between two rotations after a loss count from the loss',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/log/checkpoint.ts',
        find: 'freshAfterLoss: signedAt',
        put: 'freshAfterLoss: tookRotation',
      },
    ],
    tests: [
      {
        path: RESTORED_SPEC,
        name: 'G7 is any rotation that is read after it, and is not due again within ten minutes of it, whatever a relay makes up',
      },
    ],
  },
  {
    name: 'the owner waits for a lost rotation that the relay claims to have',
    breaks: ['G7', 'G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/fresh-rotation.ts',
        find: 'if (tookRotation === null ||',
        put: 'if (tookRotation === null || core.logEpoch < core.epoch ||',
      },
    ],
    tests: [
      {
        path: EARLIER,
        name: 'G7 G16 made up by a relay that claims the epoch of the rotation it hides is cured by the owner’s next key',
      },
    ],
  },
  {
    name: 'made-up losses bring about a storm of rotations',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/fresh-rotation.ts',
        find: ', timeLeft(freshAfterLoss, APART_MS, now)',
        put: '',
      },
    ],
    tests: [
      {
        path: RESTORED_SPEC,
        name: 'G7 is any rotation that is read after it, and is not due again within ten minutes of it, whatever a relay makes up',
      },
    ],
  },
  {
    name: 'the relay’s acknowledgement is not stored',
    breaks: ['G18'],
    changes: [
      {
        file: OUTBOX,
        find: 'putOutbox({ ...waiting, acknowledged: true })',
        put: 'putOutbox({ ...waiting, acknowledged: false })',
      },
    ],
    tests: [
      {
        path: APPENDED,
        name: 'G18 and not stored, comes back inside, for those who were there, and for nobody who came since',
      },
    ],
  },
  {
    name: 'what was given up is not shown to its sender',
    breaks: ['G16', 'G18'],
    changes: [{ file: LOST, find: 'if (isLine(item.content)) markLost(draft, record, item);', put: '' }],
    tests: [
      {
        path: RESEALING,
        name: 'G18 G16 brings a line back by its sender’s own hand: everybody of today reads it, whoever came since',
      },
    ],
  },
  {
    name: 'names and deletions that were lost are given up with the lines',
    breaks: ['G16'],
    changes: [
      {
        file: LOST,
        find: "return type === 'profile' || type === 'roomName' || type === 'delete';",
        put: 'return type === undefined;',
      },
    ],
    tests: [
      {
        path: LOST_SPEC,
        name: 'G18 that was deleted goes as void in its own epoch too, and names and deletions go in any',
      },
    ],
  },
  {
    name: 'a deletion that the log has deletes nothing that waits',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: 'stood?.record.index ?? firstOf(draft, epoch)',
        put: 'stood?.record.index ?? draft.log.end',
      },
    ],
    tests: [
      {
        path: LOST_SPEC,
        name: 'G18 and was acknowledged in the epoch before goes as void, once the log has its deletion',
      },
    ],
  },
  {
    name: 'what is bound to a key that is gone waits for ever',
    breaks: ['G16', 'G18'],
    changes: [
      {
        file: LOST,
        find: 'if (item.again !== undefined && !holdsKey(snapshot, item.again)) return true;',
        put: '',
      },
    ],
    tests: [
      { path: LOST_SPEC, name: 'G18 and was to go inside is given up once the key of its epoch is gone' },
    ],
  },
  {
    name: 'an entry that does not prove itself is read over',
    breaks: ['G10', 'G18'],
    changes: [
      {
        file: 'libs/client/src/room/log/page.ts',
        find: "return proven ? 'whole' : 'unproven';",
        put: "return proven ? 'whole' : 'whole';",
      },
    ],
    tests: [
      {
        path: REMOVAL,
        name: 'G10 G18 of which the relay alters both on the way back: nobody seals anything for the removed, and all go on',
      },
    ],
  },
];
