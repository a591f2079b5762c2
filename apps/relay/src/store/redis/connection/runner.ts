/** Runs scripts on the node of their room: EVALSHA, and the text where the server does not know it yet. */
import type { RoomId } from '@0fc/protocol';
import type { Cluster, Redis } from 'ioredis';
import { StoreError } from '../../../rooms/port/result.js';
import type { Item } from '../scripts/reply.js';
import type { RoomKeys } from '../scripts/room-keys.js';
import type { Script } from '../scripts/scripts.js';
import { replyCode, storeError } from './store-error.js';

export type Argument = Uint8Array | string | number;

/** One script as one command. Rejects with StoreError, or with what is a fault of ours. */
export type RunScript = (script: Script, roomId: RoomId, args: readonly Argument[]) => Promise<Item>;

/** For WAIT: replicas that are there answer within milliseconds. */
const WAIT_MS = 2_000;

interface Call {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (Buffer | string | number)[];
}
interface Waiting extends Call {
  readonly resolve: (answer: Item) => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes as the client library sends them: another Uint8Array would be written out as text. */
export const argument = (value: Argument): Buffer | string | number =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;

export function scriptRunner(redis: Redis | Cluster, keys: RoomKeys, waitReplicas: number): RunScript {
  const batches = new Batches(redis, waitReplicas);
  return async (script, roomId, args) => {
    const call: Call = {
      script,
      keys: script.keys.map((name) => keys.key(roomId, name)),
      args: args.map(argument),
    };
    try {
      return await (waitReplicas > 0 && script.writes
        ? batches.enqueue(roomId, call)
        : evaluate(redis, call));
    } catch (error) {
      throw storeError(error);
    }
  };
}

async function evaluate(redis: Redis | Cluster, { script, keys, args }: Call): Promise<Item> {
  try {
    return (await redis.callBuffer('evalsha', script.sha, keys.length, ...keys, ...args)) as Item;
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return (await redis.callBuffer('eval', script.lua, keys.length, ...keys, ...args)) as Item;
  }
}

/**
 * Commands that replicas must have before they are answered. WAIT counts the replicas that have what its own
 * connection wrote last, so it goes out right behind a batch, in one pipeline; meanwhile the next batch gathers.
 * On a cluster a batch is a room's: a pipeline has one node.
 */
class Batches {
  readonly #redis: Redis | Cluster;
  readonly #replicas: number;
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(redis: Redis | Cluster, replicas: number) {
    this.#redis = redis;
    this.#replicas = replicas;
  }

  enqueue(roomId: RoomId, call: Call): Promise<Item> {
    const batch = this.#redis.isCluster ? roomId : '';
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(batch);
      const one = { ...call, resolve, reject };
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
        await this.#send(calls);
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
  }

  async #send(calls: readonly Waiting[]): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const { script, keys, args } of calls) {
      pipeline.callBuffer('evalsha', script.sha, keys.length, ...keys, ...args);
    }
    pipeline.wait(this.#replicas, WAIT_MS);
    const results = (await pipeline.exec()) ?? [];
    const [unsure, reached] = results.at(-1) ?? [new Error('no answer')];
    await Promise.all(
      calls.map(async (call, index) => {
        const [error, answer] = results[index] ?? [new Error('no answer')];
        try {
          if (error !== null) await this.#repeatAlone(call, error);
          else if (unsure !== null) call.reject(unsure);
          else if (Number(reached) < this.#replicas) call.reject(new StoreError('TRY_AGAIN'));
          else call.resolve(answer as Item);
        } catch (failure) {
          call.reject(failure);
        }
      }),
    );
  }

  /**
   * A server that does not know the script, or no longer the room: the command is run by itself, which follows
   * redirections and sends the text, and is then repeated in a batch. All commands may be repeated.
   */
  async #repeatAlone(call: Waiting, error: Error): Promise<void> {
    const code = replyCode(error);
    if (code !== 'NOSCRIPT' && code !== 'MOVED' && code !== 'ASK') throw error;
    await evaluate(this.#redis, call);
    const pipeline = this.#redis.pipeline();
    pipeline.callBuffer('evalsha', call.script.sha, call.keys.length, ...call.keys, ...call.args);
    pipeline.wait(this.#replicas, WAIT_MS);
    const [done, waited] = (await pipeline.exec()) ?? [];
    const failure = done?.[0] ?? waited?.[0] ?? null;
    if (failure !== null) throw failure;
    if (Number(waited?.[1]) < this.#replicas) throw new StoreError('TRY_AGAIN');
    call.resolve(done?.[1] as Item);
  }
}
