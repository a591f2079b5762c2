/** Lines that wait for their sender's answer: the room names them, and each says for whom (G18). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import type { RoomView, TimelineItem, TimelineMessage } from '../contract/api.js';
import { change } from '../room/log/log.spec-support.js';
import { set } from '../room/state/draft.js';
import { TimelineFeed } from './timeline-feed.js';
import { stage, type Stage } from './room.spec-support.js';
import { roomViewOf } from './room-view.js';

let on: Stage;
let feed: TimelineFeed;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  on = await stage();
  feed = new TimelineFeed();
});

const view = (): RoomView => roomViewOf(on.room, on.identities, { draft: '', earlier: false });
const step = (): readonly TimelineItem[] => feed.step(on.source).event?.items ?? [];
const line = (items: readonly TimelineItem[], id: string): TimelineMessage => {
  const found = items.find((item) => item.id === id);
  if (found?.type !== 'message') throw new Error(`no line ${id} was told`);
  return found;
};

/** Somebody is admitted, and named. */
async function admitInes(): Promise<void> {
  const { entry, person } = await on.log.admit();
  await on.take(entry);
  await on.name(person, 'Inès');
}

describe('what waits for an answer', () => {
  test('is named by the room, oldest first, and by whom each was not meant for', async () => {
    const { composer } = on.room;
    // Out of the relay's reach: what is written there is not sealed before it goes.
    on.fake.live = false;
    const first = await composer.sendText('one');
    const second = await composer.sendText('two');
    expect(view().held).toEqual([]);
    step();
    await admitInes();
    const later = await composer.sendText('three');
    expect(view().held).toEqual([first.id, second.id]);
    const items = step();
    expect(line(items, first.id)).toMatchObject({ state: 'waiting', newcomers: ['Inès'] });
    expect(line(items, later.id)).toMatchObject({ state: 'sending', newcomers: [] });

    await composer.discard(first.id);
    expect(view().held).toEqual([second.id]);
    await composer.confirm(second.id);
    expect(view().held).toEqual([]);
    expect(line(step(), second.id).state).toBe('sending');
  });

  test('may be a change of a line that the log has: the line is told again as it waits, and once it does not', async () => {
    await on.take(await on.send(on.guest, { type: 'text', text: 'old' }));
    // Its counter is used up: as where this device had sent it.
    await change(on.source.state, set({ nextN: on.guest.n + 1 }));
    const [own] = step().filter((item) => item.type === 'message');
    const { id } = own!;
    on.fake.live = false;
    await on.room.composer.edit(id, 'new');
    step();
    await admitInes();
    expect(view().held).toEqual([id]);
    expect(line(step(), id)).toMatchObject({ state: 'waiting', text: 'new', newcomers: ['Inès'] });
    await on.room.composer.confirm(id);
    expect(view().held).toEqual([]);
    expect(line(step(), id).state).not.toBe('waiting');
  });
});
