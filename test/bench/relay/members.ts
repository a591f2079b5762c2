/** Members of rooms, at the relay and at the plain server, by what they cost the generator: most count, few look. */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { FRAME_EVENT, type Bytes, type EventBody } from '@0fc/protocol';
import type { KeyPair } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { Peer, type PeerSocket, type RelayAddress } from '../../integration/relay-peer.js';
import { message } from '../../integration/relay-room.js';
import { RawWebSocket } from './raw-websocket.js';

/** Bytes at the beginning of each payload that name it. */
const NAME_BYTES = 6;

/** What is sent, by its name, and when; what is seen of it. */
export class Sent {
  readonly #payloads = new Map<number, { readonly payload: Bytes; readonly at: number }>();
  #last = 0;

  /** A new payload of so many random bytes, sent now. */
  next(length: number): Buffer {
    const payload = randomBytes(length);
    payload.writeUIntBE(++this.#last, 0, NAME_BYTES);
    this.#payloads.set(this.#last, { payload, at: performance.now() });
    return payload;
  }

  /** Milliseconds since it was sent; throws for what was not sent, or not so. */
  ageOf(payload: Uint8Array): number {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const sent = this.#payloads.get(bytes.readUIntBE(0, NAME_BYTES));
    if (sent === undefined || !bytes.equals(sent.payload)) throw new Error('a line that nobody sent');
    return performance.now() - sent.at;
  }

  get count(): number {
    return this.#last;
  }
}

export interface BenchMember {
  /** Sends one line; resolves once the server has acknowledged it. */
  say(length: number): Promise<void>;
  /** lines that it has seen so far; of who counts only, once it has looked */
  readonly lines: number;
  /** binary messages that have come */
  readonly frames: number;
  readonly raw: RawWebSocket;
  /** Keeps what comes unopened from now on. */
  count(): void;
  /** whether the server, or an error, has ended its connection */
  readonly ended: boolean;
  /** Opens what was kept, in order; throws for what is missing, double, altered or out of order. */
  look(): void;
  /** hears how old each line was when it was seen */
  onAge: ((ms: number) => void) | null;
}

/** The peer's end of the relay's link, over a raw websocket. */
export class RawPeerSocket implements PeerSocket {
  readonly raw: RawWebSocket;
  readonly #events = new EventEmitter();
  frames = 0;
  #kept: Buffer[] | null = null;

  constructor(url: string) {
    this.raw = new RawWebSocket(url, {
      opened: () => this.#events.emit('connect'),
      text: (packet) => {
        if (packet.startsWith('1')) this.raw.destroy();
      },
      binary: (frame) => {
        this.frames += 1;
        if (this.#kept === null) this.#events.emit(FRAME_EVENT, frame);
        else this.#kept.push(frame);
      },
      closed: (reason) => this.#events.emit('disconnect', reason),
    });
  }

  on(event: string, listener: (value: never) => void): void {
    this.#events.on(event, (value: unknown) => listener(value as never));
  }

  emit(_event: typeof FRAME_EVENT, frame: Bytes): void {
    this.raw.binary(frame);
  }

  disconnect(): void {
    this.raw.destroy();
  }

  keep(): void {
    this.#kept ??= [];
  }

  release(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const frame of kept) this.#events.emit(FRAME_EVENT, frame);
  }
}

export type RawPeer = Peer<RawPeerSocket>;

export const rawPeer = (relay: RelayAddress, identity: KeyPair = generateKeyPair()): Promise<RawPeer> =>
  Peer.over(relay, identity, () => new RawPeerSocket(relay.url));

export class RelayMember implements BenchMember {
  readonly peer: RawPeer;
  readonly #sent: Sent;
  lines = 0;
  /** of the log; null before the first */
  cursor: number | null = null;
  onAge: ((ms: number) => void) | null = null;
  constructor(peer: RawPeer, sent: Sent) {
    this.peer = peer;
    this.#sent = sent;
    peer.listener = ({ kind, body }) => {
      if (kind === 'entries') for (const entry of (body as EventBody<'entries'>).entries) this.#take(entry);
    };
  }

  #take({ kind, position, payload }: EventBody<'entries'>['entries'][number]): void {
    if (this.cursor !== null && position.s !== this.cursor + 1)
      throw new Error('an entry is missing, double or out of order');
    this.cursor = position.s;
    if (kind !== 'message') return;
    const age = this.#sent.ageOf(payload);
    this.lines += 1;
    this.onAge?.(age);
  }

  async say(length: number): Promise<void> {
    const { clear } = message(1, 1);
    await this.peer.request('append', { messages: [{ clear, payload: this.#sent.next(length) }] });
  }

  get frames(): number {
    return this.peer.socket.frames;
  }

  get raw(): RawWebSocket {
    return this.peer.socket.raw;
  }

  get ended(): boolean {
    return this.peer.closed !== null;
  }

  count(): void {
    this.peer.socket.keep();
  }

  look(): void {
    this.peer.socket.release();
  }
}

export class PlainMember implements BenchMember {
  readonly raw: RawWebSocket;
  readonly opened: Promise<undefined>;
  readonly #sent: Sent;
  #room = '';
  #id = 0;
  readonly #acks = new Map<number, () => void>();
  #kept: Buffer[] | null = null;
  lines = 0;
  frames = 0;
  ended = false;
  onAge: ((ms: number) => void) | null = null;

  constructor(url: string, sent: Sent) {
    this.#sent = sent;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.opened = promise;
    this.raw = new RawWebSocket(url, {
      opened: () => resolve(undefined),
      text: (packet) => {
        const [, id] = /^3(\d+)/.exec(packet) ?? [];
        if (id !== undefined) this.#acks.get(Number(id))?.();
      },
      binary: (attachment) => {
        this.frames += 1;
        if (this.#kept === null) this.#see(attachment);
        else this.#kept.push(attachment);
      },
      closed: (reason) => {
        this.ended = true;
        reject(new Error(reason));
      },
    });
  }

  #see(attachment: Buffer): void {
    const age = this.#sent.ageOf(attachment);
    this.lines += 1;
    this.onAge?.(age);
  }

  async enter(room: string): Promise<void> {
    await this.opened;
    this.#room = room;
    await this.#acknowledged((id) => this.raw.text(`2${String(id)}["enter",${JSON.stringify(room)}]`));
  }

  say(length: number): Promise<void> {
    const payload = this.#sent.next(length);
    return this.#acknowledged((id) => {
      const event = `["say",${JSON.stringify(this.#room)},{"_placeholder":true,"num":0}]`;
      this.raw.text(`51-${String(id)}${event}`);
      this.raw.binary(payload);
    });
  }

  #acknowledged(send: (id: number) => void): Promise<void> {
    const id = ++this.#id;
    return new Promise((resolve) => {
      this.#acks.set(id, () => {
        this.#acks.delete(id);
        resolve();
      });
      send(id);
    });
  }

  count(): void {
    this.#kept ??= [];
  }

  look(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const attachment of kept) this.#see(attachment);
  }
}
