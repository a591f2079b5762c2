/**
 * Socket.IO's own adapter over the Redis of the rooms: for what concerns sockets across replicas, and
 * never in the path of a message. It delivers here first, swallows what it cannot publish and keeps
 * no order across replicas, so that the rooms' feed cannot stand on it (docs/protocol.md G16).
 */
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { Server } from 'socket.io';
import { systemTimers, openSubscriber } from './open-feed.js';
import { PersistentSubscriptions } from './persistent-subscriptions.js';
import type { RedisConnections } from '../connection/connect.js';

type AdapterFactory = Parameters<Server['adapter']>[0];

export interface SocketsAdapter {
  readonly adapter: AdapterFactory;
  close(): void;
}

export function socketsAdapter(connections: RedisConnections, prefix: string): SocketsAdapter {
  const channels = new PersistentSubscriptions(openSubscriber(connections), systemTimers);
  const adapter = createShardedAdapter(connections.commands, channels, {
    channelPrefix: `${prefix}sockets`,
    // Static: a channel for all replicas and one for each. Dynamic ones take names of 20 letters for sockets.
    subscriptionMode: 'static',
  }) as AdapterFactory;
  return { adapter, close: () => channels.close() };
}
