/**
 * What every store does, whichever it is: run by the spec of each implementation, unchanged.
 *
 * A store knows nothing of cryptography: bodies, heads and payloads here are any bytes.
 */
import { PROTOCOL_VERSION } from '@0fc/protocol';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  bytes, contractRoom, GUEST, message, OWNER, ROOM, rotation, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore
import { departuresContract } from './departures.contract.spec-support.js';
import { joinsContract } from './joins.contract.spec-support.js';
import { messagesContract } from './messages.contract.spec-support.js';
import type { RoomStore } from './room-store.js';
import { rosterContract } from './roster.contract.spec-support.js';
import { trimmingContract } from './trimming.contract.spec-support.js';
import { upkeepContract } from './upkeep.contract.spec-support.js';

interface StoreUnderTest {
  readonly store: RoomStore;
  /** Stops the store and starts it again on the same data; null where nothing is kept. */
  readonly restart: (() => Promise<RoomStore>) | null;
  readonly dispose: () => Promise<void>;
}
/** `now` is the store's clock. */
export type StoreFactory = (now: () => number) => Promise<StoreUnderTest>;

export function roomStoreContract(name: string, factory: StoreFactory): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: RoomStore;
    let now = 1_800_000_000_000;

    beforeEach(async () => {
      now = 1_800_000_000_000;
      under = await factory(() => now);
      ({ store } = under);
    });
    afterEach(() => under.dispose());

    const world: StoreWorld = {
      store: () => store,
      now: () => now,
      pass: (ms) => {
        now += ms;
      },
      restart: async () => {
        if (under.restart === null) return false;
        store = await under.restart();
        return true;
      },
    };
    const { create, read, readAll, append, facts, invite, claim, listen } = contractRoom(world);

    describe('rooms', () => {
      test('genesis is entry 0 at (1,0), and creating it again succeeds', async () => {
        const first = await create();
        expect(first).toMatchObject({ ok: true, placed: { position: { g: 1, s: 0 } } });
        expect(await create()).toEqual(first);
        const page = await readAll(OWNER, null);
        expect(page.entries).toMatchObject([{ position: { g: 1, s: 0 }, kind: 'roster', sender: OWNER }]);
        expect(page.entries[0]?.payload).toEqual(bytes('genesis', 100));
        expect(page).toMatchObject({ role: 'owner', end: true, generations: [], prekey: null });
        expect(page.room).toMatchObject({ epoch: 1, length: 1, epochMessages: 0, tip: { g: 1, s: 0 } });
      });

      test('another genesis under the same id is refused', async () => {
        await create();
        const other = {
          roomId: ROOM,
          version: PROTOCOL_VERSION,
          genesis: bytes('x'),
          head: bytes('other'),
          owner: GUEST,
          history: 1_000,
          restored: false,
        };
        expect(await store.createRoom(other)).toEqual({ ok: false, code: 'ROOM_EXISTS' });
      });

      test('that a member brings back begins a generation: its positions were given before', async () => {
        await create({ restored: true });
        const { tip } = await facts();
        expect(tip.g).toBeGreaterThan(1);
        expect(tip.s).toBe(0);
        const page = await read(OWNER, { g: 1, s: 40 });
        expect(page).toMatchObject({
          generations: [{ generation: tip.g, from: { g: 1, s: 0 } }],
          entries: [],
        });
      });

      test('what is unknown is told as such, by every command', async () => {
        const unknown = { ok: false, code: 'ROOM_UNKNOWN' };
        expect(await store.readRoom(ROOM, OWNER)).toEqual(unknown);
        expect(await append(OWNER, message('a'))).toEqual(unknown);
        expect(await store.readChain(ROOM, 0, 10)).toEqual(unknown);
        expect(await invite()).toEqual(unknown);
        expect(await claim(GUEST)).toEqual(unknown);
        expect(
          await store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('h'), rotation: rotation(2) }),
        ).toEqual(unknown);
      });
    });

    describe('the feed', () => {
      test('has signals of members in the epoch, and who is live', async () => {
        await create();
        const { events, unsubscribe } = await listen();
        expect(await store.signal(ROOM, OWNER, 1, bytes('typing'))).toEqual({ ok: true });
        expect(await store.signal(ROOM, OWNER, 2, bytes('typing'))).toMatchObject({ code: 'STALE_EPOCH' });
        expect(await store.signal(ROOM, GUEST, 1, bytes('typing'))).toMatchObject({ code: 'FORBIDDEN' });
        expect(await store.announce(ROOM, OWNER, 'connection')).toEqual({ ok: true });
        expect(events).toEqual([
          { type: 'signal', sender: OWNER, epoch: 1, payload: bytes('typing') },
          { type: 'live', memberId: OWNER, connectionId: 'connection' },
        ]);
        unsubscribe();
        await append(OWNER, message('unheard'));
        expect(events).toHaveLength(2);
      });

      test('has everybody’s wraps with a rotation', async () => {
        await create();
        const { events } = await listen();
        await store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) });
        expect(events).toMatchObject([{ type: 'entries', entries: [{ kind: 'rotation' }] }]);
        const [event] = events;
        const wraps = event?.type === 'entries' ? event.entries[0]?.wraps : undefined;
        expect(wraps?.get(OWNER)).toEqual(bytes(`wrap ${OWNER}`, 50));
      });

      test('acknowledgements never go back and never beyond the tip', async () => {
        await create();
        expect(await store.acknowledge(ROOM, OWNER, { g: 9, s: 9 })).toEqual({ ok: true });
        expect(await store.acknowledge(ROOM, OWNER, { g: 1, s: 0 })).toEqual({ ok: true });
        expect(await store.acknowledge(ROOM, GUEST, { g: 1, s: 0 })).toMatchObject({ code: 'FORBIDDEN' });
      });
    });

    describe('a restart', () => {
      test('keeps everything and opens a new generation at the first use', async () => {
        await create();
        await append(OWNER, message('kept'));
        if (under.restart === null) return;
        now += 5;
        store = await under.restart();
        const { events } = await listen();
        const page = await readAll(OWNER, { g: 1, s: 0 });
        expect(page.entries).toMatchObject([{ position: { g: 1, s: 1 } }]);
        expect(page).toMatchObject({ end: false, generations: [], room: { tip: { g: now, s: 1 } } });
        const rest = await readAll(OWNER, { g: 1, s: 1 });
        expect(rest).toMatchObject({
          end: true,
          entries: [],
          generations: [{ generation: now, from: { g: 1, s: 1 } }],
        });
        expect(events).toEqual([{ type: 'generation', generation: now, from: { g: 1, s: 1 } }]);
        // Section 6: the next sequence number goes on.
        expect(await append(OWNER, message('next'))).toMatchObject({
          placed: [{ position: { g: now, s: 2 } }],
        });
        expect(await append(OWNER, message('kept'))).toMatchObject({
          placed: [{ position: { g: 1, s: 1 } }],
        });
      });

      test('many restarts come by pages, each generation above the last', async () => {
        await create();
        if (under.restart === null) return;
        for (let n = 0; n < 5; n++) {
          store = await under.restart();
          await facts();
        }
        const seen: number[] = [];
        let after = { g: 1, s: 0 };
        for (let end = false; !end;) {
          const page = await readAll(OWNER, after);
          seen.push(...page.generations.map(({ generation }) => generation));
          const last = page.generations.at(-1);
          if (last !== undefined) after = { g: last.generation, s: last.from.s };
          ({ end } = page);
        }
        expect(seen).toHaveLength(5);
        expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
      });
    });

    messagesContract(world);
    rosterContract(world);
    joinsContract(world);
    trimmingContract(world);
    departuresContract(world);
    upkeepContract(world);
  });
}
