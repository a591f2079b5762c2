/** Other people's text reaches no interpreter: whatever it holds, it is drawn, as itself. */
import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import type { TimelineItem } from '@0fc/client/api';

import type { FakeClient } from '../../../test-support/fake-client';
import { at, member, message, roomView, rooms } from '../../../test-support/fake-data';
import { everyAlarm, everyEvent } from '../../../test-support/fake-timeline';
import { provideApp, settle, visit } from '../../../test-support/render';
import { routes } from '../app.routes';

const BAIT = [
  '{{common.you}}', '{{name}}', '{{text}}', '{{sender}}', '{{ user.name }}', '{{member}} {{actor}}', '{{constructor}}',
  '__proto__', "$& $1 $` $'", '<img src=x onerror=alert(1)>', '"]#x,.y>z', 'javascript:alert(1)', '%23%E0%A4%A', '\\u{',
]; // prettier-ignore

/** A room in which everything that others can write is this text. */
function wordsOfOthers(bait: string) {
  const members = [
    member(0, { owner: true, me: true }),
    member(1, { name: bait, leaving: true }),
    member(2, { name: bait, confusable: true }),
  ];
  const says = (id: string, order: number, changes: object = {}): TimelineItem =>
    message(id, order, at(0, order), 1, bait, { senderName: bait, readers: [bait], ...changes });
  const asks = {
    inviteId: 'i1',
    name: bait,
    fingerprint: '4C1E09B7D3A2611F',
    safetyNumber: '0'.repeat(60),
    invited: at(0, 3),
  };
  const room = roomView({
    name: bait,
    members,
    typing: [bait, bait],
    approvals: [asks],
    invites: [{ inviteId: 'i1', made: at(0, 3), expires: at(0, 3), state: 'claimed', claimedBy: bait }],
    ownershipTransfer: { role: 'offering', memberId: 'lucie', name: bait, since: at(0, 4), accepted: false },
    unreadFrom: 0,
  }); // prettier-ignore
  const named = { actor: bait, member: bait, name: bait };
  const items: readonly TimelineItem[] = [
    says('t1', 1, { reactions: [{ emoji: bait, count: 1, mine: false, names: [bait] }] }),
    says('t2', 2, { replyTo: { id: 't1', senderName: bait, text: bait } }),
    ...everyEvent.map((item) => (item.type === 'system' ? { ...item, params: { ...item.params, ...named } } : item)),
    ...everyAlarm.map((item) => ({ ...item, params: { ...item.params, member: bait } })),
  ]; // prettier-ignore
  return { room, items };
}

async function draw(bait: string, url: string): Promise<{ root: HTMLElement; client: FakeClient }> {
  const client = provideApp('quiet', routes);
  const { room, items } = wordsOfOthers(bait);
  client.pushApp({
    rooms: rooms.map((one) =>
      one.roomId === room.roomId
        ? { ...one, name: bait, last: { sender: bait, mine: false, text: bait, time: at(0, 9) } }
        : { ...one, draft: bait },
    ),
  });
  const { fixture } = await visit(url);
  await settle(fixture, 4);
  client.pushRoom(room);
  client.emit({ type: 'timeline', roomId: room.roomId, reset: true, items, removed: [] });
  await settle(fixture, 4);
  return { root: fixture.nativeElement as HTMLElement, client };
}

const inOneLine = (text: string): string => text.replace(/[\u2068\u2069]/g, '').replace(/\s+/g, ' ');
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('other people’s text', () => {
  it('is drawn as itself in the conversation: names, lines, quotes, events, alarms, the list of rooms', async () => {
    for (const bait of BAIT) {
      const { root } = await draw(bait, '/room/room-rive');
      const text = inOneLine(root.textContent);
      expect([bait, root.querySelector('h1')?.textContent]).toEqual([bait, bait]);
      const lines = [...root.querySelectorAll('zfc-rich-text')].map((line) => line.textContent);
      expect(lines).toEqual([bait, bait]);
      expect(inOneLine(root.querySelector('[data-testid="room-last"]')?.textContent ?? '')).toBe(`${bait}: ${bait}`);
      expect(text).toContain(`“${bait}” asks to enter`);
      expect(text).toContain(`${bait} and ${bait} are writing…`);
      expect(text).toContain(`You and ${bait} have different histories`);
      expect(text).toContain(`The room is called ${bait} now`);
      expect(text).toContain(`You offer this room to ${bait}.`);
      expect(count(text, bait)).toBeGreaterThan(30);
      expect(root.querySelector('img, script, iframe')).toBeNull();
      expect([...root.querySelectorAll('a')].filter((link) => /^javascript/i.test(link.getAttribute('href') ?? ''))).toEqual([]);
      const buttons = [...root.querySelectorAll('[data-testid="reaction"]')].map((one) => one.getAttribute('title'));
      expect(buttons).toEqual([bait]);
      TestBed.resetTestingModule();
    }
  }); // prettier-ignore

  it('is drawn as itself where somebody is let in or declined, and among the members', async () => {
    for (const bait of BAIT) {
      const { root } = await draw(bait, '/room/room-rive/members');
      const text = inOneLine(root.textContent);
      expect(text).toContain(`“${bait}” asks to enter`);
      expect(text).toContain(`Your safety number with “${bait}”`);
      expect(text).toContain(`used by “${bait}”, waiting for you`);
      expect(text).toContain(`${bait} · you are the owner`);
      expect(root.querySelectorAll('[data-testid="admit-join"], [data-testid="decline-join"]')).toHaveLength(
        2,
      );
      TestBed.resetTestingModule();
    }
  });
});
