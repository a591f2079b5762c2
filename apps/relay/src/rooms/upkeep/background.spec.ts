/** What runs beside the requests: trimming and the expiry of rooms (docs/protocol.md section 8), and the rosters kept. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS, type Bytes, type Position, type RoomId } from '@0fc/protocol';
import { createGenesis } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { startRoster, transcriptGeneration, transcriptNext, transcriptStart } from '@0fc/crypto/verify';
import { bytes, DAY, id, OWNER, ROOM } from '../port/contract-room.spec-support.js';
import type { LogEntry, RoomFacts, RoomStore } from '../port/room-store.js';
import { Rosters } from '../commands/rosters.js';
import type { Upkeep } from '../port/store-upkeep.js';
import { Sweeper } from './sweeper.js';
import { transcriptAcross, Trimmer } from './trimmer.js';

beforeAll(() => loadThemis());

const entryAt = (g: number, s: number): LogEntry => ({
  position: { g, s },
  kind: 'message',
  sender: OWNER,
  time: s,
  clear: bytes(`c${String(s)}`, 3),
  payload: bytes(`p${String(s)}`, 9),
});

describe('the transcript at a new edge', () => {
  test('is that of a client that has read everything, over generations with and without entries', async () => {
    const { container } = await createGenesis(
      { hash: nodeHash, random: nodeRandom, clock: systemClock },
      { settings: { rotateEvery: 9, maxMembers: 9, history: 9, approval: false, joinDeadline: 86_400_000 } },
    );
    const genesis = { ...entryAt(1, 0), kind: 'roster' as const, payload: container };
    const log = [genesis, entryAt(1, 1), entryAt(5, 2), entryAt(5, 3), entryAt(9, 4)];
    const starts = [
      { generation: 3, from: { g: 1, s: 1 } },
      { generation: 5, from: { g: 3, s: 1 } },
      { generation: 9, from: { g: 5, s: 3 } },
    ];
    let t: Bytes = await transcriptStart(nodeHash, container);
    const seen: { readonly to: Position; readonly t: Bytes }[] = [{ to: { g: 1, s: 0 }, t }];
    t = await transcriptNext(nodeHash, t, log[1]!);
    seen.push({ to: { g: 1, s: 1 }, t });
    for (const g of [3, 5]) t = await transcriptGeneration(nodeHash, t, g);
    for (const at of [2, 3]) {
      t = await transcriptNext(nodeHash, t, log[at]!);
      seen.push({ to: { g: 5, s: at }, t });
    }
    t = await transcriptNext(nodeHash, await transcriptGeneration(nodeHash, t, 9), log[4]!);
    seen.push({ to: { g: 9, s: 4 }, t });

    // In one piece, and cut anywhere: the second piece goes on from the first.
    for (let cut = 1; cut <= log.length; cut++) {
      const first = await transcriptAcross(nodeHash, {
        from: { g: 1, s: 0 },
        t: null,
        generations: starts.filter(({ generation }) => generation <= log[cut - 1]!.position.g),
        entries: log.slice(0, cut),
      });
      expect(first).toEqual(seen[cut - 1]);
      if (cut === log.length) continue;
      const rest = await transcriptAcross(nodeHash, {
        from: first.to,
        t: first.t,
        generations: starts.filter(({ generation }) => generation > first.to.g),
        entries: log.slice(cut),
      });
      expect(rest).toEqual(seen.at(-1));
    }
  });

  test('of nothing, of a log out of order, of a generation before genesis: no transcript', async () => {
    const from = { g: 1, s: 5 };
    const across = (over: object) =>
      transcriptAcross(nodeHash, { from, t: null, generations: [], entries: [entryAt(1, 6)], ...over });
    await expect(across({ entries: [] })).rejects.toThrow('nothing to trim');
    await expect(across({ entries: [entryAt(1, 4)], t: bytes('t') })).rejects.toThrow('out of its order');
    await expect(
      across({ entries: [entryAt(2, 6)], generations: [{ generation: 2, from }] }),
    ).rejects.toThrow('before genesis');
  });
});

describe('the trimmer', () => {
  /** One room of `count` entries to trim, one a call; says what was asked for. */
  function fakeStore(count: number) {
    const asked: string[] = [];
    let left = count;
    let running = 0;
    let most = 0;
    const store = {
      readTrimmable: async ({ roomId }: { roomId: RoomId }) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        asked.push(roomId);
        if (left === 0) return { ok: true, trimmable: null };
        return {
          ok: true,
          trimmable: { from: { g: 1, s: 0 }, t: bytes('t'), generations: [], entries: [entryAt(1, 1)] },
        };
      },
      trim: async () => {
        left--;
        return { ok: true, trimmed: true };
      },
    } as unknown as RoomStore;
    return { store, asked, most: () => most };
  }
  const made = (store: RoomStore, failed: (error: unknown) => void = () => undefined) =>
    new Trimmer({ store, hash: nodeHash, historyBytes: 1, restMs: 0, failed });
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

  test('takes what is due in one round, room after room, piece after piece, and rests', async () => {
    const { store, asked, most } = fakeStore(3);
    const trimmer = made(store);
    for (let n = 0; n < 50; n++) trimmer.due(ROOM);
    trimmer.due(id('other'));
    expect(asked).toEqual([]);
    while (asked.length < 5) await turn();
    await trimmer.end();
    expect(asked).toEqual([ROOM, ROOM, ROOM, ROOM, id('other')]);
    expect(most()).toBe(1);
    trimmer.due(ROOM);
    await turn();
    expect(asked).toHaveLength(5);
  });

  test('what fails for one room is told, and the others have their turn', async () => {
    const { store, asked } = fakeStore(0);
    const failures: unknown[] = [];
    const broken = {
      ...store,
      readTrimmable: async (command: Parameters<Upkeep['readTrimmable']>[0]) => {
        if (command.roomId === ROOM) throw new Error('broken');
        return store.readTrimmable(command);
      },
    };
    const trimmer = made(broken, (error) => failures.push(error));
    trimmer.due(ROOM);
    trimmer.due(id('other'));
    while (asked.length === 0) await turn();
    await trimmer.end();
    expect(failures).toEqual([new Error('broken')]);
  });

  test('leaves the edge to who was first', async () => {
    const { store } = fakeStore(9);
    const late = { ...store, trim: async () => ({ ok: true, trimmed: false }) } as unknown as RoomStore;
    expect(await made(late).step(ROOM)).toBe(false);
  });
});

describe('the sweeper', () => {
  const sweeper = (
    rooms: readonly string[],
    over: Partial<ConstructorParameters<typeof Sweeper>[0]> = {},
  ) => {
    const names = rooms.map((name) => id(name));
    const asked: number[] = [];
    const erased: RoomId[] = [];
    const counts: number[] = [];
    const made = new Sweeper({
      store: {
        idleRooms: async ({ before, limit, cursor }) => {
          asked.push(before);
          const at = Number(cursor ?? '0');
          const next = at + limit < names.length ? String(at + limit) : null;
          return { rooms: names.slice(at, at + limit), next };
        },
        // The first has been used since it was listed.
        expireRoom: async (roomId) => ({ expired: roomId !== names[0] }),
      },
      idleDays: 90,
      everyMs: DAY,
      now: () => 100 * DAY,
      erased: (roomId) => erased.push(roomId),
      done: (count) => counts.push(count),
      failed: (error) => {
        throw error;
      },
      ...over,
    });
    return { made, names, asked, erased, counts };
  };

  test('erases what is idle, look by look, and tells how many', async () => {
    const { made, names, asked, erased, counts } = sweeper(
      Array.from({ length: 40 }, (_, n) => `room ${String(n)}`),
    );
    made.start();
    made.start();
    while (counts.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await made.end();
    expect(counts).toEqual([39]);
    expect(erased).toEqual(names.slice(1));
    expect(asked).toEqual([10 * DAY, 10 * DAY, 10 * DAY]);
  });

  test('does nothing where rooms are kept for ever', async () => {
    const { made, asked } = sweeper(['a'], { idleDays: 0 });
    made.start();
    expect(await made.sweep()).toBe(0);
    await made.end();
    expect(asked).toEqual([]);
  });
});

describe('rosters kept', () => {
  /** Rooms of a genesis each. */
  async function chains(rooms: number) {
    const settings = { rotateEvery: 9, maxMembers: 9, history: 9, approval: false, joinDeadline: 86_400_000 };
    const made = new Map<RoomId, Bytes[]>();
    const facts: RoomFacts[] = [];
    for (let n = 0; n < rooms; n++) {
      const room = await createGenesis(
        { hash: nodeHash, random: nodeRandom, clock: systemClock },
        { settings },
      );
      const chain = [room.container];
      const { head } = await startRoster(nodeHash, room.container);
      made.set(room.roomId, chain);
      facts.push({ roomId: room.roomId, head, length: chain.length } as RoomFacts);
    }
    return { made, facts };
  }

  test('weigh what is in them: many rooms that are opened at once take no more than the bound', async () => {
    const { made, facts } = await chains(12);
    let reads = 0;
    let running = 0;
    let most = 0;
    const rosters = new Rosters(
      {
        readChain: async (roomId, from) => {
          reads++;
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          const chain = made.get(roomId) ?? [];
          return { ok: true, entries: chain.slice(from, from + LIMITS.chainPage), length: chain.length };
        },
      },
      nodeHash,
      5,
    );
    await Promise.all([...facts, ...facts].map((room) => rosters.at(room)));
    // Who asks at the same time is served by the same reading.
    expect(reads).toBe(12);
    expect(most).toBeLessThanOrEqual(8);
    expect(rosters.size).toBe(5);
    await rosters.at(facts[11]!);
    expect(reads).toBe(12);
    await rosters.at(facts[0]!);
    expect(reads).toBe(13);
    rosters.forget(facts[0]!.roomId);
    rosters.forget(facts[0]!.roomId);
    expect(rosters.size).toBe(4);
  });

  test('that are no beginning of the chain any more are read anew', async () => {
    const { made, facts } = await chains(1);
    const [room] = facts;
    const rosters = new Rosters(
      {
        readChain: async (roomId, from) => {
          const chain = made.get(roomId) ?? [];
          return { ok: true, entries: chain.slice(from), length: chain.length };
        },
      },
      nodeHash,
    );
    await rosters.at(room!);
    await expect(rosters.at({ ...room!, length: 2, head: bytes('other') })).rejects.toThrow('STALE_HEAD');
    expect(rosters.size).toBe(0);
    expect((await rosters.at(room!)).length).toBe(1);
  });
});
