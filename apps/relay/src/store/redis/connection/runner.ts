/** Runs scripts on the node of their room: EVALSHA, and the text where the server does not know it yet. */
import type { RoomId } from '@0fc/protocol';
import slotOf from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { StoreError } from '../../../rooms/port/result.js';
import type { Item } from '../scripts/reply.js';
import type { RoomKeys } from '../scripts/room-keys.js';
import type { Script, ScriptText } from '../scripts/scripts.js';
import { replyCode, storeError } from './store-error.js';
import type { WaitedReplicas } from './waited-replicas.js';

export type Argument = Uint8Array | string | number;

/** One script as one command. Rejects with StoreError, or with what is a fault of ours. */
export type RunScript = (script: Script, roomId: RoomId, args: readonly Argument[]) => Promise<Item>;

/** Bytes of messages that wait for replicas which are missing, in all; beyond them relays find out when they compare. */
const MOST_UNPUBLISHED = 8_388_608;

interface Call {
  readonly text: ScriptText;
  readonly keys: readonly string[];
  readonly args: readonly (Buffer | string | number)[];
}
interface Waiting extends Call {
  /** of its room's feed, on the slot of its keys */
  readonly channel: string;
  /** whether it is refused without replicas; what only reads is not */
  readonly strict: boolean;
  readonly resolve: (answer: Item) => void;
  readonly reject: (error: unknown) => void;
}
interface Ran {
  readonly call: Waiting;
  readonly answer: Item;
}
/** What calls that are repeated have brought about, and how many connections had been lost before. */
interface Before {
  readonly messages: ReadonlyMap<Waiting, Buffer>;
  readonly losses: number;
}
/** What a script has brought about, as its room's feed has it. */
interface Message {
  readonly channel: string;
  readonly bytes: Buffer;
}

/** Bytes as the client library sends them: another Uint8Array would be written out as text. */
export const argument = (value: Argument): Buffer | string | number =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;

export function scriptRunner(redis: Redis | Cluster, keys: RoomKeys, replicas: WaitedReplicas): RunScript {
  const batches = new Batches(redis, replicas);
  return async (script, roomId, args) => {
    const waits = replicas.wanted > 0 && (script.writes || script.shows);
    const call: Call = {
      text: waits ? script.held : script.atOnce,
      keys: script.keys.map((name) => keys.key(roomId, name)),
      args: args.map(argument),
    };
    try {
      return await (waits
        ? batches.enqueue({ ...call, channel: keys.feed(roomId), strict: script.writes })
        : evaluate(redis, call));
    } catch (error) {
      throw storeError(error);
    }
  };
}

async function evaluate(redis: Redis | Cluster, { text, keys, args }: Call): Promise<Item> {
  try {
    return (await redis.callBuffer('evalsha', text.sha, keys.length, ...keys, ...args)) as Item;
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return (await redis.callBuffer('eval', text.lua, keys.length, ...keys, ...args)) as Item;
  }
}

/**
 * Commands that replicas must have before anybody hears of what they did: neither who sent them nor the room, so that a
 * failover takes nothing that was seen (docs/decisions/0045). WAIT counts the replicas that have what its own connection wrote
 * last, so it goes out right behind a batch, in one pipeline; meanwhile the next batch gathers. What the batch has brought about
 * is published behind it. On a cluster a batch is a primary's: a pipeline has one node, and each WAIT holds up its connection.
 */
class Batches {
  readonly #redis: Redis | Cluster;
  readonly #replicas: WaitedReplicas;
  /** by {@link #groupOf} */
  readonly #waiting = new Map<string, Waiting[]>();
  /** what was done while replicas were missing, by primary: they have it once they have what comes later */
  readonly #unpublished = new Map<string, readonly Message[]>();
  #unpublishedBytes = 0;
  /** connections that were lost: behind one, what was not replicated may be gone, and its repetition tells the end of the log */
  #losses = 0;

  constructor(redis: Redis | Cluster, replicas: WaitedReplicas) {
    this.#redis = redis;
    this.#replicas = replicas;
    for (const lost of ['close', '-node', 'node error'])
      redis.on(lost, () => {
        this.#losses += 1;
        this.#forget();
      });
  }

  enqueue(call: Omit<Waiting, 'resolve' | 'reject'>): Promise<Item> {
    const group = this.#groupOf(call.channel);
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(group);
      const one = { ...call, resolve, reject };
      if (waiting !== undefined) {
        waiting.push(one);
        return;
      }
      this.#waiting.set(group, [one]);
      void this.#drain(group);
    });
  }

  /** Rooms of one group may be in one pipeline: those of the same primary with the same replicas. */
  #groupOf(channel: string): string {
    if (!(this.#redis instanceof Cluster) || this.#redis.slots.length === 0) return '';
    return this.#redis.slots[slotOf(channel)]?.join(';') ?? channel;
  }

  /** The primary of a room; '' where there is but one. */
  #primaryOf(channel: string): string {
    if (!(this.#redis instanceof Cluster)) return '';
    return this.#redis.slots[slotOf(channel)]?.[0] ?? '';
  }

  async #drain(group: string): Promise<void> {
    for (;;) {
      await this.#connected();
      const calls = this.#waiting.get(group) ?? [];
      if (calls.length === 0) {
        this.#waiting.delete(group);
        return;
      }
      this.#waiting.set(group, []);
      for (const failed of await this.#sendAll(calls)) await this.#repeat(failed);
    }
  }

  /** Which node has what is known from the first answer on; without one, each command says why. */
  async #connected(): Promise<void> {
    if (!(this.#redis instanceof Cluster) || this.#redis.slots.length > 0) return;
    await this.#redis.ping().catch(() => undefined);
  }

  /** Answers what was done. Those that were not are returned where a repetition may help, and refused otherwise. */
  async #sendAll(calls: readonly Waiting[]): Promise<readonly (readonly Waiting[])[]> {
    const failed: (readonly Waiting[])[] = [];
    // Slots may have moved since they were put together.
    for (const together of Map.groupBy(calls, ({ channel }) => this.#groupOf(channel)).values()) {
      try {
        failed.push(await this.#send(together, null));
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    return failed;
  }

  /** `before`: what the same calls have brought about already, and when. Resolves with those that another server has to run. */
  async #send(calls: readonly Waiting[], before: Before | null): Promise<readonly Waiting[]> {
    const [first] = calls;
    if (first === undefined) return [];
    const primary = this.#primaryOf(first.channel);
    const losses = before?.losses ?? this.#losses;
    const pipeline = this.#redis.pipeline();
    for (const { text, keys, args } of calls) {
      pipeline.callBuffer('evalsha', text.sha, keys.length, ...keys, ...args);
    }
    const ms = this.#replicas.waitMs(
      primary,
      calls.some(({ strict }) => strict),
    );
    pipeline.wait(this.#replicas.wanted, ms);
    const results = (await pipeline.exec()) ?? [];
    const ran: Ran[] = [];
    const messages: Message[] = [];
    const elsewhere: Waiting[] = [];
    for (const [index, call] of calls.entries()) {
      const [error, answer] = results[index] ?? [new Error('no answer')];
      if (error === null) {
        const done = answerOf(answer);
        ran.push({ call, answer: done.answer });
        // Over a connection that is lost by now it may be gone, and the repetition was the first.
        const first = losses === this.#losses ? before?.messages.get(call) : undefined;
        for (const bytes of [first, done.message])
          if (bytes !== undefined && bytes.length > 0) messages.push({ channel: call.channel, bytes });
      } else if (ELSEWHERE.has(replyCode(error) ?? '')) {
        if (replyCode(error) !== 'NOSCRIPT') this.#drop(primary, call.channel);
        elsewhere.push(call);
      } else call.reject(error);
    }
    const [unsure, count] = results.at(-1) ?? [new Error('no answer')];
    if (this.#replicas.waited(primary, ms, unsure === null ? Number(count) : null)) {
      await this.#publish(primary, messages);
      for (const { call, answer } of ran) call.resolve(answer);
      return elsewhere;
    }
    // What was done over a connection that is lost by now may be gone as well.
    if (losses === this.#losses) this.#keep(primary, messages);
    for (const { call, answer } of ran) {
      if (unsure !== null || call.strict) call.reject(unsure ?? new StoreError('TRY_AGAIN'));
      else call.resolve(answer);
    }
    return elsewhere;
  }

  /**
   * A server that does not know the scripts, or no longer the rooms: each command is run by itself, which follows
   * redirections and sends the text, and all are then repeated in a batch, with one WAIT. All commands may be repeated.
   */
  async #repeat(calls: readonly Waiting[]): Promise<void> {
    const losses = this.#losses;
    const messages = new Map<Waiting, Buffer>();
    for (const call of calls) {
      try {
        messages.set(call, answerOf(await evaluate(this.#redis, call)).message);
      } catch (error) {
        call.reject(error);
      }
    }
    for (const together of Map.groupBy(messages.keys(), ({ channel }) => this.#groupOf(channel)).values()) {
      try {
        const again = await this.#send(together, { messages, losses });
        for (const { reject } of again) reject(new StoreError('TRY_AGAIN'));
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
  }

  #keep(primary: string, messages: readonly Message[]): void {
    this.#unpublished.set(primary, [...(this.#unpublished.get(primary) ?? []), ...messages]);
    this.#unpublishedBytes += sizeOf(messages);
    if (this.#unpublishedBytes > MOST_UNPUBLISHED) this.#forget();
  }

  /** Another has the room, and may lack what was done here. */
  #drop(primary: string, channel: string): void {
    const held = this.#unpublished.get(primary) ?? [];
    const left = held.filter((message) => message.channel !== channel);
    if (left.length === held.length) return;
    this.#unpublished.set(primary, left);
    this.#unpublishedBytes -= sizeOf(held) - sizeOf(left);
  }

  #forget(): void {
    this.#unpublished.clear();
    this.#unpublishedBytes = 0;
  }

  /** With what had to wait there, in order. */
  async #publish(primary: string, done: readonly Message[]): Promise<void> {
    const held = this.#unpublished.get(primary) ?? [];
    this.#unpublished.delete(primary);
    this.#unpublishedBytes -= sizeOf(held);
    const messages = [...held, ...done];
    if (messages.length === 0) return;
    if (this.#redis instanceof Cluster) {
      // Each by itself: a slot may have moved, and its messages are redirected.
      await Promise.all(
        messages.map(({ channel, bytes }) => this.#redis.callBuffer('spublish', channel, bytes)),
      );
      return;
    }
    const pipeline = this.#redis.pipeline();
    for (const { channel, bytes } of messages) pipeline.callBuffer('spublish', channel, bytes);
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }
}

/** Codes of a server that does not know the script, or no longer has the room. */
const ELSEWHERE = new Set(['NOSCRIPT', 'MOVED', 'ASK']);

const sizeOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** What a `held` text returns. */
function answerOf(item: unknown): { readonly answer: Item; readonly message: Buffer } {
  if (!Array.isArray(item) || !Buffer.isBuffer(item[1])) throw new Error('a script answered no message');
  return { answer: item[0] as Item, message: item[1] };
}
