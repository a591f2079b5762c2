/** Runs scripts on the node of their room: EVALSHA, and the text where the server does not know it yet. */
import type { RoomId } from '@0fc/protocol';
import type { ChainableCommander, Cluster, Redis } from 'ioredis';
import { StoreError } from '../../../rooms/port/result.js';
import type { Item } from '../scripts/reply.js';
import type { RoomKeys } from '../scripts/room-keys.js';
import type { Script, ScriptText } from '../scripts/scripts.js';
import { replyCode, storeError } from './store-error.js';

export type Argument = Uint8Array | string | number;

/** One script as one command. Rejects with StoreError, or with what is a fault of ours. */
export type RunScript = (script: Script, roomId: RoomId, args: readonly Argument[]) => Promise<Item>;

/** For WAIT: replicas that are there answer within milliseconds. Of what only reads, which is shown all the same. */
const WAIT_MS = 2_000;
const READ_WAIT_MS = 500;
/** How long reads do not wait after replicas were missing. */
const MISSING_MS = 5_000;
/** Bytes of messages that wait for replicas which are missing, in all; beyond them relays find out when they compare. */
const MOST_UNPUBLISHED = 8_388_608;

interface Call {
  readonly text: ScriptText;
  readonly keys: readonly string[];
  readonly args: readonly (Buffer | string | number)[];
}
interface Waiting extends Call {
  readonly channel: string;
  /** whether it is refused without replicas; what only reads is not */
  readonly strict: boolean;
  readonly resolve: (answer: Item) => void;
  readonly reject: (error: unknown) => void;
}
type Result = readonly [error: Error | null, answer?: unknown];
interface Ran {
  readonly call: Waiting;
  readonly answer: Item;
  /** empty: it has brought nothing about */
  readonly message: Buffer;
}
/** What a script has brought about, as its room's feed has it. */
interface Message {
  readonly channel: string;
  readonly bytes: Buffer;
}

/** Bytes as the client library sends them: another Uint8Array would be written out as text. */
export const argument = (value: Argument): Buffer | string | number =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;

export function scriptRunner(redis: Redis | Cluster, keys: RoomKeys, waitReplicas: number): RunScript {
  const batches = new Batches(redis, waitReplicas);
  return async (script, roomId, args) => {
    const waits = waitReplicas > 0 && (script.writes || script.shows);
    const call: Call = {
      text: waits ? script.held : script.atOnce,
      keys: script.keys.map((name) => keys.key(roomId, name)),
      args: args.map(argument),
    };
    try {
      return await (waits
        ? batches.enqueue(roomId, call, { channel: keys.feed(roomId), strict: script.writes })
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
 * is published behind it. On a cluster a batch is a room's: a pipeline has one node.
 */
class Batches {
  readonly #redis: Redis | Cluster;
  readonly #replicas: number;
  readonly #waiting = new Map<string, Waiting[]>();
  /** what was done while replicas were missing, by batch: they have it once they have what comes later */
  #unpublished = new Map<string, readonly Message[]>();
  #unpublishedBytes = 0;
  /** connections that were lost: behind one, what was not replicated may be gone, and its repetition tells the end of the log */
  #losses = 0;
  /** when replicas were missing last, milliseconds of performance.now */
  #missingAt = -Infinity;

  constructor(redis: Redis | Cluster, replicas: number) {
    this.#redis = redis;
    this.#replicas = replicas;
    for (const lost of ['close', '-node', 'node error'])
      redis.on(lost, () => {
        this.#losses += 1;
        this.#forget();
      });
  }

  enqueue(roomId: RoomId, call: Call, how: Pick<Waiting, 'channel' | 'strict'>): Promise<Item> {
    const batch = this.#redis.isCluster ? roomId : '';
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(batch);
      const one = { ...call, ...how, resolve, reject };
      if (waiting !== undefined) {
        waiting.push(one);
        return;
      }
      this.#waiting.set(batch, [one]);
      void this.#drain(batch);
    });
  }

  async #drain(batch: string): Promise<void> {
    for (;;) {
      const calls = this.#waiting.get(batch) ?? [];
      if (calls.length === 0) {
        this.#waiting.delete(batch);
        return;
      }
      this.#waiting.set(batch, []);
      try {
        await this.#send(batch, calls);
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
  }

  async #send(batch: string, calls: readonly Waiting[]): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const { text, keys, args } of calls) {
      pipeline.callBuffer('evalsha', text.sha, keys.length, ...keys, ...args);
    }
    this.#wait(pipeline, calls);
    const results = (await pipeline.exec()) ?? [];
    const ran: Ran[] = [];
    const failed: { readonly call: Waiting; readonly error: Error }[] = [];
    for (const [index, call] of calls.entries()) {
      const [error, answer] = results[index] ?? [new Error('no answer')];
      if (error === null) ran.push({ call, ...answerOf(answer) });
      else failed.push({ call, error });
    }
    await this.#settle(batch, ran, results.at(-1));
    for (const { call, error } of failed) await this.#repeatAlone(batch, call, error).catch(call.reject);
  }

  #wait(pipeline: ChainableCommander, calls: readonly Waiting[]): void {
    if (calls.some(({ strict }) => strict)) pipeline.wait(this.#replicas, WAIT_MS);
    else if (performance.now() - this.#missingAt > MISSING_MS) pipeline.wait(this.#replicas, READ_WAIT_MS);
    else pipeline.wait(this.#replicas, 1);
  }

  /**
   * A server that does not know the script, or no longer the room: the command is run by itself, which follows
   * redirections and sends the text, and is then repeated in a batch. All commands may be repeated.
   */
  async #repeatAlone(batch: string, call: Waiting, error: Error): Promise<void> {
    const code = replyCode(error);
    if (code !== 'NOSCRIPT' && code !== 'MOVED' && code !== 'ASK') throw error;
    const losses = this.#losses;
    const { message } = answerOf(await evaluate(this.#redis, call));
    const { text, keys, args } = call;
    const pipeline = this.#redis.pipeline();
    pipeline.callBuffer('evalsha', text.sha, keys.length, ...keys, ...args);
    this.#wait(pipeline, [call]);
    const [done, waited] = (await pipeline.exec()) ?? [];
    if (done?.[0] !== null) throw done?.[0] ?? new Error('no answer');
    const again = { call, ...answerOf(done[1]) };
    const kept = losses === this.#losses ? [{ ...again, message }] : [];
    await this.#settle(batch, [...kept, again], waited);
  }

  /** Publishes and answers, or neither. `waited`: the result of the WAIT. */
  async #settle(batch: string, ran: readonly Ran[], waited: Result | undefined): Promise<void> {
    const [unsure, reached] = waited ?? [new Error('no answer')];
    const messages = ran.flatMap(({ call: { channel }, message }) =>
      message.length === 0 ? [] : [{ channel, bytes: message }],
    );
    if (unsure === null && Number(reached) >= this.#replicas) {
      const held = this.#unpublished.get(batch) ?? [];
      this.#unpublished.delete(batch);
      this.#unpublishedBytes -= sizeOf(held);
      await this.#publish([...held, ...messages]);
      for (const { call, answer } of ran) call.resolve(answer);
      return;
    }
    this.#unpublished.set(batch, [...(this.#unpublished.get(batch) ?? []), ...messages]);
    this.#unpublishedBytes += sizeOf(messages);
    if (this.#unpublishedBytes > MOST_UNPUBLISHED) this.#forget();
    this.#missingAt = performance.now();
    for (const { call, answer } of ran) {
      if (unsure !== null || call.strict) call.reject(unsure ?? new StoreError('TRY_AGAIN'));
      else call.resolve(answer);
    }
  }

  #forget(): void {
    this.#unpublished = new Map();
    this.#unpublishedBytes = 0;
  }

  async #publish(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    const pipeline = this.#redis.pipeline();
    for (const { channel, bytes } of messages) pipeline.callBuffer('spublish', channel, bytes);
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }
}

const sizeOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** What a `held` text returns. */
function answerOf(item: unknown): { readonly answer: Item; readonly message: Buffer } {
  if (!Array.isArray(item) || !Buffer.isBuffer(item[1])) throw new Error('a script answered no message');
  return { answer: item[0] as Item, message: item[1] };
}
