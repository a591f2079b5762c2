/** Socket.IO as this relay wants it: websocket only, no compression, one event, checked origins. */
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, ServerOptions } from 'socket.io';
import { LIMITS } from '@0fc/protocol';
import { relayParser } from '@0fc/protocol/socket-io';
import type { RelayConfig } from '../config/environment.js';
import type { AddressCounter } from '../limits/connections.js';
import { addressOf, originRefusal } from './origin.js';

/** A frame is one message of the websocket; this much for its Engine.IO packet. */
const SLACK_BYTES = 1_024;

export interface IoOptions {
  readonly config: RelayConfig;
  readonly addresses: AddressCounter;
  /** whether new connections are to go elsewhere */
  readonly draining: () => boolean;
  /** Answers what does not name this relay, sockets included; calls `next` for all else. */
  readonly hosts: (
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ) => void;
  /** hears of a page that is refused for its scheme alone */
  readonly schemeRefused: () => void;
  /** across replicas; null: this is the only process */
  readonly adapter: Parameters<Server['adapter']>[0] | null;
}

export class RelayIoAdapter extends IoAdapter {
  readonly #options: IoOptions;

  constructor(app: INestApplicationContext, options: IoOptions) {
    super(app);
    this.#options = options;
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const { config, addresses, draining, adapter, hosts, schemeRefused } = this.#options;
    const { allowedOrigins, trustProxy, handshakeMs } = config;
    const origins = { allowed: new Set(allowedOrigins), proxies: trustProxy };
    const server = super.createIOServer(port, {
      ...options,
      transports: ['websocket'],
      allowUpgrades: false,
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      maxHttpBufferSize: LIMITS.frameBytes + SLACK_BYTES,
      connectTimeout: handshakeMs,
      parser: relayParser,
      ...(adapter === null ? {} : { adapter }),
      allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
        const refusal = originRefusal(request, origins);
        if (refusal === 'SCHEME') schemeRefused();
        if (draining()) decide('draining', false);
        else if (refusal !== null) decide('origin', false);
        else if (addresses.isFull(addressOf(request, trustProxy))) decide('connections', false);
        else decide(null, true);
      },
    } as ServerOptions);
    // Before Engine.IO looks at a request or an upgrade, which it takes before any middleware of HTTP.
    server.engine.use(hosts);
    return server;
  }
}
