/** Commands of the upkeep: trimming, the end of rooms, and what is there (docs/protocol.md section 8). */
import type { RoomId } from '@0fc/protocol';
import type { Cluster, Redis } from 'ioredis';
import type { RoomStats, StoreStats, Trimmable, Upkeep } from '../../rooms/port/store-upkeep.js';
import { decodeRecord } from './feed/events.js';
import { plain, withRest } from './facts.js';
import { resultOf, type Reply } from './scripts/reply.js';
import { generationStart, positionOf } from './room-commands.js';
import type { RoomKeys } from './scripts/room-keys.js';
import type { RunScript } from './connection/runner.js';
import { metasOf, type MetaScan } from './connection/scan.js';
import { scripts } from './scripts/scripts.js';
import { storeError } from './connection/store-error.js';

/** Pieces of a scan that one call looks through, idle rooms or not. */
const MOST_LOOKS = 256;

const STATES = ['open', 'closed', 'erased'] as const;

export function upkeepCommands(run: RunScript, redis: Redis | Cluster, keys: RoomKeys): Upkeep {
  const done = (reply: Reply): boolean => reply.number() === 1;
  return {
    readTrimmable: async ({ roomId, historyBytes, maxEntries, maxBytes }) =>
      withRest(await run(scripts.readTrimmable, roomId, [historyBytes, maxEntries, maxBytes]), (reply) => {
        const piece = reply.listOrNull();
        return { trimmable: piece === null ? null : trimmableOf(piece) };
      }),

    trim: async ({ roomId, from, to, t }) =>
      withRest(await run(scripts.trim, roomId, [from.g, from.s, to.g, to.s, t]), (reply) => ({
        trimmed: done(reply),
      })),

    idleRooms: async ({ before, limit, cursor }) => {
      const rooms: RoomId[] = [];
      let next = cursor;
      for (let looks = 0; looks < MOST_LOOKS && rooms.length < limit; looks++) {
        const from = next;
        const look = await scanned(() => metasOf(redis, keys, from));
        rooms.push(...look.metas.filter(({ usedAt }) => usedAt <= before).map(({ roomId }) => roomId));
        // What does not fit comes with the same look once more, when these have gone.
        if (rooms.length > limit) return { rooms: rooms.slice(0, limit), next: look.again };
        next = look.next;
        if (next === null) break;
      }
      return { rooms, next };
    },

    expireRoom: async (roomId, before) => {
      const result = resultOf(await run(scripts.expireRoom, roomId, [before]));
      return { expired: result.ok && done(result.reply) };
    },

    eraseRoom: async (roomId) => plain(await run(scripts.eraseRoom, roomId, [])),

    roomStats: async (roomId) => {
      const result = resultOf(await run(scripts.roomStats, roomId, []));
      return { stats: result.ok ? statsOf(result.reply) : null };
    },

    storeStats: async () => {
      const total = { open: 0, closed: 0, erased: 0, entries: 0, bytes: 0 };
      // A scan may name a key twice.
      const seen = new Set<RoomId>();
      for (let cursor: string | null = null; ;) {
        const look: MetaScan = await scanned(() => metasOf(redis, keys, cursor));
        for (const meta of look.metas) {
          if (seen.has(meta.roomId)) continue;
          seen.add(meta.roomId);
          total[STATES[meta.state] ?? 'open']++;
          total.entries += meta.entries;
          total.bytes += meta.bytes;
        }
        if (look.next === null) return total satisfies StoreStats;
        cursor = look.next;
      }
    },
  };
}

async function scanned<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw storeError(error);
  }
}

function trimmableOf(piece: Reply): Trimmable {
  return {
    from: piece.position(),
    t: piece.bytesOrNull(),
    generations: piece.list().map((starts) => generationStart(starts.bytes())),
    entries: piece.list().map((entries) => {
      const entry = entries.list();
      return { position: positionOf(entry.text()), ...decodeRecord(Buffer.from(entry.bytes())) };
    }),
  };
}

function statsOf(reply: Reply): RoomStats {
  return {
    state: STATES[reply.number()] ?? 'open',
    epoch: reply.number(),
    chain: reply.number(),
    tip: reply.position(),
    trimmed: reply.position(),
    entries: reply.number(),
    bytes: reply.number(),
    history: reply.number(),
    usedAt: reply.number(),
    members: reply.number(),
    leaving: reply.number(),
    former: reply.number(),
    invitesOpen: reply.number(),
    joinsPending: reply.number(),
  };
}
