/**
 * Subscriptions across a cluster: one connection to each node that has subscribed channels. The cluster's map says
 * which node has a channel, and a MOVED is followed.
 */
import slotOf from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import type { HostPort } from '../../../config/settings.js';
import { SubscriberConnection } from './subscriber-connection.js';
import type { Subscriber, SubscriberEvents } from './subscriber.js';

export interface ClusterMap {
  /** the master that has a slot, as far as is known */
  owner(slot: number): HostPort | null;
  /** Asks the cluster again, soon. */
  refresh(): void;
  /** whether the cluster can be asked */
  readonly up: boolean;
}

export interface ClusterSubscriberOptions {
  readonly map: ClusterMap;
  /** a connection as HearingOptions has it */
  readonly connectionTo: (node: HostPort) => Redis;
  readonly failed: (error: unknown) => void;
}

const MOST_HOPS = 5;

const keyOf = ({ host, port }: HostPort): string => `${host}:${port}`;

export class ClusterSubscriber implements Subscriber {
  readonly #options: ClusterSubscriberOptions;
  readonly #nodes = new Map<string, SubscriberConnection>();
  readonly #nodeOfChannel = new Map<string, SubscriberConnection>();
  #events: SubscriberEvents | null = null;

  constructor(options: ClusterSubscriberOptions) {
    this.#options = options;
  }

  get alive(): boolean {
    return this.#options.map.up && [...this.#nodes.values()].every((node) => node.alive || !node.used);
  }

  listen(events: SubscriberEvents): void {
    this.#events = {
      message: (channel, message) => events.message(channel, message),
      lost: (channels) => {
        for (const channel of channels) this.#nodeOfChannel.delete(channel);
        this.#options.map.refresh();
        events.lost(channels);
      },
    };
  }

  async subscribe(channel: string): Promise<void> {
    let at = this.#options.map.owner(slotOf(channel));
    for (let hop = 0; hop < MOST_HOPS && at !== null; hop++) {
      const node = this.#node(at);
      try {
        await node.connect();
        await node.subscribe(channel);
        this.#nodeOfChannel.set(channel, node);
        return;
      } catch (error) {
        const moved = movedTo(error, at);
        this.#closeUnused();
        this.#options.map.refresh();
        if (moved === null) throw error;
        at = moved;
      }
    }
    throw new Error('the cluster does not say who has the channel');
  }

  unsubscribe(channel: string): void {
    this.#nodeOfChannel.get(channel)?.unsubscribe(channel);
    this.#nodeOfChannel.delete(channel);
  }

  async probe(): Promise<void> {
    this.#closeUnused();
    await Promise.all([...this.#nodes.values()].filter((node) => node.used).map((node) => node.probe()));
  }

  close(): void {
    for (const node of this.#nodes.values()) node.close();
    this.#nodes.clear();
    this.#nodeOfChannel.clear();
  }

  #node(at: HostPort): SubscriberConnection {
    const known = this.#nodes.get(keyOf(at));
    if (known !== undefined) return known;
    if (this.#events === null) throw new Error('nobody listens');
    const { connectionTo, failed } = this.#options;
    const node = new SubscriberConnection({ redis: connectionTo(at), events: this.#events, failed });
    this.#nodes.set(keyOf(at), node);
    return node;
  }

  /** A node that is gone for good is not connected to for ever. */
  #closeUnused(): void {
    for (const [key, node] of this.#nodes) {
      if (node.alive || node.used) continue;
      node.close();
      this.#nodes.delete(key);
    }
  }
}

/** `MOVED 3999 127.0.0.1:6381`; without a host it is the one that was asked. */
function movedTo(error: unknown, asked: HostPort): HostPort | null {
  const message = error instanceof Error ? error.message : '';
  const found = /^MOVED \d+ (.*):(\d+)$/.exec(message);
  if (found === null) return null;
  const [, host = '', port = ''] = found;
  return { host: host === '' ? asked.host : host, port: Number(port) };
}
