/**
 * The store of replicas: one Redis, or a cluster of them, which any number of relays share. Each command of the
 * port is one Lua script on the hash slot of its room (scripts/), so that it is atomic, judges by the server's
 * clock, and publishes what it has brought about in the same step (docs/protocol.md G16).
 */
import type { Position, RoomId } from '@0fc/protocol';
import type { Cluster, Redis } from 'ioredis';
import type { RoomFeed } from '../../rooms/port/room-feed.js';
import type { RoomEvent, RoomListener, RoomStore } from '../../rooms/port/room-store.js';
import { StoreError } from '../../rooms/port/result.js';
import { decodeEvents } from './feed/events.js';
import { inviteCommands } from './invite-commands.js';
import { keyCommands } from './key-commands.js';
import { readTip, roomCommands } from './room-commands.js';
import { RoomKeys } from './scripts/room-keys.js';
import { scriptRunner, type RunScript } from './connection/runner.js';
import { storeError } from './connection/store-error.js';
import { WaitedReplicas } from './connection/waited-replicas.js';
import { upkeepCommands } from './upkeep-commands.js';

export interface RedisStoreOptions {
  /** for commands; whoever made it ends it */
  readonly redis: Redis | Cluster;
  readonly feed: RoomFeed;
  /** before every key, without braces */
  readonly prefix: string;
  /** replicas that must have a change before it is answered; 0: none is waited for */
  readonly waitReplicas: number;
  /** how long they are waited for, where somebody else wants to know of it: of as many */
  readonly replicas?: WaitedReplicas;
  /** how scripts are run, unless as {@link scriptRunner} does */
  readonly run?: RunScript;
}

export interface RedisRoomStore extends RoomStore {
  /**
   * Where the logs end, for a replica that may have missed a publication; null: unknown, or ended. Opens a new
   * generation where the server is another one than the room was last used on, and publishes it.
   */
  readTips(roomIds: readonly RoomId[]): Promise<Map<RoomId, Position | null>>;
}

/** Commands of one look under way at a time. */
const TIPS = 256;

/** Throws for a prefix that it cannot use. */
export function openRedisStore(options: RedisStoreOptions): RedisRoomStore {
  const { redis, feed, prefix, waitReplicas } = options;
  const keys = new RoomKeys(prefix);
  const run = options.run ?? scriptRunner(redis, keys, options.replicas ?? new WaitedReplicas(waitReplicas));
  const decode = decodeOnce();
  let closed = false;
  const unlessClosed: RunScript = (script, roomId, args) =>
    closed ? Promise.reject(new StoreError('TRY_AGAIN')) : run(script, roomId, args);

  return {
    ...roomCommands(unlessClosed),
    ...inviteCommands(unlessClosed),
    ...keyCommands(unlessClosed),
    ...upkeepCommands(unlessClosed, redis, keys),

    readTips: async (roomIds) => {
      const tips = new Map<RoomId, Position | null>();
      for (let from = 0; from < roomIds.length; from += TIPS) {
        // Together: the client library writes them out at once.
        await Promise.all(
          roomIds.slice(from, from + TIPS).map(async (roomId) => {
            tips.set(roomId, await readTip(unlessClosed, roomId));
          }),
        );
      }
      return tips;
    },

    subscribe: (roomId, listener) =>
      feed.subscribe(
        roomId,
        (message) => tell(listener, decode(message)),
        (check) => listener({ type: 'tip', ...check }),
      ),

    check: async () => {
      try {
        await redis.set(keys.probe, '1', 'EX', 60);
      } catch (error) {
        throw storeError(error);
      }
    },

    close: async () => {
      closed = true;
    },
  };
}

function tell(listener: RoomListener, events: readonly RoomEvent[]): void {
  for (const event of events) listener(event);
}

/** What cannot be read may have been anything: readers look in the log, and at what waits for them. */
const UNREADABLE: readonly RoomEvent[] = [
  { type: 'tip', tip: { g: Number.MAX_SAFE_INTEGER, s: 0 }, resumed: true },
];

/** A message goes to each listener of its room in turn, and is decoded for the first. */
function decodeOnce(): (message: Buffer) => readonly RoomEvent[] {
  let last: { readonly message: Buffer; readonly events: readonly RoomEvent[] } | null = null;
  return (message) => {
    if (last?.message !== message) {
      let events = UNREADABLE;
      try {
        events = decodeEvents(message);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
      last = { message, events };
    }
    return last.events;
  };
}
