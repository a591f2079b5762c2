/** What a relay stands on: its own embedded store, or a Redis that it shares with other replicas. */
import { join } from 'node:path';
import type { RelayConfig } from '../config/environment.js';
import { openFeed } from './redis/feed/open-feed.js';
import type { FeedFigures } from './redis/feed/redis-feed.js';
import type { RoomStore } from '../rooms/port/room-store.js';
import { StoreError } from '../rooms/port/result.js';
import { openStore, STORE_FILE } from './open.js';
import { connectRedis, type RedisConnections } from './redis/connection/connect.js';
import { WaitedReplicas, type ReplicaFigures } from './redis/connection/waited-replicas.js';
import { openRedisStore } from './redis/redis-room-store.js';
import { RoomKeys } from './redis/scripts/room-keys.js';

export interface StoreBackend {
  readonly store: RoomStore;
  /** null: this is the only process */
  readonly redis: {
    readonly connections: RedisConnections;
    readonly prefix: string;
    /** `replicas`: null where none are waited for */
    figures(): FeedFigures & { readonly up: boolean; readonly replicas: ReplicaFigures | null };
  } | null;
  /** Rejects unless the store takes writes and every room that is served is subscribed. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreBackendLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** Throws ConfigError with one line. */
export async function openStoreBackend(
  config: RelayConfig,
  inMemory: boolean,
  log: StoreBackendLog,
): Promise<StoreBackend> {
  const { redis } = config;
  if (redis === null) {
    const store = openStore(inMemory ? ':memory:' : join(config.dataDir, STORE_FILE));
    return { store, redis: null, check: () => store.check(), close: () => store.close() };
  }
  const connections = await connectRedis(redis, {
    lost: (fields) => log.warn(fields, 'Redis is not reached'),
    found: (fields) => log.info(fields, 'Redis is reached again'),
  });
  const replicas = new WaitedReplicas(redis.waitReplicas, {
    missing: (fields) =>
      log.warn(fields, 'Redis has fewer replicas than REDIS_WAIT_REPLICAS: nothing is acknowledged without'),
    found: (fields) => log.info(fields, 'Redis has the replicas that are waited for'),
  });
  for (const master of connections.withoutReplicas) replicas.startsWithout(master);
  const keys = new RoomKeys(redis.prefix);
  const feed = openFeed({
    connections,
    channelOf: (roomId) => keys.feed(roomId),
    failed: (what, error) => log.warn({ err: error }, what),
  });
  const { prefix, waitReplicas } = redis;
  const store = openRedisStore({ redis: connections.commands, feed, prefix, waitReplicas, replicas });
  const replicaFigures = (): ReplicaFigures | null => {
    const masters = connections.masters();
    // None are known: what they lack is no less so.
    if (masters.size > 0) replicas.keepOnly(masters);
    return waitReplicas === 0 ? null : replicas.figures;
  };
  await feed.start((roomIds) => store.readTips(roomIds));
  return {
    store,
    redis: {
      connections,
      prefix,
      figures: () => ({ ...feed.figures, up: connections.up, replicas: replicaFigures() }),
    },
    check: async () => {
      // A command would wait for the connection; who asks wants to know now.
      if (!connections.up) throw new StoreError('TRY_AGAIN');
      feed.check();
      await store.check();
    },
    close: async () => {
      feed.close();
      await store.close();
      connections.close();
    },
  };
}
