/** GET /metrics on a port of its own, which is for whoever watches the relay and not for its clients. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Registry } from 'prom-client';

export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with Node's error where it cannot listen. Port 0: any free one. */
  static async listen(
    registry: Registry,
    at: {
      readonly port: number;
      readonly host: string;
      /** false: a request names a host that is not this one, and gets 421 */
      readonly answers: (request: IncomingMessage) => boolean;
    },
    failed: (error: unknown) => void,
  ): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      if (!at.answers(request)) {
        response.writeHead(421).end();
        return;
      }
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        (error: unknown) => {
          failed(error);
          response.writeHead(500).end();
        },
      );
    });
    server.listen(at.port, at.host);
    await once(server, 'listening');
    return new MetricsServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
