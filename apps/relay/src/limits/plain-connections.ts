/**
 * Connections that are plain HTTP, for as long as they are. All begin so, whoever they are of: where there are too
 * many, not the new one goes but the one that has been silent longest, and a flood of idle ones keeps nobody out.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

export function limitPlainConnections(server: Server, most: number): void {
  /** in the order of their last request, the longest silent first */
  const plain = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    plain.add(socket);
    socket.once('close', () => plain.delete(socket));
    if (plain.size <= most) return;
    for (const oldest of plain) {
      plain.delete(oldest);
      oldest.destroy();
      return;
    }
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    if (plain.delete(socket)) plain.add(socket);
  });
  // A websocket from here on, or closed: counted elsewhere.
  server.on('upgrade', ({ socket }: IncomingMessage) => plain.delete(socket));
}
