/**
 * Socket.IO's own adapter over the Redis of the rooms: for what concerns sockets across replicas, and
 * never in the path of a message. It delivers here first, swallows what it cannot publish and keeps
 * no order across replicas, so that the rooms' feed cannot stand on it (docs/protocol.md G16).
 */
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { Cluster } from 'ioredis';
import type { Server } from 'socket.io';
import type { RedisClient, RedisConnections } from '../store/redis/connect.js';

type AdapterFactory = Parameters<Server['adapter']>[0];

/** `failed` hears of subscriptions that could not be made; the client makes those again that it had. */
export function socketsAdapter(
  connections: RedisConnections,
  prefix: string,
  failed: (error: unknown) => void,
): AdapterFactory {
  return createShardedAdapter(connections.commands, hearing(connections.shared(), failed), {
    channelPrefix: `${prefix}sockets`,
    // Static: a channel for all replicas and one for each. Dynamic ones take names of 20 letters for sockets.
    subscriptionMode: 'static',
  }) as AdapterFactory;
}

/** What the adapter uses of its subscriber, which it never awaits: a rejection would end the process. */
function hearing(client: RedisClient, failed: (error: unknown) => void) {
  const tried = (asked: Promise<unknown>): Promise<void> => asked.then(() => undefined, failed);
  const one = client as Cluster;
  return {
    on: (event: 'smessageBuffer', listener: (channel: Buffer, message: Buffer) => void) =>
      one.on(event, listener),
    ssubscribe: (channel: string) => tried(one.ssubscribe(channel)),
    sunsubscribe: (channel: string) => tried(one.sunsubscribe(channel)),
  };
}
