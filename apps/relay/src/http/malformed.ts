/**
 * What Node's parser cannot read as a request. Cookies have no port: what other servers of one machine set reaches this
 * one too, and may make every request of a browser larger than the parser takes (16 KiB), for good. Such a request is
 * answered with `Clear-Site-Data: "cookies"` (docs/decisions/0038-who-may-speak-to-the-relay.md).
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Letters of a request that are kept: what the parser takes, and the last packet. Any page can have a browser send a long request line, a long
 * list of headers to a preflight, or a long list of protocols for a websocket, and none of these may clear anything.
 */
const MOST_KEPT = 20_480;
/** A Cookie line that alone is most of what is too large. No page writes one for another site. */
const LONG_COOKIES = /^(?:GET|HEAD) \S{1,2048} HTTP\/1\.\d\r\n(?:.*\r\n)*?cookie: .{8192}/i;

const TEXT = [
  '<!doctype html><meta charset="utf-8"><title>0FC</title>',
  '<p>This browser sent more cookies than fit into a request. This relay sets none: others under its name did.',
  'It has asked the browser to delete them. Load this page again.</p>\n',
].join('\n');

const head = (status: string, ...lines: readonly string[]): string =>
  [`HTTP/1.1 ${status}`, 'Connection: close', 'Cache-Control: no-store', ...lines, '', ''].join('\r\n');

const COOKIES_TOO_LARGE =
  head(
    '431 Request Header Fields Too Large',
    'Clear-Site-Data: "cookies"',
    'Content-Type: text/html; charset=utf-8',
    `Content-Length: ${String(Buffer.byteLength(TEXT))}`,
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options: nosniff',
  ) + TEXT;

/** As Node answers where nobody listens. */
const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** The beginning of the request that a connection is reading: the parser forgets it, and it may come in pieces. */
class RequestStart {
  #text = '';
  #known = true;

  add(piece: Buffer): void {
    if (this.#text.length < MOST_KEPT) {
      this.#text += piece.subarray(0, MOST_KEPT - this.#text.length).toString('latin1');
    }
  }

  /** A request is read. What comes next begins another one, but behind a body, which could look like a request. */
  next({ headers }: IncomingMessage): void {
    this.#text = '';
    if ('content-length' in headers || 'transfer-encoding' in headers) this.#known = false;
  }

  /** Whether its beginning is known, and it is cookies that make the request too large. */
  get hasLongCookies(): boolean {
    return this.#known && LONG_COOKIES.test(this.#text);
  }
}

/** How long what a peer still sends is read and thrown away: closed at once, it might not get to read its answer. */
const LINGER_MS = 2_000;

/** Answers in the place of Node, which would send a status and nothing else. */
export function answerMalformed(server: Server): void {
  const starts = new WeakMap<
    Duplex,
    { readonly start: RequestStart; readonly read: (piece: Buffer) => void }
  >();
  const answered = new WeakSet<Duplex>();
  server.on('connection', (socket: Socket) => {
    const start = new RequestStart();
    const read = (piece: Buffer): void => start.add(piece);
    starts.set(socket, { start, read });
    // Before the parser, which ends a request while it reads.
    socket.prependListener('data', read);
  });
  server.on('request', (request: IncomingMessage) => starts.get(request.socket)?.start.next(request));
  server.on('upgrade', ({ socket }: IncomingMessage) => {
    const known = starts.get(socket);
    if (known !== undefined) socket.off('data', known.read);
  });
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    // What comes after is malformed as well.
    if (answered.has(socket)) return;
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    answered.add(socket);
    const { code = '' } = error;
    const cookies = code === 'HPE_HEADER_OVERFLOW' && starts.get(socket)?.start.hasLongCookies === true;
    socket.end(cookies ? COOKIES_TOO_LARGE : head(STATUS[code] ?? '400 Bad Request', 'Content-Length: 0'));
    const late = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(late));
  });
}
