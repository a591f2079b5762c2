/** How many connections there are: plain ones and those of clients, by their address and all of them. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections that are plain HTTP, for as long as they are. All begin so, whoever they are of: where there are too
 * many, not the new one goes but the one that has been silent longest, and a flood of idle ones keeps nobody out.
 */
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

/** Connections, by their address and all of them. */
export interface ConnectionLimits {
  readonly perAddress: number;
  readonly all: number;
}

export class AddressCounter {
  readonly #limits: ConnectionLimits;
  readonly #counts = new Map<string, number>();
  #all = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Whether one more from there is too many. */
  isFull(address: string): boolean {
    return this.#all >= this.#limits.all || (this.#counts.get(address) ?? 0) >= this.#limits.perAddress;
  }

  opened(address: string): void {
    this.#all++;
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  closed(address: string): void {
    this.#all--;
    const left = (this.#counts.get(address) ?? 0) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }
}
