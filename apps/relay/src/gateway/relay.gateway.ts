/**
 * The Socket.IO edge: every frame comes and goes as the one opaque binary event
 * (docs/protocol.md section 3). Frames are taken from the socket itself and not by
 * @SubscribeMessage: Nest would run each through asynchronous guards and pipes, and frames
 * of a session must be received in order.
 */
import { Inject, type OnApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { FRAME_EVENT, type RoomId } from '@0fc/protocol';
import type { KeyPair } from '@0fc/crypto/link';
import type { RelayConfig } from '../config/environment.js';
import type { AddressCounter } from '../limits/connections.js';
import type { TokenBuckets } from '../limits/token-buckets.js';
import type { ConnectionMetrics } from '../metrics/metrics.js';
import type { RelayContext } from '../rooms/commands/context.js';
import { ReplicaMessages, type LiveConnection } from './replica-messages.js';
import { ClientConnection } from './client-connection.js';
import { HandshakeGate } from './handshake-gate.js';
import { Heartbeat } from './heartbeat.js';
import { addressOf } from './origin.js';
import { socketWire } from './socket-wire.js';
import type { ConnectionLog } from './wire.js';

/** Everything that the gateway is made of, by the wiring file. */
export interface GatewayParts {
  readonly relay: KeyPair;
  readonly config: RelayConfig;
  readonly context: RelayContext;
  readonly addresses: AddressCounter;
  readonly requestBuckets: TokenBuckets;
  readonly byteBuckets: TokenBuckets;
  readonly metrics: ConnectionMetrics;
  /** whether there are, or may be, other replicas */
  readonly shared: boolean;
  readonly log: ConnectionLog & { child(fields: object): ConnectionLog };
}
export const GATEWAY_PARTS = Symbol('GATEWAY_PARTS');

const CLOSE_MS = 5_000;
/** Of the grace, for clients to move in; the rest is for those who have not. */
const MOVING = 0.6;

@WebSocketGateway()
export class RelayGateway
  implements OnGatewayInit<Server>, OnGatewayConnection<Socket>, OnApplicationShutdown
{
  readonly #parts: GatewayParts;
  readonly #connections = new Map<string, ClientConnection>();
  readonly #gate: HandshakeGate;
  readonly #heartbeat: Heartbeat;
  readonly #live = new Map<string, LiveConnection>();
  /** called once the last connection is gone, where somebody waits for that */
  #emptied: (() => void) | null = null;
  #replicaMessages: ReplicaMessages | null = null;

  constructor(@Inject(GATEWAY_PARTS) parts: GatewayParts) {
    this.#parts = parts;
    this.#gate = new HandshakeGate({ most: parts.config.handshakeQueue, rest: 1 });
    this.#heartbeat = new Heartbeat(parts.config.heartbeatMs, this.#connections);
  }

  get connections(): number {
    return this.#connections.size;
  }

  get sessions(): number {
    return this.#count(({ established }) => (established ? 1 : 0));
  }

  get queuedBytes(): number {
    return this.#count(({ queuedBytes }) => queuedBytes);
  }

  /** rooms with a connection here */
  get rooms(): number {
    return new Set([...this.#connections.values()].flatMap(({ subscription }) => subscription?.roomId ?? []))
      .size;
  }

  /** Relays on the same store, this one included. */
  async replicas(): Promise<number> {
    return (await this.#replicaMessages?.replicas()) ?? 1;
  }

  #count(what: (connection: ClientConnection) => number): number {
    let sum = 0;
    for (const connection of this.#connections.values()) sum += what(connection);
    return sum;
  }

  afterInit(server: Server): void {
    if (this.#parts.shared) {
      this.#replicaMessages = new ReplicaMessages(server, {
        replace: (connectionId) => this.#connections.get(connectionId)?.close('REPLACED'),
      });
    }
    // Counted from the upgrade on: a socket that never joins holds its place until it is closed.
    server.engine.on('connection', (raw: Socket['conn']) => {
      const address = addressOf(raw.request, this.#parts.config.trustProxy);
      this.#parts.addresses.opened(address);
      raw.once('close', () => this.#parts.addresses.closed(address));
    });
  }

  handleConnection(socket: Socket): void {
    const { config, context, relay, requestBuckets, byteBuckets, metrics, log } = this.#parts;
    const connection: ClientConnection = new ClientConnection(
      socketWire(socket, addressOf(socket.request, config.trustProxy), () => connection.drained()),
      {
        relay,
        context,
        gate: this.#gate,
        requestBuckets,
        requestRate: config.requestRate,
        byteBuckets,
        byteRate: config.byteRate,
        queueBytes: config.queueBytes,
        handshakeMs: config.handshakeMs,
        heartbeatMs: config.heartbeatMs,
        closeMs: CLOSE_MS,
        metrics,
        onAnnounced: (roomId) => this.#onAnnounced(connection, roomId),
        log: log.child({ connection: socket.id }),
      },
    );
    this.#connections.set(socket.id, connection);
    socket.on(FRAME_EVENT, (frame: unknown) => connection.receive(frame));
    socket.once('disconnect', () => {
      this.#connections.delete(socket.id);
      if (this.#connections.size === 0) this.#emptied?.();
      const live = this.#live.get(socket.id);
      if (live !== undefined) this.#replicaMessages?.forget(live);
      this.#live.delete(socket.id);
      connection.over();
    });
  }

  #onAnnounced(connection: ClientConnection, roomId: RoomId): void {
    const { connectionId, memberId } = connection;
    const live = { roomId, memberId, connectionId, since: this.#parts.context.clock.now() };
    this.#live.set(connectionId, live);
    this.#replicaMessages?.announce(live);
  }

  /**
   * Tells everybody to move. Where another replica takes them, each is served until it has moved, at
   * a time of its own; otherwise they are closed now, and come back. Resolves once they are gone or
   * the grace, in milliseconds, is over.
   */
  async drain(graceMs: number): Promise<void> {
    const end = performance.now() + graceMs;
    if ((await this.replicas()) > 1) {
      const movingMs = Math.floor(graceMs * MOVING);
      for (const connection of this.#connections.values()) connection.move(movingMs);
      await this.#empty(end - (graceMs - movingMs) / 2);
    }
    for (const connection of this.#connections.values()) connection.close('TRY_AGAIN', graceMs);
    await this.#empty(end);
  }

  /** Until no connection is left, and no longer than `end` (milliseconds of performance.now). */
  async #empty(end: number): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, end - performance.now()));
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  onApplicationShutdown(): void {
    this.#heartbeat.end();
    for (const connection of this.#connections.values()) connection.over();
    this.#connections.clear();
  }
}
