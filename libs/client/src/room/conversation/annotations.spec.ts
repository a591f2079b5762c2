/** What edits, deletes and reactions make of a message, against a fold that is too simple to be wrong (G3). */
import { describe, expect, test } from '@jest/globals';
import type { Content, MemberId, Target } from '@0fc/protocol';
import fc from 'fast-check';
import { Annotations, type MessageAnnotations } from './annotations.js';
import { targetKey } from '../../vault/content.js';

const MEMBERS = ['A', 'B', 'C'].map((letter) => `${letter.repeat(21)}A` as MemberId);
const EMOJI = ['👍', '❤️'];
const instanceOf = (member: MemberId): Uint8Array => new Uint8Array(16).fill(member.charCodeAt(0));

interface Act {
  readonly sender: MemberId;
  readonly order: number;
  readonly content: Content;
}

const target = fc
  .record({ sender: fc.constantFrom(...MEMBERS), n: fc.integer({ min: 1, max: 3 }) })
  .map(({ sender, n }): Target => ({ sender, instance: instanceOf(sender), n }));

const content: fc.Arbitrary<Content> = fc.oneof(
  fc.record({ type: fc.constant('edit' as const), to: target, text: fc.constantFrom('one', 'two', 'three') }),
  fc.record({ type: fc.constant('delete' as const), to: target }),
  fc.record({ type: fc.constant('reaction' as const), to: target, emoji: fc.constantFrom(...EMOJI), on: fc.boolean() }),
  fc.record({ type: fc.constant('text' as const), text: fc.constant('no effect') }),
); // prettier-ignore

const acts = fc
  .array(fc.record({ sender: fc.constantFrom(...MEMBERS), content }), { maxLength: 40 })
  .map((list) => list.map((act, at): Act => ({ ...act, order: at * 16 })));

/** Everything, in the log's order, for one message. */
function naive(all: readonly Act[], to: Target): MessageAnnotations {
  const mine = all.filter((act) => 'to' in act.content && targetKey(act.content.to) === targetKey(to));
  const own = mine.filter((act) => act.sender === to.sender);
  if (own.some((act) => act.content.type === 'delete')) return { text: null, deleted: true, reactions: [] };
  const edits = own.flatMap((act) => (act.content.type === 'edit' ? [act.content.text] : []));
  const given: { emoji: string; member: MemberId }[] = [];
  for (const { sender, content: said } of mine) {
    if (said.type !== 'reaction') continue;
    const at = given.findIndex(({ emoji, member }) => emoji === said.emoji && member === sender);
    if (at >= 0) given.splice(at, 1);
    if (said.on) given.push({ emoji: said.emoji, member: sender });
  }
  const emojis = [...new Set(given.map(({ emoji }) => emoji))];
  const reactions = emojis.map((emoji) => ({
    emoji,
    members: given.filter((known) => known.emoji === emoji).map(({ member }) => member),
  }));
  return { text: edits.at(-1) ?? null, deleted: false, reactions };
}

const everyTarget = MEMBERS.flatMap((sender) =>
  [1, 2, 3].map((n): Target => ({ sender, instance: instanceOf(sender), n })),
);

const take = (fold: Annotations, list: readonly Act[]): void => {
  for (const { sender, order, content: said } of list) {
    fold.apply({ sender, instance: instanceOf(sender), n: 9, order }, said);
  }
};

describe('folding', () => {
  test('gives what going through the whole log gives, in whatever order and however often things become known', () => {
    fc.assert(
      fc.property(
        acts.chain((list) =>
          fc.record({
            list: fc.constant(list),
            shuffled: fc.shuffledSubarray([...list], { minLength: list.length }),
            again: fc.subarray([...list]),
          }),
        ),
        ({ list, shuffled, again }) => {
          const fold = new Annotations();
          take(fold, shuffled);
          take(fold, again);
          for (const to of everyTarget) expect(fold.forMessage(targetKey(to))).toEqual(naive(list, to));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('what waits in the outbox counts as if it came last', () => {
    fc.assert(
      fc.property(acts, fc.nat(), (list, cut) => {
        const at = list.length === 0 ? 0 : cut % (list.length + 1);
        const fold = new Annotations();
        const waiting = new Annotations();
        take(fold, list.slice(0, at));
        take(waiting, list.slice(at));
        for (const to of everyTarget)
          expect(fold.forMessage(targetKey(to), waiting)).toEqual(naive(list, to));
      }),
      { numRuns: 200 },
    );
  });

  test('G3: nobody edits or deletes the message of another', () => {
    const [author, other] = MEMBERS as [MemberId, MemberId];
    const to: Target = { sender: author, instance: instanceOf(author), n: 1 };
    const fold = new Annotations();
    const place = { sender: other, instance: instanceOf(other), n: 1, order: 16 };
    expect(fold.apply(place, { type: 'edit', to, text: 'put into the mouth of another' })).toBeNull();
    expect(fold.apply(place, { type: 'delete', to })).toBeNull();
    expect(fold.forMessage(targetKey(to))).toEqual({ text: null, deleted: false, reactions: [] });
  });
});
