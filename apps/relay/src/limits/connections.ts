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

/** Connections of clients, by their address and all of them. */
export interface ConnectionLimits {
  /** no address has more, however much is free */
  readonly perAddress: number;
  readonly all: number;
}

/** What an address may have while any place is free at all, unless `perAddress` is less. */
const RESERVED_PER_ADDRESS = 256;
/** Of the places that are free. */
const SHARE_OF_FREE = 1 / 4;

/**
 * How many connections an address may have: a school behind one address needs thousands, and no address is to take them all. As
 * a switch shares its memory among the queues of its ports (A. K. Choudhury, E. L. Hahne: Dynamic queue length thresholds for
 * shared-memory packet switches. IEEE/ACM Transactions on Networking 6(2), 1998, pages 130–140), the threshold is a share of
 * what is free:
 *
 *     threshold = min(perAddress, max(256, (all - open) / 4))
 *
 * Where k addresses want as many as they can get, each ends at x = (all - k x) / 4, so x = all / (4 + k): one alone at a fifth
 * of all, or at 256 where that is more.
 */
export class AddressCounter {
  readonly #limits: ConnectionLimits;
  readonly #counts = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Whether one more from there is too many. */
  isFull(address: string): boolean {
    const { all, perAddress } = this.#limits;
    const free = all - this.#open;
    const threshold = Math.min(perAddress, Math.max(RESERVED_PER_ADDRESS, free * SHARE_OF_FREE));
    return free <= 0 || (this.#counts.get(address) ?? 0) >= threshold;
  }

  opened(address: string): void {
    this.#open++;
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  closed(address: string): void {
    this.#open--;
    const left = (this.#counts.get(address) ?? 0) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }
}
