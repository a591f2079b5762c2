/** The store's contract: what members send and read (sections 6 and 8). */
import { describe, expect, test } from '@jest/globals';
import {
  bytes, contractRoom, GUEST, message, OWNER, ROOM, rotation, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore
import type { AppendMessage } from './room-store.js';

export function messagesContract(world: StoreWorld): void {
  const { store, pass } = world;
  const { create, read, readAll, append, facts, join, listen } = contractRoom(world);

  describe('append', () => {
    test('places in one order, and a repetition where it stands', async () => {
      await create();
      await join(GUEST);
      const a = await append(OWNER, message('a'), message('b'));
      const b = await append(GUEST, message('c'));
      expect(a).toMatchObject({ ok: true, placed: [{ position: { s: 2 } }, { position: { s: 3 } }] });
      expect(b).toMatchObject({ placed: [{ position: { s: 4 } }] });
      expect(await append(OWNER, message('b'), message('d'))).toMatchObject({
        placed: [{ position: { s: 3 } }, { position: { s: 5 } }],
      });
      const { entries, room } = await readAll(OWNER, { g: 1, s: 1 });
      expect(entries.map(({ position }) => position.s)).toEqual([2, 3, 4, 5]);
      expect(room.epochMessages).toBe(4);
    });

    test('the same payload of another sender is another message', async () => {
      await create();
      await join(GUEST);
      await append(OWNER, message('same'));
      expect(await append(GUEST, message('same'))).toMatchObject({ placed: [{ position: { s: 3 } }] });
    });

    test('the same payload twice in one list is one message', async () => {
      await create();
      const result = await append(OWNER, message('a'), message('a'), message('b'));
      expect(result).toMatchObject({
        placed: [{ position: { s: 1 } }, { position: { s: 1 } }, { position: { s: 2 } }],
      });
    });

    test('a refusal ends the prefix: another epoch', async () => {
      await create();
      expect(await append(OWNER, message('a'), message('b', 2), message('c'))).toMatchObject({
        ok: true,
        placed: [{ position: { s: 1 } }],
        refused: 'EPOCH_AHEAD',
      });
      await store().rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) });
      expect(await append(OWNER, message('d', 1))).toMatchObject({ placed: [], refused: 'STALE_EPOCH' });
      // Repetition comes before the epoch (section 6).
      expect(await append(OWNER, message('a', 1))).toMatchObject({ placed: [{ position: { s: 1 } }] });
    });

    test('the rate refuses with a time to wait, and not what is there already', async () => {
      await create();
      const rate = { perSecond: 2, burst: 2 };
      const send = (...messages: AppendMessage[]) =>
        store().append({ roomId: ROOM, sender: OWNER, messages, rate });
      const result = await send(message('a'), message('b'), message('c'));
      expect(result).toMatchObject({ refused: 'RATE_LIMITED' });
      expect(result.ok && result.placed).toHaveLength(2);
      expect(result.ok && (result.retryMs ?? 0)).toBeGreaterThan(0);
      expect(await send(message('a'))).not.toHaveProperty('refused');
      pass(1_000);
      expect(await send(message('c'))).not.toHaveProperty('refused');
    });

    test('only members append', async () => {
      await create();
      expect(await append(GUEST, message('a'))).toEqual({ ok: false, code: 'FORBIDDEN' });
    });

    test('a race leaves every message once, in one order for all', async () => {
      await create();
      await join(GUEST);
      const { events } = await listen();
      const texts = Array.from({ length: 40 }, (_, n) => `m${String(n)}`);
      await Promise.all(
        texts.flatMap((text, n) => {
          const sender = n % 2 === 0 ? OWNER : GUEST;
          return [append(sender, message(text)), append(sender, message(text))];
        }),
      );
      const { entries } = await readAll(OWNER, { g: 1, s: 1 });
      expect(entries).toHaveLength(40);
      const delivered = events.flatMap((event) => (event.type === 'entries' ? event.entries : []));
      expect(delivered.map(({ position }) => position)).toEqual(entries.map(({ position }) => position));
    });
  });

  describe('reading', () => {
    test('goes by pages and says where the tip is', async () => {
      await create();
      await append(OWNER, ...Array.from({ length: 5 }, (_, n) => message(String(n))));
      const first = await read(OWNER, { g: 1, s: 0 }, 3);
      expect(first).toMatchObject({ end: false });
      const second = await read(OWNER, { g: 1, s: 3 }, 3);
      expect(second).toMatchObject({
        end: true,
        entries: [{ position: { s: 4 } }, { position: { s: 5 } }],
      });
      expect(await read(OWNER, { g: 1, s: 5 }, 3)).toMatchObject({ end: true, entries: [] });
    });

    test('bytes bound a page, but one entry is always read', async () => {
      await create();
      await append(OWNER, message('a'), message('b'));
      const result = await store().readLog({
        roomId: ROOM, memberId: OWNER, after: { g: 1, s: 0 }, maxEntries: 10, maxBytes: 1, maxGenerations: 3,
      }); // prettier-ignore
      expect(result).toMatchObject({ ok: true, page: { end: false, entries: [{ position: { s: 1 } }] } });
    });

    test('a newcomer gets nothing before its floor, whatever it asks for', async () => {
      await create();
      await append(OWNER, message('old'));
      await store().rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) });
      await append(OWNER, message('new', 2));
      await join(GUEST);
      const page = await readAll(GUEST, { g: 1, s: 0 });
      expect(page.entries.map(({ position }) => position.s)).toEqual([3, 4]);
      expect((await readAll(GUEST, null)).entries.map(({ position }) => position.s)).toEqual([2, 3, 4]);
    });

    test('each member reads its own wrap and no other', async () => {
      await create();
      await join(GUEST);
      const { head } = await facts();
      await store().rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(2, 'r', [OWNER, GUEST]) });
      for (const member of [OWNER, GUEST]) {
        const { entries } = await readAll(member, { g: 1, s: 1 });
        expect(entries[0]?.wrap).toEqual(bytes(`wrap ${member}`, 50));
      }
    });

    test('strangers read nothing', async () => {
      await create();
      const result = await store().readLog({
        roomId: ROOM, memberId: GUEST, after: null, maxEntries: 10, maxBytes: 1_000, maxGenerations: 3,
      }); // prettier-ignore
      expect(result).toEqual({ ok: false, code: 'FORBIDDEN' });
    });

    test('the chain is read from any index', async () => {
      await create();
      await join(GUEST);
      const result = await store().readChain(ROOM, 1, 10);
      expect(result).toMatchObject({ ok: true, length: 2, entries: [bytes(`entry admit ${GUEST}`, 90)] });
      expect(await store().readChain(ROOM, 0, 1)).toMatchObject({ entries: [bytes('genesis', 100)] });
    });
  });
}
