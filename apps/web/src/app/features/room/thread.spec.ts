import { describe, expect, it } from '@jest/globals';
import type { ComponentFixture } from '@angular/core/testing';
import { TestBed } from '@angular/core/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { message } from '../../../../test-support/fake-data';
import { longTimeline } from '../../../../test-support/fake-timeline';
import { element, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { AppStore } from '../../core/app-store';
import { rowsOf } from './rows';

const sameDay = (): boolean => true;
const rows = (root: HTMLElement): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>('[data-testid="message"]'),
];
const ids = (root: HTMLElement): (string | undefined)[] => rows(root).map(({ dataset }) => dataset.id);

async function open(
  scenario: string,
): Promise<{ client: FakeClient; fixture: ComponentFixture<unknown>; root: HTMLElement; feed: HTMLElement }> {
  const client = provideApp(scenario, routes);
  const { fixture } = await visit('/room/room-rive');
  await settle(fixture, 8);
  const root = fixture.nativeElement as HTMLElement;
  const feed = root.querySelector<HTMLElement>('.feed');
  if (feed === null) throw new Error('no feed');
  return { client, fixture, root, feed };
}

/** Goes up or back to the end, as the scroll wheel would. */
async function scrollTo(feed: HTMLElement, top: number, fixture: ComponentFixture<unknown>): Promise<void> {
  feed.scrollTop = top;
  feed.dispatchEvent(new Event('scroll'));
  await settle(fixture);
}

/** The elements put into or taken out of the conversation while `act` runs. */
async function changes(
  feed: HTMLElement,
  act: () => Promise<void>,
): Promise<{ added: number; removed: number }> {
  const records: MutationRecord[] = [];
  const observer = new MutationObserver((more) => records.push(...more));
  observer.observe(feed, { childList: true, subtree: true });
  await act();
  records.push(...observer.takeRecords());
  observer.disconnect();
  const elements = (list: NodeList): number => [...list].filter((node) => node instanceof Element).length;
  return {
    added: records.reduce((sum, { addedNodes }) => sum + elements(addedNodes), 0),
    removed: records.reduce((sum, { removedNodes }) => sum + elements(removedNodes), 0),
  };
}

describe('a conversation of 10,000 messages', () => {
  it('is drawn 200 at a time, going up a window at a time to its beginning', async () => {
    const { client, fixture, root } = await open('long');
    expect(rows(root)).toHaveLength(200);
    for (let more = 1; more <= 5; more++) {
      const before = ids(root);
      element(fixture, 'show-earlier').click();
      await settle(fixture, 8);
      expect(rows(root)).toHaveLength(200 * (more + 1));
      expect(ids(root).slice(-before.length)).toEqual(before);
    }
    expect(client.calls.filter((call) => call === 'loadEarlier')).toHaveLength(5);
    expect(ids(root)[0]).toBe('l8800');
  });

  it('has no button for what is not there', async () => {
    const { fixture } = await open('rooms');
    expect(maybe(fixture, 'show-earlier')).toBeNull();
  });

  it('changes one row for one message, and none for typing, presence or a draft', async () => {
    const { client, fixture, root, feed } = await open('long');
    for (let more = 0; more < 5; more++) {
      element(fixture, 'show-earlier').click();
      await settle(fixture, 8);
    }
    const known = new Set(rows(root));
    const one = await changes(feed, async () => {
      client.put(message('new', 20_000, Date.now(), 1, 'one more'));
      await settle(fixture);
    });
    const kept = rows(root).filter((row) => known.has(row));
    expect(kept.length).toBeGreaterThanOrEqual(1_199);
    // A row is a dozen elements; 1,200 rows would be thousands.
    expect(one.added).toBeLessThan(30);
    expect(one.removed).toBeLessThan(30);
    const none = await changes(feed, async () => {
      client.pushRoom({ typing: ['Maryam'] });
      await settle(fixture);
      client.pushRoom({ typing: [], draft: 'x' });
      await settle(fixture);
    });
    expect(none).toEqual({ added: 0, removed: 0 });
  });

  it('looks again only at the rows that changed', () => {
    const items = longTimeline(1_000);
    const before = rowsOf(items, null, sameDay);
    const after = rowsOf([...items, message('new', 20_000, Date.now(), 1, 'one more')], null, sameDay);
    const same = after.filter((row, index) => row === before[index]);
    // The day line is made anew; the last row may no longer be the end of its run.
    expect(same.length).toBeGreaterThanOrEqual(items.length - 1);
  });
});

describe('reading further up', () => {
  it('counts what comes meanwhile, takes nothing away above, and goes back to the end', async () => {
    const { client, fixture, root, feed } = await open('long');
    await scrollTo(feed, -2_000, fixture);
    const first = ids(root)[0];
    for (const id of ['n1', 'n2', 'n3']) client.put(message(id, 20_000, Date.now(), 1, id));
    client.put(message('own', 20_001, Date.now(), 0, 'one’s own is not new'));
    await settle(fixture);
    expect(element(fixture, 'jump').textContent).toContain('3 new messages');
    expect(ids(root)[0]).toBe(first);
    element(fixture, 'jump').click();
    await settle(fixture);
    expect(maybe(fixture, 'jump')).toBeNull();
    expect(feed.scrollTop).toBe(0);
    expect(rows(root)).toHaveLength(200);
  });

  it('is not having read: only the end of the conversation in view is', async () => {
    const { client, fixture, feed } = await open('long');
    await scrollTo(feed, -2_000, fixture);
    const before = client.calls.filter((call) => call.startsWith('markRead')).length;
    client.pushApp({
      rooms: TestBed.inject(AppStore)
        .rooms()
        .map((room) => (room.roomId === 'room-rive' ? { ...room, unread: 1 } : room)),
    });
    await settle(fixture);
    expect(client.calls.filter((call) => call.startsWith('markRead'))).toHaveLength(before);
    await scrollTo(feed, 0, fixture);
    await settle(fixture, 8);
    expect(client.calls.filter((call) => call.startsWith('markRead'))).toHaveLength(before + 1);
  });
});
