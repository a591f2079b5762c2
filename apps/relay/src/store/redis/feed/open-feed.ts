/** The feed, and subscriptions of other kinds, over a relay's own connections to Redis. */
import type { Cluster } from 'ioredis';
import type { RoomId } from '@0fc/protocol';
import type { RedisConnections } from '../connection/connect.js';
import type { HostPort } from '../../../config/settings.js';
import { ClusterSubscriber, type ClusterMap } from './cluster-subscriber.js';
import { RedisFeed, type FeedTimers } from './redis-feed.js';
import { ServerSubscriber } from './server-subscriber.js';
import type { Subscriber } from './subscriber.js';

export interface OpenFeedOptions {
  readonly connections: RedisConnections;
  readonly channelOf: (roomId: RoomId) => string;
  readonly failed: (what: string, error: unknown) => void;
}

export const systemTimers: FeedTimers = {
  after: (ms, run) => {
    // Retries and probes keep no process running.
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

export function openFeed({ connections, channelOf, failed }: OpenFeedOptions): RedisFeed {
  return new RedisFeed({ subscriber: openSubscriber(connections), channelOf, timers: systemTimers, failed });
}

/** With connections of its own. */
export function openSubscriber(connections: RedisConnections): Subscriber {
  // Errors of a connection show in the calls that fail, and in readiness.
  const failed = (): void => undefined;
  const { commands } = connections;
  if (!commands.isCluster) return new ServerSubscriber(connections.subscriber(null), failed);
  return new ClusterSubscriber({
    map: mapOf(commands as Cluster),
    connectionTo: (node) => connections.subscriber(node),
    failed,
  });
}

function mapOf(cluster: Cluster): ClusterMap {
  return {
    owner: (slot) => nodeOf(cluster.slots[slot]?.[0]),
    refresh: () => cluster.refreshSlotsCache(),
    get up() {
      return cluster.status === 'ready';
    },
  };
}

/** `host:port`, whose host may have colons of its own */
function nodeOf(key: string | undefined): HostPort | null {
  if (key === undefined) return null;
  const at = key.lastIndexOf(':');
  return { host: key.slice(0, at), port: Number(key.slice(at + 1)) };
}
