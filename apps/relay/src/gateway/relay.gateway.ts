/**
 * The Socket.IO edge: every frame comes and goes as the one opaque binary event
 * (docs/protocol.md section 3). Frames are taken from the socket itself and not by
 * @SubscribeMessage: Nest would run each through asynchronous guards and pipes, and frames
 * of a session must be taken in order.
 */
import { Inject, type OnApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { FRAME_EVENT } from '@0fc/protocol';
import type { KeyPair } from '@0fc/crypto/link';
import type { RelayConfig } from '../config.js';
import type { AddressCounter } from '../limits/address-counter.js';
import type { Buckets } from '../limits/buckets.js';
import type { RelayContext } from '../rooms/context.js';
import { Connection, type ConnectionLog, type Wire } from './connection.js';
import { HandshakeGate } from './handshake-gate.js';
import { addressOf } from './origin.js';

/** Everything that the gateway is made of, by the wiring file. */
export interface GatewayParts {
  readonly relay: KeyPair;
  readonly config: RelayConfig;
  readonly context: RelayContext;
  readonly addresses: AddressCounter;
  readonly buckets: Buckets;
  readonly log: ConnectionLog & { child(fields: object): ConnectionLog };
}
export const GATEWAY_PARTS = Symbol('GATEWAY_PARTS');

const CLOSE_MS = 5_000;

@WebSocketGateway()
export class RelayGateway
  implements OnGatewayInit<Server>, OnGatewayConnection<Socket>, OnApplicationShutdown
{
  readonly #parts: GatewayParts;
  readonly #connections = new Map<string, Connection>();
  readonly #gate: HandshakeGate;

  constructor(@Inject(GATEWAY_PARTS) parts: GatewayParts) {
    this.#parts = parts;
    this.#gate = new HandshakeGate({ most: parts.config.handshakeQueue, rest: 1 });
  }

  get connections(): number {
    return this.#connections.size;
  }

  afterInit(server: Server): void {
    // Counted from the upgrade on: a socket that never joins holds its place until it is closed.
    server.engine.on('connection', (raw: Socket['conn']) => {
      const address = addressOf(raw.request, this.#parts.config.trustProxy);
      this.#parts.addresses.add(address);
      raw.once('close', () => this.#parts.addresses.remove(address));
    });
  }

  handleConnection(socket: Socket): void {
    const { config, context, relay, buckets, log } = this.#parts;
    const connection = new Connection(wireOf(socket, addressOf(socket.request, config.trustProxy)), {
      relay,
      context,
      gate: this.#gate,
      buckets,
      requests: config.requestRate,
      queueBytes: config.queueBytes,
      handshakeMs: config.handshakeMs,
      closeMs: CLOSE_MS,
      log: log.child({ connection: socket.id }),
    });
    this.#connections.set(socket.id, connection);
    socket.on(FRAME_EVENT, (frame: unknown) => connection.receive(frame));
    socket.conn.transport.on('ready', () => connection.drained());
    socket.once('disconnect', () => {
      this.#connections.delete(socket.id);
      connection.over();
    });
  }

  /** Tells everybody to move, and waits until they have been told or the grace is over. */
  async drain(graceMs: number): Promise<void> {
    for (const connection of this.#connections.values()) connection.close('TRY_AGAIN', graceMs);
    const end = performance.now() + graceMs;
    while (this.#connections.size > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  onApplicationShutdown(): void {
    for (const connection of this.#connections.values()) connection.over();
    this.#connections.clear();
  }
}

function wireOf(socket: Socket, address: string): Wire {
  return {
    id: socket.id,
    address,
    send: (frame) => {
      socket.emit(FRAME_EVENT, Buffer.from(frame.buffer, frame.byteOffset, frame.length));
    },
    idle: () => socket.conn.transport.writable,
    close: () => {
      socket.disconnect(true);
    },
    destroy: () => {
      socket.request.socket.destroy();
    },
  };
}
