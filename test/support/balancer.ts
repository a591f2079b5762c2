/** One address in front of several relays, as a load balancer is: connections by turns, the dead passed over. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Balancer {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ports: readonly number[];
  #next = 0;

  private constructor(server: Server, port: number, ports: readonly number[]) {
    this.#server = server;
    this.#ports = ports;
    this.url = `http://localhost:${String(port)}`;
    server.on('connection', (socket) => {
      this.#take(socket);
    });
  }

  static async start(ports: readonly number[]): Promise<Balancer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Balancer(server, address.port, ports);
  }

  /** From now on connections go to these. */
  use(ports: readonly number[]): void {
    this.#ports = ports;
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    this.#try(socket, this.#ports.length);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A connection that breaks is what these tests are about: both sides hear of it by its end.
    socket.on('error', () => socket.destroy());
  }

  #try(socket: Socket, left: number): void {
    const port = this.#ports[this.#next++ % this.#ports.length];
    if (left === 0 || port === undefined) {
      socket.destroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    this.#keep(upstream);
    const refused = (): void => {
      this.#try(socket, left - 1);
    };
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      upstream.on('close', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
      socket.pipe(upstream).pipe(socket);
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
