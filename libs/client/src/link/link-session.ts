/**
 * One attempt at a connection: socket, Secure Session, hello, messages, end
 * (docs/protocol.md section 3). It is never used again once it has ended.
 */
import { ClientLink, splitForFrames, type KeyPair } from '@0fc/crypto/link';
import {
  equalBytes,
  ERROR_CODES,
  eventRow,
  parse,
  PROTOCOL_VERSION,
  type Bytes,
  type ErrorCode,
  type EventBody,
  type EventKind,
  type RequestKind,
  type Schema,
  type SessionMessage,
} from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { Platform, SocketHandle } from '../contract/ports.js';
import { Requests, type RequestMessage } from './requests.js';
import { HeartbeatTimeout } from './heartbeat-timeout.js';

/** From the open socket until the relay's hello; for the socket to open, at most. */
export const HELLO_TIMEOUT_MS = 15_000;
/** Until the socket is open, at first: where nobody answers that, another attempt may find another replica. */
export const OPEN_TIMEOUT_MS = 5_000;

/** A validated event with its body's type. */
type AnyEvent = { [K in EventKind]: { readonly kind: K; readonly body: EventBody<K> } }[EventKind];

export interface LinkSessionEnd {
  readonly code: ErrorCode;
  /** true: the relay had proved its key, so the code is its word or its doing */
  readonly established: boolean;
  /** true: the socket was open, so that somebody there had a handshake to answer */
  readonly reached: boolean;
  /** true: nobody was heard for too long */
  readonly timedOut: boolean;
}

export interface LinkSessionOptions {
  readonly url: string;
  readonly relayKey: Bytes;
  readonly identity: KeyPair;
  readonly platform: Pick<Platform, 'crypto' | 'timers' | 'socket'>;
  /** milliseconds for the socket to open */
  readonly openMs: number;
  /** how many times as long as usual nothing may be heard */
  readonly timeoutFactor: number;
  readonly enqueue: (call: () => void) => void;
  readonly onHello: (hello: EventBody<'hello'>) => void;
  readonly onClosing: (closing: EventBody<'closing'>) => void;
  readonly onEvent: (event: Exclude<AnyEvent, { kind: 'hello' | 'closing' | 'heartbeat' }>) => void;
  /** A request was answered, with a reply or an error; `came` false: it timed out, and the session ends. */
  readonly onAnswer: (kind: RequestKind, came: boolean) => void;
  /** Exactly once, and nothing else after it. */
  readonly onEnd: (end: LinkSessionEnd) => void;
}

export class LinkSession {
  readonly #options: LinkSessionOptions;
  readonly requests: Requests;
  #handle: SocketHandle | null = null;
  #link: ClientLink | null = null;
  #reached = false;
  /** the relay has proved its key; the link itself forgets this when it fails */
  #established = false;
  #up = false;
  #ended = false;
  #cancelDeadline: () => void = () => undefined;
  #heartbeat: HeartbeatTimeout | null = null;
  /** the wait for hello has been shortened */
  #hurried = false;

  constructor(options: LinkSessionOptions) {
    this.#options = options;
    this.requests = new Requests({
      timers: options.platform.timers,
      flush: (messages) => this.#guarded(() => this.#flush(messages)),
      onTimeout: (kind) => {
        options.onAnswer(kind, false);
        this.end(ERROR_CODES.OFFLINE);
      },
      onAnswer: (kind) => {
        options.onAnswer(kind, true);
      },
      enqueue: options.enqueue,
    });
  }

  /** True from the relay's hello until the end: requests may be sent. */
  get up(): boolean {
    return this.#up && !this.#ended;
  }

  begin(): void {
    const { platform, url, openMs } = this.#options;
    this.#setDeadline(openMs);
    this.#guarded(() => {
      const handle = platform.socket.connect(url, {
        open: () => this.#guarded(() => this.#handshake()),
        frame: (data) => this.#guarded(() => this.#receive(data)),
        closed: () => this.end(ERROR_CODES.OFFLINE),
      });
      // A port may report a failure before it returns; its handle is closed all the same.
      if (this.#ended) handle.close();
      else this.#handle = handle;
    });
  }

  /**
   * The page is shown again, or the network is back: a link that died in sleep is known soon. False: the socket has yet to
   * open, and a new one may open sooner.
   */
  wake(): boolean {
    this.#heartbeat?.wake();
    if (this.#reached && !this.#up && !this.#hurried) {
      this.#hurried = true;
      this.#setDeadline(OPEN_TIMEOUT_MS);
    }
    return this.#reached;
  }

  /** As in the options, from now on. */
  set timeoutFactor(factor: number) {
    if (this.#heartbeat !== null) this.#heartbeat.timeoutFactor = factor;
  }

  /** Ends the attempt where the next step of it takes longer, in milliseconds. */
  #setDeadline(ms: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#options.platform.timers.after(ms, () => this.end(ERROR_CODES.OFFLINE, true));
  }

  /** Closes the socket, frees the link, ends what is in flight in OFFLINE. Idempotent. */
  end(code: ErrorCode, timedOut = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelDeadline();
    this.#heartbeat?.end();
    this.#link?.destroy();
    this.#link = null;
    this.requests.end();
    this.#handle?.close();
    this.#handle = null;
    this.#options.onEnd({ code, established: this.#established, reached: this.#reached, timedOut });
  }

  #handshake(): void {
    const { identity, relayKey } = this.#options;
    if (this.#link !== null) return;
    this.#reached = true;
    this.#setDeadline(HELLO_TIMEOUT_MS);
    this.#link = ClientLink.open({ identity, relayKey });
    this.#handle?.send(this.#link.start());
  }

  #receive(data: unknown): void {
    // Before the socket says it is open there is nobody to talk to.
    if (this.#link === null) throw new ClientError(ERROR_CODES.MALFORMED);
    const { reply, established, messages } = this.#link.receive(data);
    this.#established = established;
    this.#heartbeat?.heard();
    if (reply !== null) this.#handle?.send(reply);
    for (const message of messages) {
      if (this.#ended) return;
      this.#dispatch(message);
    }
  }

  #dispatch(message: SessionMessage): void {
    if ('e' in message) this.#onEvent(message.e, message.body);
    // A relay sends no requests, and exactly one reply to each.
    else if ('q' in message || !this.requests.settle(message)) throw lie();
  }

  #onEvent(kind: string, body: unknown): void {
    const row = eventRow(kind);
    // An event of a later version is ignored.
    if (row === null) return;
    const event = { kind, body: fitting(row.body, body) } as AnyEvent;
    if (event.kind === 'closing') {
      this.#options.onClosing(event.body);
      return;
    }
    // Hello comes first and once.
    if ((event.kind === 'hello') === this.#up) throw lie();
    if (event.kind === 'hello') this.#onHello(event.body);
    else if (event.kind !== 'heartbeat') this.#options.onEvent(event);
  }

  #onHello(hello: EventBody<'hello'>): void {
    if (!equalBytes(hello.relay, this.#options.relayKey)) throw lie();
    if (hello.version !== PROTOCOL_VERSION) {
      this.#options.onClosing({ code: ERROR_CODES.UNSUPPORTED_VERSION });
      return;
    }
    this.#up = true;
    this.#cancelDeadline();
    const { platform, timeoutFactor } = this.#options;
    this.#heartbeat = new HeartbeatTimeout({
      timers: platform.timers,
      clock: platform.crypto.clock,
      heartbeatMs: hello.heartbeatMs,
      timeoutFactor,
      onTimeout: () => this.end(ERROR_CODES.OFFLINE, true),
    });
    this.#options.onHello(hello);
  }

  #flush(messages: readonly RequestMessage[]): void {
    for (const group of this.#groups(messages)) {
      if (this.#link !== null) this.#handle?.send(this.#link.seal(group));
    }
  }

  #groups(messages: readonly RequestMessage[]): readonly (readonly SessionMessage[])[] {
    try {
      return splitForFrames(messages);
    } catch (error) {
      const [only, ...others] = messages;
      // One that fits no frame ends alone and takes none of the rest with it.
      if (only === undefined || others.length > 0)
        return messages.flatMap((message) => this.#groups([message]));
      this.requests.refuse(only, ClientError.from(error));
      return [];
    }
  }

  /** Any failure on the link ends it: nothing after it can be trusted. */
  #guarded(run: () => void): void {
    if (this.#ended) return;
    try {
      run();
    } catch (error) {
      this.end(ClientError.from(error).code);
    }
  }
}

const lie = (cause?: unknown): ClientError => new ClientError(ERROR_CODES.RELAY_LIED, {}, { cause });

/** The body as its row has it; what does not fit was sent by a relay that had proved its key. */
function fitting(schema: Schema<unknown>, body: unknown): unknown {
  try {
    return parse(schema, body);
  } catch (error) {
    throw lie(error);
  }
}
