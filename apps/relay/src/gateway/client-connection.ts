/**
 * One connection: its Secure Session, its requests in order, its outbound queue
 * (docs/protocol.md section 3). Knows no Socket.IO: the wire is a port.
 */
import {
  ERROR_CODES, LIMITS, PROTOCOL_VERSION, ProtocolError, type Bytes, type ErrorCode, type EventBody, type EventKind, type MemberId,
  type RoomId, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, RelayLink, type KeyPair } from '@0fc/crypto/link';
import { memberIdOf } from '@0fc/crypto/verify';
import type { RelayContext } from '../rooms/commands/context.js';
import type { BoundSubscription, ClosingCode, Peer } from '../rooms/delivery/peer.js';
import { dispatch } from '../rooms/commands/dispatch.js';
import type { Rate } from '../rooms/port/room-store.js';
import { StoreError } from '../rooms/port/result.js';
import type { TokenBuckets } from '../limits/token-buckets.js';
import type { ConnectionMetrics } from '../metrics/metrics.js';
import type { HandshakeGate } from './handshake-gate.js';
import { Inbound } from './inbound.js';
import { eventOf, Outbound } from './outbound.js';

/** What a connection needs of its socket. */
export interface Wire {
  /** names the connection in the log and on the feed */
  readonly id: string;
  readonly address: string;
  send(frame: Bytes): void;
  /** whether all that was sent has left the process */
  idle(): boolean;
  /** Ends it in order; what was sent still goes out. */
  close(): void;
  /** Ends it at once. */
  destroy(): void;
  /** Reads nothing more for so many milliseconds. */
  hold(ms: number): void;
}

/** A child logger of this connection. Nothing that a peer chose goes into it but codes. */
export interface ConnectionLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface ClientConnectionOptions {
  readonly relay: KeyPair;
  readonly context: RelayContext;
  readonly gate: HandshakeGate;
  readonly requestBuckets: TokenBuckets;
  /** requests of one connection */
  readonly requestRate: Rate;
  readonly byteBuckets: TokenBuckets;
  /** bytes that one connection sends, and {@link ITEM_BYTES} for each value in them */
  readonly byteRate: Rate;
  readonly queueBytes: number;
  readonly handshakeMs: number;
  /** after this long a connection that ends is ended, sent or not */
  readonly closeMs: number;
  readonly metrics: ConnectionMetrics;
  /** The connection has become its member's one in the room, by the room's own order. */
  readonly onAnnounced: (roomId: RoomId) => void;
  readonly log: ConnectionLog;
}

/** What taking one value of CBOR costs, in bytes that would cost as much: a value of one byte is no cheap one. */
const ITEM_BYTES = 64;

export class ClientConnection implements Peer {
  readonly connectionId: string;
  readonly address: string;
  subscription: BoundSubscription | null = null;
  key: Bytes = new Uint8Array(0);
  memberId = '' as MemberId;
  readonly #wire: Wire;
  readonly #options: ClientConnectionOptions;
  readonly #link: RelayLink;
  readonly #inbound = new Inbound();
  readonly #outbound: Outbound;
  readonly #deadline: NodeJS.Timeout;
  #state: 'handshake' | 'open' | 'ending' | 'over' = 'handshake';
  #handshakes = 0;
  #working = false;
  /** a request is being served; its reply goes out before the connection ends */
  #serving = false;
  #sendClosing: (() => void) | null = null;
  #destroyTimer: NodeJS.Timeout | null = null;

  constructor(wire: Wire, options: ClientConnectionOptions) {
    this.#wire = wire;
    this.#options = options;
    this.connectionId = wire.id;
    this.address = wire.address;
    this.#link = RelayLink.accept({ relay: options.relay });
    this.#deadline = setTimeout(() => {
      this.#options.metrics.handshake('timeout');
      this.#options.log.info({ code: ERROR_CODES.HANDSHAKE_TIMEOUT }, 'closed');
      this.close(null);
    }, options.handshakeMs);
    this.#outbound = new Outbound({
      mostBytes: options.queueBytes,
      seal: (messages) => this.#link.seal(messages),
      send: (frame) => wire.send(frame),
      idle: () => wire.idle(),
      overflow: () => {
        // What was not wrapped is dropped; the client reads it from the log when it is back.
        this.#outbound.clear();
        this.close('SLOW_CONSUMER');
      },
      failed: (error) => {
        this.failed(error);
        this.#abort();
      },
    });
  }

  get established(): boolean {
    return this.#state === 'open';
  }

  get queuedBytes(): number {
    return this.#outbound.bytes;
  }

  /** Takes one frame from the wire; whatever it is, only this connection can suffer. */
  receive(frame: unknown): void {
    if (this.#state === 'handshake') {
      // Two small frames make a handshake: what cannot be one does not wait for its turn either.
      const small = sizeOf(frame) <= LIMITS.handshakeBytes;
      const waiting = { proceed: () => this.#handshake(frame), reject: () => this.#reject() };
      if (small && ++this.#handshakes <= 2) this.#options.gate.enter(this.address, waiting);
      else this.#reject();
      return;
    }
    if (this.#state !== 'open') return;
    if (sizeOf(frame) > this.#mostBytes) {
      this.close('TOO_LARGE');
      return;
    }
    try {
      const { messages, items } = this.#link.receive(frame);
      this.#charge(sizeOf(frame) + items * ITEM_BYTES);
      this.#enqueue(messages, frame);
    } catch (error) {
      this.#refuse(codeOf(error) ?? this.#fault(error));
    }
  }

  /** The wire can take more. */
  drained(): void {
    this.#outbound.drained();
  }

  /** The wire is gone. Idempotent. */
  over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#deadline);
    if (this.#destroyTimer !== null) clearTimeout(this.#destroyTimer);
    this.#inbound.clear();
    this.#outbound.end();
    this.subscription?.end();
    this.#link.destroy();
  }

  send<K extends EventKind>(kind: K, body: EventBody<K>): void {
    if ('entries' in body) this.#options.metrics.delivered(body.entries.length);
    this.#outbound.push(eventOf(kind, body));
  }

  sent(): Promise<void> {
    return this.#outbound.empty();
  }

  close(code: ClosingCode | null, moveWithinMs?: number): void {
    if (this.#state === 'ending' || this.#state === 'over') return;
    const sealed = this.#link.established && this.#state === 'open';
    this.#state = 'ending';
    clearTimeout(this.#deadline);
    this.#inbound.clear();
    this.subscription?.end();
    if (code !== null) {
      this.#options.metrics.refused(code);
      this.#options.log.info({ code }, 'closing');
    }
    const sendClosing = (): void => {
      if (code !== null)
        this.send('closing', { code, ...(moveWithinMs === undefined ? {} : { moveWithinMs }) });
      this.#outbound.finish(() => this.#wire.close());
    };
    if (!sealed) this.#wire.close();
    else if (this.#serving) this.#sendClosing = sendClosing;
    else sendClosing();
    this.#destroyTimer = setTimeout(() => this.#wire.destroy(), this.#options.closeMs);
  }

  /** Asks the client to go elsewhere at a time of its own; until then it is served as before. */
  move(withinMs: number): void {
    if (this.#state === 'open') this.send('closing', { code: 'TRY_AGAIN', moveWithinMs: withinMs });
    else this.close(null);
  }

  onAnnounced(roomId: RoomId): void {
    this.#options.onAnnounced(roomId);
  }

  failed(error: unknown): void {
    this.#log(error, { err: error }, 'failed');
  }

  /** What a connection that is over could not finish, since the store ended with it, harms nobody. */
  #log(error: unknown, fields: object, text: string): void {
    const { log } = this.#options;
    if (this.#state === 'over' && error instanceof StoreError) log.debug(fields, text);
    else log.error(fields, text);
  }

  #handshake(frame: unknown): void {
    if (this.#state !== 'handshake') return;
    try {
      const { reply, established } = this.#link.receive(frame);
      if (reply !== null) this.#wire.send(reply);
      if (established) this.#establish();
    } catch (error) {
      this.#options.metrics.handshake('failed');
      this.#refuse(codeOf(error) ?? this.#fault(error));
    }
  }

  /** The key is proved: it is the identity from here on (G12). */
  #establish(): void {
    const { peer } = this.#link;
    if (peer === null) {
      this.#refuse(ERROR_CODES.HANDSHAKE_FAILED);
      return;
    }
    clearTimeout(this.#deadline);
    this.#options.metrics.handshake('established');
    this.key = peer;
    this.#state = 'open';
    const { context, relay } = this.#options;
    this.send('hello', {
      version: PROTOCOL_VERSION,
      relay: relay.publicKey,
      frameBytes: LIMITS.frameBytes,
      appendMessages: LIMITS.appendMessages,
      maxMembers: context.limits.maxMembers,
      invitesOpen: context.limits.invitesOpen,
      settingsEntries: context.limits.settings.entries,
      settingsPerHour: context.limits.settings.rate.burst,
    });
    // Requests wait until it is known whose they are.
    this.#working = true;
    memberIdOf(context.hash, peer)
      .then((memberId) => {
        this.memberId = memberId;
        this.#options.log.debug({ member: memberId }, 'established');
        return this.#serveRequests();
      })
      .catch((error: unknown) => {
        this.failed(error);
        this.#abort();
      });
  }

  /** Of a frame: little from somebody who has yet to name a room. */
  get #mostBytes(): number {
    return this.subscription === null ? LIMITS.unboundFrameBytes : LIMITS.frameBytes;
  }

  /** Who sends more than its share is read more slowly, and loses nothing. */
  #charge(cost: number): void {
    const { byteBuckets, byteRate, context } = this.#options;
    const waitMs = byteBuckets.of(this.connectionId, byteRate, context.clock.now()).spend(cost);
    if (waitMs > 0) this.#wire.hold(waitMs);
  }

  #enqueue(messages: readonly SessionMessage[], frame: unknown): void {
    for (const message of messages) {
      if (!('q' in message)) {
        // Only the relay replies and tells.
        this.close('MALFORMED');
        return;
      }
      this.#inbound.enqueue(message, sizeOf(frame) / messages.length);
    }
    if (this.#inbound.isOver(this.#mostBytes)) {
      this.close('RATE_LIMITED');
      return;
    }
    if (this.#working) return;
    this.#working = true;
    this.#serveRequests().catch((error: unknown) => {
      this.failed(error);
      this.#abort();
    });
  }

  /** The requests of a connection, one after the other. */
  async #serveRequests(): Promise<void> {
    for (let message = this.#inbound.dequeue(); message !== undefined; message = this.#inbound.dequeue()) {
      const { requestBuckets, requestRate, context, log, metrics } = this.#options;
      const bucket = requestBuckets.of(this.connectionId, requestRate, context.clock.now());
      if (!bucket.take()) {
        metrics.refused(ERROR_CODES.RATE_LIMITED);
        const error = { code: ERROR_CODES.RATE_LIMITED, params: { retryMs: bucket.waitMs() } };
        this.#outbound.push({ r: message.q, error });
        continue;
      }
      this.#serving = true;
      const begun = performance.now();
      const { reply, after, refused, fault } = await dispatch(context, this, message);
      this.#serving = false;
      if (message.kind === 'append') metrics.appended((performance.now() - begun) / 1_000);
      if (refused !== null) metrics.refused(refused);
      if (fault !== undefined) this.#log(fault, { err: fault, code: refused }, 'request failed');
      else if (refused !== null) log.info({ code: refused, kind: known(message.kind) }, 'refused');
      this.#outbound.push(reply);
      if (this.#sendClosing !== null) this.#sendClosing();
      if (this.#state !== 'open') return;
      after?.();
    }
    this.#working = false;
  }

  #reject(): void {
    if (this.#state !== 'handshake') return;
    this.#options.metrics.handshake('turnedAway');
    this.#refuse(ERROR_CODES.HANDSHAKE_FAILED);
  }

  /** A frame that cannot be taken: the session is dead, so there is no last word. */
  #refuse(code: ErrorCode): void {
    this.#options.metrics.refused(code);
    this.#options.log.info({ code }, 'closed');
    this.close(null);
  }

  #fault(error: unknown): ErrorCode {
    this.failed(error);
    return ERROR_CODES.INTERNAL;
  }

  #abort(): void {
    if (this.#state === 'over') return;
    this.#wire.destroy();
    this.over();
  }
}

/** What is no frame is refused by the link. */
const sizeOf = (frame: unknown): number => (frame instanceof Uint8Array ? frame.length : 0);

const codeOf = (error: unknown): ErrorCode | null =>
  error instanceof CryptoError || error instanceof ProtocolError ? error.code : null;

/** A name from the wire goes into the log only if it is one of ours. */
const known = (kind: string): string => (/^[a-zA-Z]{1,32}$/.test(kind) ? kind : '?');
