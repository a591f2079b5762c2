/** Socket.IO as this relay wants it: websocket only, no compression, one event, checked origins. */
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { IncomingMessage } from 'node:http';
import type { Server, ServerOptions } from 'socket.io';
import { LIMITS } from '@0fc/protocol';
import type { RelayConfig } from '../config.js';
import type { AddressCounter } from '../limits/address-counter.js';
import { addressOf, originAllowed } from './origin.js';
import { strictParser } from './strict-parser.js';

/** A frame is one message of the websocket; this much for its Engine.IO packet. */
const SLACK_BYTES = 1_024;

export class RelayIoAdapter extends IoAdapter {
  readonly #config: RelayConfig;
  readonly #addresses: AddressCounter;

  constructor(app: INestApplicationContext, config: RelayConfig, addresses: AddressCounter) {
    super(app);
    this.#config = config;
    this.#addresses = addresses;
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const { allowedOrigins, trustProxy, handshakeMs } = this.#config;
    const origins = new Set(allowedOrigins);
    return super.createIOServer(port, {
      ...options,
      transports: ['websocket'],
      allowUpgrades: false,
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      maxHttpBufferSize: LIMITS.frameBytes + SLACK_BYTES,
      connectTimeout: handshakeMs,
      parser: strictParser,
      allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
        if (!originAllowed(request, origins)) decide('origin', false);
        else if (this.#addresses.isFull(addressOf(request, trustProxy))) decide('connections', false);
        else decide(null, true);
      },
    } as ServerOptions);
  }
}
