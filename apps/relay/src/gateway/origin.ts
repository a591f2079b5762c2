/** Who may open a socket from a browser, and where a connection comes from. */
import type { IncomingMessage } from 'node:http';

export interface OriginRules {
  /** whole origins that the operator named */
  readonly allowed: ReadonlySet<string>;
  /** trusted proxies in front, whose word on https counts */
  readonly proxies: number;
}

/** SCHEME: a page of the same host by http where the relay is reached by https, or the other way round. */
export type OriginRefusal = 'ORIGIN' | 'SCHEME';

/**
 * Null: a page of this relay's own origin, scheme, host and port, or of one that the operator named. What sends no
 * Origin is no browser, and could send any.
 */
export function originRefusal(request: IncomingMessage, rules: OriginRules): OriginRefusal | null {
  const { origin, host = '' } = request.headers;
  if (origin === undefined || rules.allowed.has(origin)) return null;
  const [own, other] = isSecure(request, rules.proxies) ? ['https', 'http'] : ['http', 'https'];
  if (origin === originOf(own, host)) return null;
  return origin === originOf(other, host) ? 'SCHEME' : 'ORIGIN';
}

/** As browsers write it, without the scheme's own port. Null: there is no such host. */
const originOf = (scheme = '', host: string): string | null =>
  URL.parse(`${scheme}://${host}`)?.origin ?? null;

/**
 * The peer's address: behind `proxies` trusted proxies the one that the outermost of them saw.
 * An IPv6 address stands for its /64, which one customer usually has whole.
 */
export function addressOf(request: IncomingMessage, proxies: number): string {
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const seen = proxies > 0 ? forwarded.at(-proxies) : undefined;
  const address = seen ?? request.socket.remoteAddress ?? 'unknown';
  const plain = withoutPort(address).replace(/^::ffff:(?=\d+\.)/i, '');
  return plain.includes(':') ? networkOf(plain) : plain;
}

/** Some proxies name the port too, which differs by connection: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  const bare = address.replace(/^"(.*)"$/, '$1');
  return /^\[([^\]]*)\]/.exec(bare)?.[1] ?? bare.replace(/^([\d.]+):\d+$/, '$1');
}

function networkOf(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':').toLowerCase();
}

/** Whether the browser's side of the connection is https. */
export function isSecure(request: IncomingMessage, proxies: number): boolean {
  if ('encrypted' in request.socket && request.socket.encrypted === true) return true;
  if (proxies === 0) return false;
  const forwarded = request.headers['x-forwarded-proto'];
  const scheme = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim().toLowerCase();
  // Traefik names the scheme of a websocket.
  return scheme === 'https' || scheme === 'wss';
}
