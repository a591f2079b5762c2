/** All that a Redis server holds and receives: what its operator can read. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { until } from '../../support/wait.js';
import type { Haystack } from './search.js';

/** How each type is read whole; a type that is not here is an error of {@link dump}. */
const WHOLE: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  string: (redis, key) => redis.callBuffer('GET', key),
  hash: (redis, key) => redis.callBuffer('HGETALL', key),
  list: (redis, key) => redis.callBuffer('LRANGE', key, 0, -1),
  set: (redis, key) => redis.callBuffer('SMEMBERS', key),
  zset: (redis, key) => redis.callBuffer('ZRANGE', key, 0, -1, 'WITHSCORES'),
  stream: (redis, key) => redis.callBuffer('XRANGE', key, '-', '+'),
};

function flat(reply: unknown): readonly Buffer[] {
  if (Buffer.isBuffer(reply)) return [reply];
  if (Array.isArray(reply)) return reply.flatMap(flat);
  if (reply instanceof Map) return [...reply].flatMap(flat);
  if (typeof reply === 'number' || typeof reply === 'string') return [Buffer.from(String(reply))];
  if (typeof reply === 'object' && reply !== null) return Object.entries(reply).flatMap(flat);
  throw new Error(`a reply of another kind: ${typeof reply}`);
}

/** Every key of every type, by SCAN and the type's own read, each a haystack under its name and `when`. */
export async function dump(redis: Redis, when: string): Promise<readonly Haystack[]> {
  const haystacks: Haystack[] = [];
  for await (const keys of redis.scanStream({ count: 1_000 })) {
    for (const key of keys as string[]) {
      const type = await redis.type(key);
      if (type === 'none') continue; // gone meanwhile
      const read = WHOLE[type];
      if (read === undefined) throw new Error(`${key} is a ${type}, which nothing here reads`);
      const parts = flat(await read(redis, key));
      // A break between the parts: nothing is found that is only there by their order.
      const bytes = Buffer.concat([Buffer.from(key), ...parts].flatMap((part) => [part, Buffer.from('\n')]));
      haystacks.push({ name: `${type} ${key} ${when}`, bytes: Uint8Array.from(bytes) });
    }
  }
  return haystacks;
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8 };

/** A line of MONITOR as the bytes that it stands for: Redis writes what is no letter as `\x..`. */
export function unescaped(line: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < line.length; at++) {
    if (line[at] !== '\\') {
      bytes.push(line.charCodeAt(at));
      continue;
    }
    const next = line[++at] ?? '';
    if (next !== 'x') {
      bytes.push(ESCAPES[next] ?? next.charCodeAt(0));
      continue;
    }
    bytes.push(Number.parseInt(line.slice(at + 1, at + 3), 16));
    at += 2;
  }
  return Buffer.from(bytes);
}

/** Every command that a server receives, those of its scripts and each publication among them (MONITOR). */
export class RedisTap {
  readonly #socket: Socket;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text;
    });
  }

  static async open(host: string, port: number): Promise<RedisTap> {
    const socket = connect({ host, port });
    await once(socket, 'connect');
    const tap = new RedisTap(socket);
    socket.write('MONITOR\r\n');
    await until('the tap to be open', () => tap.#text.startsWith('+OK'));
    return tap;
  }

  get lines(): readonly string[] {
    return this.#text.split('\r\n').slice(0, -1);
  }

  /** All of it, and by itself what was published. */
  get haystacks(): readonly Haystack[] {
    const of = (name: string, lines: readonly string[]): Haystack => ({
      name,
      bytes: Uint8Array.from(Buffer.concat(lines.map((line) => unescaped(`${line}\n`)))),
    });
    return [of('its commands', this.lines), of('what it published', this.lines.filter(isPublished))];
  }

  close(): void {
    this.#socket.destroy();
  }
}

export const isPublished = (line: string): boolean => /\] "S?PUBLISH" /i.test(line);
