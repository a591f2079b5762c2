/** The socket port over a Socket.IO client: one opaque binary event, websocket only (docs/protocol.md section 3). */
import { FRAME_EVENT, type Bytes } from '@0fc/protocol';
import { clientParser } from '@0fc/protocol/socket-io';
import type { SocketPort } from '../contract/ports.js';
import { HELLO_TIMEOUT_MS } from './link-session.js';

/** What is used of a Socket.IO client's socket. */
export interface IoSocket {
  on(event: string, listener: (argument: unknown) => void): unknown;
  emit(event: string, data: Bytes): unknown;
  disconnect(): unknown;
}

export interface IoOptions {
  readonly path: string;
  readonly transports: string[];
  readonly reconnection: boolean;
  readonly forceNew: boolean;
  readonly timeout: number;
  readonly parser: unknown;
}

/** The port over `io` of socket.io-client, which node/ and browser/ import for themselves. */
export const socketIoPort = (io: (origin: string, options: IoOptions) => IoSocket): SocketPort => ({
  connect(url, events) {
    const { origin, pathname } = new URL(url);
    // A path given to `io` would be taken for a namespace: it belongs in front of Socket.IO's own.
    const socket = io(origin, {
      path: `${pathname.replace(/\/+$/, '')}/socket.io`,
      transports: ['websocket'],
      // When to come back is the connection's decision: each time with a new session.
      reconnection: false,
      forceNew: true,
      // The session’s own is never longer.
      timeout: HELLO_TIMEOUT_MS,
      parser: clientParser,
    });
    let closed = false;
    const close = (reason: string): void => {
      if (closed) return;
      closed = true;
      socket.disconnect();
      events.closed(reason);
    };
    socket.on('connect', () => {
      if (!closed) events.open();
    });
    socket.on(FRAME_EVENT, (data) => {
      if (!closed) events.frame(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
    });
    socket.on('connect_error', () => close('unreachable'));
    socket.on('disconnect', (reason) => close(typeof reason === 'string' ? reason : 'closed'));
    return {
      send(data) {
        if (!closed) socket.emit(FRAME_EVENT, data);
      },
      close: () => close('closed here'),
    };
  },
});
