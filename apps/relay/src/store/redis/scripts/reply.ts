/** Answers of scripts, read item by item. Anything that is not as the script's header says is a fault, and throws. */
import type { Bytes, ErrorCode, InviteId, MemberId, Position } from '@0fc/protocol';
import type { LogPlacement } from '../../../rooms/port/room-store.js';
import { refuse, type Refused } from '../../../rooms/port/result.js';

export type Item = Buffer | number | null | readonly Item[];

export class Reply {
  readonly #items: readonly Item[];
  #next = 0;

  constructor(items: readonly Item[]) {
    this.#items = items;
  }

  get more(): boolean {
    return this.#next < this.#items.length;
  }

  number(): number {
    const item = this.#take();
    if (typeof item !== 'number') throw new Error('a script answered no number');
    return item;
  }

  /** One of the texts that the script's header names. */
  text(): string {
    return this.#buffer().toString('latin1');
  }

  /** Which kind of id it is says the script's header. */
  id(): MemberId & InviteId {
    return this.text() as MemberId & InviteId;
  }

  bytes(): Bytes {
    return own(this.#buffer());
  }

  bytesOrNull(): Bytes | null {
    if (this.#items[this.#next] !== null) return this.bytes();
    this.#next++;
    return null;
  }

  list(): Reply {
    const item = this.#take();
    if (!Array.isArray(item)) throw new Error('a script answered no list');
    return new Reply(item as readonly Item[]);
  }

  listOrNull(): Reply | null {
    if (this.#items[this.#next] !== null) return this.list();
    this.#next++;
    return null;
  }

  /** Each of the rest in its turn. */
  map<T>(read: (reply: this) => T): T[] {
    const all: T[] = [];
    while (this.more) all.push(read(this));
    return all;
  }

  position(): Position {
    return { g: this.number(), s: this.number() };
  }

  placement(): LogPlacement {
    return { position: this.position(), time: this.number() };
  }

  /** (0,0) is no position: nothing stands there. */
  placementOrNull(): LogPlacement | null {
    const placement = this.placement();
    return placement.position.g === 0 ? null : placement;
  }

  #buffer(): Buffer {
    const item = this.#take();
    if (!Buffer.isBuffer(item)) throw new Error('a script answered no bytes');
    return item;
  }

  #take(): Item {
    const item = this.#items[this.#next++];
    if (item === undefined) throw new Error('a script answered too little');
    return item;
  }
}

/** A copy: what the client library hands over may be a slice of something much larger. */
const own = (buffer: Uint8Array): Bytes => new Uint8Array(buffer);

/** The rest of an answer that begins with 'OK', or the refusal, with the time to wait where it names one. */
export function resultOf<C extends ErrorCode>(
  answer: Item,
): { readonly ok: true; readonly reply: Reply } | Refused<C> {
  if (!Array.isArray(answer)) throw new Error('a script answered no list');
  const reply = new Reply(answer as readonly Item[]);
  const code = reply.text() as C | 'OK';
  if (code === 'OK') return { ok: true, reply };
  return reply.more ? refuse(code, reply.number()) : refuse(code);
}
