/**
 * What is due to one connection: bounded, and wrapped only when it can go out
 * (docs/protocol.md section 3). All that is due in a turn shares a frame. Nothing is dropped
 * once it has been wrapped: more than 8 frames that are missing would break the session.
 */
import {
  encodeMessage, LIMITS, type Bytes, type EventBody, type EventKind, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { splitForFrames } from '@0fc/crypto/link';

const events = new WeakMap<object, SessionMessage & { readonly e: string }>();

/** One message for a body that goes to many connections: it is encoded once. */
export function eventOf<K extends EventKind>(kind: K, body: EventBody<K>): SessionMessage {
  const known = events.get(body);
  if (known?.e === kind) return known;
  const message = { e: kind, body };
  events.set(body, message);
  return message;
}

export interface OutboundOptions {
  /** bytes that may wait; one message alone may always wait */
  readonly mostBytes: number;
  readonly seal: (messages: readonly SessionMessage[]) => Bytes;
  readonly send: (frame: Bytes) => void;
  /** whether all that was sent has left the process */
  readonly idle: () => boolean;
  readonly overflow: () => void;
  readonly failed: (error: unknown) => void;
}

interface Waiting {
  readonly message: SessionMessage;
  readonly bytes: number;
}

export class Outbound {
  readonly #options: OutboundOptions;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #scheduled = false;
  #ended = false;
  #whenEmpty: (() => void) | null = null;
  #watchers: (() => void)[] = [];

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(message: SessionMessage): void {
    if (!this.#ended) this.#try(() => this.#push(message));
  }

  #push(message: SessionMessage): void {
    const { length: bytes } = encodeMessage(message);
    const full = (): boolean => this.#waiting.length > 0 && this.#bytes + bytes > this.#options.mostBytes;
    // Much in one turn is not the reader's fault: what can go out goes out first.
    if (full() && this.#options.idle()) this.#sendOne();
    if (full()) {
      this.#options.overflow();
      return;
    }
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    this.#schedule();
  }

  /** Resolves once nothing waits, also because it was dropped. */
  empty(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  #tellWatchers(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const resolve of watchers) resolve();
  }

  /** Drops what has not been wrapped. */
  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellWatchers();
  }

  /** Takes nothing more; `done` runs once all is sent. */
  finish(done: () => void): void {
    this.#ended = true;
    this.#whenEmpty = done;
    this.#schedule();
  }

  /** The connection is gone. */
  end(): void {
    this.#ended = true;
    this.#whenEmpty = null;
    this.clear();
  }

  /** The wire can take more. */
  drained(): void {
    if (this.#waiting.length > 0 || this.#whenEmpty !== null) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The end of this turn: everything that it brings about goes into one frame.
    setImmediate(() => {
      this.#scheduled = false;
      this.#try(() => this.#flush());
    });
  }

  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #flush(): void {
    if (!this.#options.idle()) return;
    if (this.#waiting.length > 0) this.#sendOne();
    if (this.#waiting.length > 0 || this.#whenEmpty === null || !this.#options.idle()) return;
    const done = this.#whenEmpty;
    this.#whenEmpty = null;
    done();
  }

  #sendOne(): void {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (count > 0 && (bytes > LIMITS.frameBytes || count === LIMITS.frameMessages)) break;
      count++;
    }
    const candidates = this.#waiting.slice(0, count).map(({ message }) => message);
    const [group = candidates] = splitForFrames(candidates);
    const frame = this.#options.seal(group);
    const gone = this.#waiting.splice(0, group.length);
    this.#bytes -= gone.reduce((sum, waiting) => sum + waiting.bytes, 0);
    this.#options.send(frame);
    if (this.#waiting.length === 0) this.#tellWatchers();
  }
}
