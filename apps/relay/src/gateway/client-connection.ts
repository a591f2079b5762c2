/**
 * One connection: its Secure Session, its requests in order, its outbound queue
 * (docs/protocol.md section 3). Knows no Socket.IO: the wire is a port.
 */
import {
  ERROR_CODES, LIMITS, PROTOCOL_VERSION, ProtocolError, type Bytes, type ErrorCode, type EventBody, type EventKind, type MemberId,
  type RequestKind, type RoomId, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, RelayLink } from '@0fc/crypto/link';
import { memberIdOf } from '@0fc/crypto/verify';
import type { Delivery } from '../rooms/delivery/fan-out.js';
import type { BoundSubscription, ClosingCode, Peer } from '../rooms/delivery/peer.js';
import { StoreError } from '../rooms/port/result.js';
import type { ClientConnectionOptions } from './client-connection-options.js';
import type { HeartbeatTarget } from './heartbeat.js';
import { Outbound } from './outbound.js';
import { RequestQueue } from './request-queue.js';
import type { Wire } from './wire.js';

/** What taking one value of CBOR costs, in bytes that would cost as much: a value of one byte is no cheap one. */
const ITEM_BYTES = 64;

/** Requests whose reply may come behind entries that were placed after it: it says what became of them, and no more. */
const UNORDERED: readonly string[] = ['append', 'ack', 'signal'] satisfies RequestKind[];

export class ClientConnection implements Peer, HeartbeatTarget {
  readonly connectionId: string;
  readonly address: string;
  subscription: BoundSubscription | null = null;
  key: Bytes = new Uint8Array(0);
  memberId = '' as MemberId;
  lastSent = performance.now();
  readonly #wire: Wire;
  readonly #options: ClientConnectionOptions;
  readonly #link: RelayLink;
  readonly #requests: RequestQueue;
  readonly #outbound: Outbound;
  readonly #deadline: NodeJS.Timeout;
  #state: 'handshake' | 'open' | 'ending' | 'over' = 'handshake';
  #handshakes = 0;
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
    const { context, requestBuckets, requestRate, metrics, log } = options;
    this.#requests = new RequestQueue({
      context,
      peer: this,
      buckets: requestBuckets,
      rate: requestRate,
      metrics,
      log,
      reply: (message, kind) => {
        if (UNORDERED.includes(kind)) this.#outbound.pushAfterBatch(message);
        else this.#outbound.push(message);
      },
      fault: (error, fields, text) => this.#log(error, fields, text),
    });
    this.#outbound = new Outbound({
      mostBytes: options.queueBytes,
      seal: (messages) => this.#link.seal(messages),
      feedFrame: (cell, tags) => this.#link.feedFrame(cell, tags),
      send: (frame, rest) => {
        this.lastSent = performance.now();
        wire.send(frame, rest);
      },
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

  get gone(): boolean {
    return this.#state === 'over';
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

  beat(): void {
    if (this.#state === 'open') this.#outbound.beat();
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
    this.#requests.end();
    this.#outbound.end();
    this.subscription?.end();
    this.#link.destroy();
  }

  send<K extends EventKind>(kind: K, body: EventBody<K>): void {
    if ('entries' in body) this.#options.metrics.delivered(body.entries.length);
    this.#outbound.push({ e: kind, body });
  }

  deliver(delivery: Delivery): void {
    if (delivery.entries > 0) {
      this.#options.metrics.delivered(delivery.entries);
      this.#options.gate.live();
    }
    this.#outbound.deliver(delivery);
  }

  sent(): Promise<void> {
    return this.#outbound.empty();
  }

  close(code: ClosingCode | null, moveWithinMs?: number): void {
    if (this.#state === 'ending' || this.#state === 'over') return;
    const sealed = this.#link.established && this.#state === 'open';
    this.#state = 'ending';
    clearTimeout(this.#deadline);
    this.subscription?.end();
    if (code !== null) {
      this.#options.metrics.refused(code);
      this.#options.log.info({ code }, 'closing');
    }
    if (sealed) this.#requests.end(() => this.#sendClosing(code, moveWithinMs));
    else {
      this.#requests.end();
      this.#wire.close();
    }
    this.#destroyTimer = setTimeout(() => this.#wire.destroy(), this.#options.closeMs);
  }

  #sendClosing(code: ClosingCode | null, moveWithinMs?: number): void {
    if (code !== null) {
      this.send('closing', { code, ...(moveWithinMs === undefined ? {} : { moveWithinMs }) });
    }
    this.#outbound.finish(() => this.#wire.close());
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
      heartbeatMs: this.#options.heartbeatMs,
    });
    memberIdOf(context.hash, peer)
      .then((memberId) => {
        this.memberId = memberId;
        this.#options.log.debug({ member: memberId }, 'established');
        return this.#requests.start();
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
        // Replies and events come from the relay alone.
        this.close('MALFORMED');
        return;
      }
      this.#requests.enqueue(message, sizeOf(frame) / messages.length);
    }
    if (this.#requests.isOver(this.#mostBytes)) {
      this.close('RATE_LIMITED');
      return;
    }
    this.#requests.serve().catch((error: unknown) => {
      this.failed(error);
      this.#abort();
    });
  }

  #reject(): void {
    if (this.#state !== 'handshake') return;
    this.#options.metrics.handshake('turnedAway');
    this.#refuse(ERROR_CODES.HANDSHAKE_FAILED);
  }

  /** A frame that cannot be taken: the session is dead, so that no `closing` can be sent. */
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
