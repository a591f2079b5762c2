/** A Redis of its own for a spec, and stores on it. */
import { Cluster, Redis } from 'ioredis';
import type { RoomFeed } from '../../rooms/port/room-feed.js';
import type { RoomId } from '@0fc/protocol';
import { startRedis, type RunningRedis } from '../../../../../test/support/redis.js';
import { openRedisStore, type RedisRoomStore, type RedisStoreOptions } from './redis-room-store.js';
import type { Item } from './scripts/reply.js';
import { RoomKeys } from './scripts/room-keys.js';
import { argument, type RunScript } from './connection/runner.js';

/** The one place where a script learns the time (scripts/lib/base.lua). */
const CLOCK = "redis.call('TIME')";

export const PREFIX = 'test:';

/** A feed without anything that the feed of the relay has for bad times: one connection to each node. */
class PlainFeed implements RoomFeed {
  readonly #nodes: readonly Redis[];
  readonly #keys = new RoomKeys(PREFIX);
  readonly #rooms = new Map<string, Set<(message: Buffer) => void>>();

  constructor(nodes: readonly Redis[]) {
    this.#nodes = nodes;
    for (const node of nodes) {
      node.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
        for (const listener of [...(this.#rooms.get(channel.toString()) ?? [])]) listener(message);
      });
    }
  }

  async subscribe(roomId: RoomId, onMessage: (message: Buffer) => void): Promise<{ unsubscribe(): void }> {
    const channel = this.#keys.feed(roomId);
    const listeners = this.#rooms.get(channel) ?? new Set();
    this.#rooms.set(channel, listeners);
    listeners.add(onMessage);
    const results = await Promise.allSettled(this.#nodes.map((node) => node.ssubscribe(channel)));
    // The node of the channel's slot takes it, the others name that one.
    if (!results.some(({ status }) => status === 'fulfilled'))
      throw new Error('no node took the subscription');
    return { unsubscribe: () => void listeners.delete(onMessage) };
  }

  /** Resolves once what had been published before has been heard. */
  async heard(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.ping()));
  }
}

export class RedisWorld {
  readonly running: RunningRedis;
  readonly #clients: (Redis | Cluster)[] = [];
  readonly #kind: 'standalone' | 'cluster';

  private constructor(running: RunningRedis, kind: 'standalone' | 'cluster') {
    this.running = running;
    this.#kind = kind;
  }

  static of(running: RunningRedis, kind: 'standalone' | 'cluster'): RedisWorld {
    return new RedisWorld(running, kind);
  }

  static async start(kind: 'standalone' | 'cluster', options: object = {}): Promise<RedisWorld> {
    return new RedisWorld(await startRedis({ kind, ...options }), kind);
  }

  /** A client for commands, as the relay makes them. */
  client(): Redis | Cluster {
    const options = { maxRetriesPerRequest: null, retryStrategy: () => 20 };
    const nodes = this.running.nodes.map(({ host, port }) => ({ host, port }));
    const client =
      this.#kind === 'cluster'
        ? // A node that starts again takes no writes for two seconds.
          new Cluster(nodes, { clusterRetryStrategy: () => 20, retryDelayOnClusterDown: 300 })
        : new Redis({ ...options, ...nodes[0]! });
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  async feed(): Promise<PlainFeed> {
    const nodes = this.running.nodes.map(
      ({ host, port }) => new Redis({ host, port, retryStrategy: () => 20 }),
    );
    for (const node of nodes) node.on('error', () => undefined);
    this.#clients.push(...nodes);
    return new PlainFeed(nodes);
  }

  async store(over: Partial<RedisStoreOptions> = {}): Promise<RedisRoomStore> {
    return openRedisStore({
      redis: this.client(),
      feed: await this.feed(),
      prefix: PREFIX,
      waitReplicas: 0,
      ...over,
    });
  }

  /**
   * A store that judges by the suite's clock: the text of each script has the suite's time where it asks the server
   * for its own. And what a command has published has been heard when it answers, as in a store of one process.
   */
  async clocked(now: () => number): Promise<RedisRoomStore> {
    const redis = this.client();
    const feed = await this.feed();
    const keys = new RoomKeys(PREFIX);
    const run: RunScript = async (script, roomId, args) => {
      const time = `{'${Math.floor(now() / 1_000)}', '${(now() % 1_000) * 1_000}'}`;
      const answer = await redis.callBuffer(
        'eval',
        script.atOnce.lua.replace(CLOCK, time),
        script.keys.length,
        ...script.keys.map((name) => keys.key(roomId, name)),
        ...args.map(argument),
      );
      await feed.heard();
      return answer as Item;
    };
    return openRedisStore({ redis, feed, prefix: PREFIX, waitReplicas: 0, run });
  }

  /** Ends the clients and takes all data away; the servers go on. */
  async clear(): Promise<void> {
    this.disconnect();
    await Promise.all(
      this.running.nodes.map(async (_, node) => {
        const redis = this.running.connect(node);
        await redis.flushall();
        redis.disconnect();
      }),
    );
  }

  disconnect(): void {
    for (const client of this.#clients.splice(0)) client.disconnect();
  }

  async stop(): Promise<void> {
    this.disconnect();
    await this.running.stop();
  }
}
