/**
 * The page hosted apart from its relay, as docs/operations.md has it: the build's files with csp.json's policies,
 * and /socket.io/ and /config.json passed on, from one origin.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  createServer,
  request as ask,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { answerServiceWorker, asksForServiceWorker } from '../../apps/relay/src/http/foreign-worker.js';
import { PERMISSIONS_POLICY } from '../../apps/relay/src/http/permissions.js';

const BUILD = join(import.meta.dirname, '../../apps/web/dist/browser');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** However its letters are spelt. */
const JOIN = /^\/(j|%[46]a)(o|%[46]f)(i|%[46]9)(n|%[46]e)/i;

interface Policies {
  readonly document: string;
  readonly worker: string;
}

export class Front {
  readonly url: string;
  readonly #relay: URL;
  readonly #http: Server;
  readonly #policies = JSON.parse(readFileSync(join(BUILD, 'csp.json'), 'utf8')) as Policies;
  readonly #sockets = new Set<Socket>();

  private constructor(http: Server, port: number, relay: string) {
    this.#http = http;
    this.#relay = new URL(relay);
    this.url = `http://localhost:${String(port)}`;
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (asksForServiceWorker(request)) answerServiceWorker(request, response);
      else if (request.url === '/config.json') this.#passOn(request, response);
      else void this.#file(request, response);
    });
    http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#tunnel(request, socket, head);
    });
  }

  /** @param relay base URL of the relay behind it */
  static async start(relay: string): Promise<Front> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Front(http, address.port, relay);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #passOn(request: IncomingMessage, response: ServerResponse): void {
    const { hostname, port } = this.#relay;
    const onward = ask({ hostname, port, path: request.url, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    onward.end();
  }

  #tunnel(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const onward = connect(Number(this.#relay.port), this.#relay.hostname);
    const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2)
      lines.push(`${String(request.rawHeaders[at])}: ${String(request.rawHeaders[at + 1])}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.#sockets.delete(end);
        other.destroy();
      });
    }
  }

  async #file(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(new URL(request.url ?? '/', this.url).pathname);
    const isPage = extname(path) === '' || JOIN.test(path);
    const name = isPage ? '/index.html' : path;
    const body = name === '/csp.json' ? null : await readFile(join(BUILD, name)).catch(() => null);
    const type = TYPES[extname(name)];
    if (body === null || type === undefined) {
      response.writeHead(404, { 'x-content-type-options': 'nosniff' }).end();
      return;
    }
    const policy = name.startsWith('/worker-') ? this.#policies.worker : this.#policies.document;
    response.writeHead(200, {
      'content-type': type,
      'content-security-policy': policy,
      'cache-control': `${name === '/index.html' ? 'no-store' : 'no-cache'}, no-transform`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      ...(isPage ? { 'permissions-policy': PERMISSIONS_POLICY } : {}),
    });
    response.end(body);
  }
}
