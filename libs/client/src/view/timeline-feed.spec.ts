/** The watched timeline: a window on the newest records, changes, older ones on request. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TimelineItem } from '../contract/api.js';
import { system } from '../room/log/items.js';
import { change } from '../room/log/log.spec-support.js';
import { append, dropOutbox, set } from '../room/state/draft.js';
import { loadThemis } from '@0fc/crypto/node';
import { TimelineFeed, WINDOW, type Step } from './timeline-feed.js';
import { stage, type Stage } from './room.spec-support.js';

let on: Stage;
let feed: TimelineFeed;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  on = await stage();
  feed = new TimelineFeed();
});

const step = async (): Promise<Step> => {
  await feed.prepare(on.source);
  return feed.step(on.source);
};
const items = ({ event }: Step): readonly TimelineItem[] => event?.items ?? [];
const ids = (made: Step): readonly string[] => items(made).map(({ id }) => id);

/** Records that show one line each, or nothing. */
const fill = (count: number, shown = true): Promise<void> =>
  change(
    on.source.state,
    ...Array.from({ length: count }, (_, n) => append(null, n, shown ? [system('offered')] : [])),
  );

describe('the window', () => {
  test('holds the newest records that show something, and grows by as many', async () => {
    await fill(500);
    await fill(300, false);
    const first = await step();
    expect([first.event?.reset, items(first).length, first.earlier]).toEqual([true, WINDOW, true]);
    expect((await step()).event).toBeNull();
    feed.loadEarlier();
    const second = await step();
    expect([second.event?.reset, items(second).length, second.earlier]).toEqual([false, WINDOW, true]);
    expect(Math.max(...items(second).map(({ order }) => order))).toBeLessThan(
      Math.min(...items(first).map(({ order }) => order)),
    );
    feed.loadEarlier();
    const third = await step();
    // 500 of these, and the guest's own admission.
    expect([items(third).length, third.earlier]).toEqual([101, false]);
    feed.loadEarlier();
    expect(await step()).toEqual({ earlier: false, event: null });
    expect(new Set([...ids(first), ...ids(second), ...ids(third)]).size).toBe(501);
  });

  test('has nothing earlier where what is earlier shows nothing', async () => {
    await fill(WINDOW - 1);
    expect((await step()).earlier).toBe(false);
  });

  test('a change outside it is not told; inside it only what changed is', async () => {
    await on.take(await on.log.say(on.log.owner, 'old'));
    await fill(WINDOW);
    await on.take(await on.log.say(on.log.owner, 'new'));
    await step();
    const target = (n: number) => ({ sender: on.log.owner.id, instance: on.log.owner.instance, n });
    await on.take(await on.send(on.guest, { type: 'reaction', to: target(1), emoji: '👍', on: true }));
    expect((await step()).event).toBeNull();
    await on.take(await on.send(on.guest, { type: 'reaction', to: target(2), emoji: '👍', on: true }));
    expect(items(await step())).toMatchObject([
      { text: 'new', reactions: [{ emoji: '👍', count: 1, mine: true }] },
    ]);
  });

  test('in a conversation of ten thousand a new message is told alone', async () => {
    await fill(10_000);
    await step();
    for (let n = 0; n < 20; n++) feed.loadEarlier();
    expect(items(await step()).length).toBe(20 * WINDOW);
    await on.take(await on.log.say(on.log.owner, 'one more'));
    expect(items(await step())).toMatchObject([{ text: 'one more' }]);
  });
});

describe('a name or a mark that changed', () => {
  test('shows in all of the window, and moves nothing', async () => {
    await fill(300);
    await on.take(await on.log.say(on.log.owner, 'hello'));
    await step();
    feed.loadEarlier();
    await step();
    await on.name(on.log.owner, 'Amina');
    const renamed = await step();
    expect([renamed.event?.reset, items(renamed).length]).toEqual([true, 302]);
    expect(items(renamed).at(-1)).toMatchObject({ senderName: 'Amina', verified: false });
    await change(on.source.state, set({ verified: [on.log.owner.id] }));
    expect(items(await step()).at(-1)).toMatchObject({ verified: true });
  });
});

describe('what waits', () => {
  test('comes last, keeps its id in the log, and is taken away where it is given up', async () => {
    on.fake.live = false;
    await step();
    const { id } = await on.room.composer.sendText('on its way');
    const { id: dropped } = await on.room.composer.sendText('given up');
    const waiting = await step();
    expect(items(waiting)).toMatchObject([
      { id, state: 'sending', text: 'on its way' },
      { id: dropped, state: 'sending' },
    ]);
    // An unchanged waiting message is not sent again.
    expect((await step()).event).toBeNull();
    const [first, second] = [...on.source.state.outbox.values()];
    const body = on.log.body(on.guest, { ...first!.content }, { mid: first!.mid });
    const sealed = on.log.seal(on.guest, body);
    await change(on.source.state, dropOutbox(second!.n));
    await on.take(await on.log.add('message', on.guest.id, sealed.payload, sealed.clear));
    const after = await step();
    expect(items(after)).toMatchObject([{ id, state: 'relayed', text: 'on its way' }]);
    expect(after.event?.removed).toEqual([dropped]);
    expect(items(after)[0]!.order).toBeLessThan(items(waiting)[0]!.order);
  });
});
