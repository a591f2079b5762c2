/** Names and addresses of hosts, as they stand in a Host header, in an origin, and in the relay's settings. */
import { isIP } from 'node:net';

/** Without what could end the host early once it is put into a URL. */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^\s[\]:/?#@\\%]+)(:\d{1,5})?$/i;

/** URLs take more, `*` for one, which would be a name that nothing has. */
const NAME = /^(\[.+\]|[\w.-]+)$/;

/**
 * The host of `host` or `host:port` as browsers write it: lower case, punycode, an IPv6 address in brackets.
 * Null: it is none.
 */
export function hostNameOf(authority: string): string | null {
  if (!AUTHORITY.test(authority)) return null;
  const name = URL.parse(`http://${authority}`)?.hostname ?? '';
  return NAME.test(name) ? name : null;
}

/** A name that leads to the machine of whoever asks (RFC 6761, 6.3), or an address of it. */
export const isLoopback = (name: string): boolean =>
  name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);

/** An address is no name: nobody's DNS says where it leads. */
export const isAddress = (name: string): boolean => isIP(name.replace(/^\[|\]$/g, '')) !== 0;

/** Whether a server that listens on `host` (an address without brackets, or a name) is for its own machine alone. */
export function listensOnLoopback(host: string): boolean {
  const name = hostNameOf(host.includes(':') ? `[${host}]` : host);
  return name !== null && isLoopback(name);
}
