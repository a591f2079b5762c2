/** The bare end of a link: a socket, a Secure Session, and requests as they are; no client logic. */
import { io, type Socket } from 'socket.io-client';
import {
  eventRow, FRAME_EVENT, parse, requestRow, type Bytes, type EventBody, type EventKind, type MemberId, type ReplyBody,
  type RequestBody, type RequestKind, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { clientParser } from '@0fc/protocol/socket-io';
import { ClientLink, type KeyPair } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { memberIdOf } from '@0fc/crypto/verify';
import { nodeHash } from '@0fc/crypto/node';
import { until } from '../support/wait.js';

export interface Told {
  readonly kind: string;
  readonly body: unknown;
}

/** A request that ended in an error of the relay. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export interface RelayAddress {
  readonly url: string;
  readonly publicKey: Bytes;
}

/** `address`: as a trusted proxy would tell it; `foreign`: any packets of Socket.IO. */
export function rawSocket(
  url: string,
  options: { readonly origin?: string; readonly address?: string; readonly foreign?: boolean } = {},
): Socket {
  const { origin, address, foreign = false } = options;
  const extraHeaders = {
    ...(origin === undefined ? {} : { origin }),
    ...(address === undefined ? {} : { 'x-forwarded-for': address }),
  };
  return io(url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders,
    ...(foreign ? {} : { parser: clientParser }),
  });
}

/** What a peer needs of its socket; Socket.IO's is one. */
export interface PeerSocket {
  on(event: string, listener: (value: never) => void): unknown;
  emit(event: typeof FRAME_EVENT, frame: Bytes): unknown;
  disconnect(): unknown;
}

export class Peer<S extends PeerSocket = Socket> {
  readonly identity: KeyPair;
  readonly memberId: MemberId;
  readonly socket: S;
  readonly link: ClientLink;
  /** every event so far, each checked against the catalogue */
  readonly events: Told[] = [];
  /** hears of each event instead of {@link events}, where there may be very many */
  listener: ((event: Told) => void) | null = null;
  closed: string | null = null;
  #lastId = 0;
  readonly #pending = new Map<
    number,
    { kind: string; resolve: (body: never) => void; reject: (error: Error) => void }
  >();

  private constructor(relay: RelayAddress, identity: KeyPair, memberId: MemberId, socket: S) {
    this.identity = identity;
    this.memberId = memberId;
    this.link = ClientLink.open({ identity, relayKey: relay.publicKey });
    this.socket = socket;
    this.socket.on('connect', () => this.socket.emit(FRAME_EVENT, this.link.start()));
    this.socket.on(FRAME_EVENT, (frame: unknown) => this.#take(frame));
    this.socket.on('disconnect', (reason: string) => this.#end(reason));
    this.socket.on('connect_error', (error: Error) => this.#end(error.message));
  }

  static connect(relay: RelayAddress, identity: KeyPair = generateKeyPair()): Promise<Peer> {
    return Peer.over(relay, identity, () => rawSocket(relay.url));
  }

  static async over<S extends PeerSocket>(
    relay: RelayAddress,
    identity: KeyPair,
    open: () => S,
  ): Promise<Peer<S>> {
    const memberId = await memberIdOf(nodeHash, identity.publicKey);
    const peer = new Peer(relay, identity, memberId, open());
    await until('hello', () => {
      if (peer.closed !== null) throw new Error(`closed: ${peer.closed}`);
      return peer.told('hello').length > 0;
    });
    return peer;
  }

  #take(frame: unknown): void {
    // Socket.IO hands out Buffers of this realm or another: a plain copy is what the link takes.
    const { reply, messages } = this.link.receive(Uint8Array.from(frame as Uint8Array));
    if (reply !== null) this.socket.emit(FRAME_EVENT, reply);
    for (const message of messages) this.#takeMessage(message);
  }

  #takeMessage(message: SessionMessage): void {
    if ('e' in message) {
      const row = eventRow(message.e);
      if (row === null) throw new Error(`no such event: ${message.e}`);
      const event = { kind: message.e, body: parse(row.body, message.body) };
      if (this.listener === null) this.events.push(event);
      else this.listener(event);
      return;
    }
    if (!('r' in message)) throw new Error('the relay asks');
    const pending = this.#pending.get(message.r);
    if (pending === undefined) throw new Error('an answer to nothing');
    this.#pending.delete(message.r);
    if ('error' in message) {
      pending.reject(new Refused(message.error.code));
      return;
    }
    const row = requestRow(pending.kind);
    pending.resolve((row === null ? message.body : parse(row.reply, message.body)) as never);
  }

  #end(reason: string): void {
    this.closed ??= reason;
    this.link.destroy();
    for (const { reject } of this.#pending.values()) reject(new Refused('CLOSED'));
    this.#pending.clear();
  }

  /** Sends requests in one frame, as they are. */
  raw(...requests: { readonly kind: string; readonly body: Record<string, unknown> }[]): Promise<unknown>[] {
    const messages = requests.map(({ kind, body }) => ({ q: ++this.#lastId, kind, body }));
    const answers = messages.map(
      ({ q, kind }) =>
        new Promise((resolve, reject) => {
          this.#pending.set(q, { kind, resolve, reject });
        }),
    );
    this.socket.emit(FRAME_EVENT, this.link.seal(messages));
    return answers;
  }

  async request<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<ReplyBody<K>> {
    const [answer] = this.raw({ kind, body: body });
    return (await answer) as ReplyBody<K>;
  }

  /** The code that a request is refused with; null for a reply. */
  async refusal<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<string | null> {
    try {
      await this.request(kind, body);
      return null;
    } catch (error) {
      if (error instanceof Refused) return error.code;
      throw error;
    }
  }

  told<K extends EventKind>(kind: K): EventBody<K>[] {
    return this.events.filter((event) => event.kind === kind).map(({ body }) => body as EventBody<K>);
  }

  /** Entries that the feed brought. */
  get entries(): EventBody<'entries'>['entries'] {
    return this.told('entries').flatMap(({ entries }) => entries);
  }

  get closing(): string | null {
    return this.told('closing')[0]?.code ?? null;
  }

  async gone(): Promise<void> {
    await until('the connection to end', () => this.closed !== null);
  }

  leave(): void {
    this.socket.disconnect();
    this.#end('left');
  }
}
