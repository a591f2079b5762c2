/** What the path of a request asks for. Nothing here reads a file. */
import type { IncomingMessage } from 'node:http';

/** Longer than any of ours, and than the name of a file may be. */
const MOST_LETTERS = 255;

/** Of a target in absolute form, which some proxies send, and which every server takes (RFC 9112, 3.2.2). */
const AUTHORITY = /^https?:\/\/[^/?#]*/i;

/** As it came, without scheme and host, query and fragment. */
export function rawPathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').replace(AUTHORITY, '').split(/[?#]/, 1);
  return path === '' ? '/' : path;
}

/**
 * Whether it is an invite link, whatever has been done to it on its way: another case, its # encoded, something behind
 * it. The page explains that to its reader; a 404 would leave them with nothing.
 */
export const isInviteLink = (raw: string): boolean =>
  /^\/+join/i.test(
    raw
      .slice(0, MOST_LETTERS)
      .replace(/%([2-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
  );

/**
 * The path decoded once. Null for one that no file of the build can have: dot segments and hidden files, backslashes,
 * NUL, empty segments, malformed escapes, too many letters.
 */
export function plainPathOf(raw: string): string | null {
  if (raw.length > MOST_LETTERS) return null;
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
  const plain = path.startsWith('/') && !/[\0\\]|\/\.|\/\//.test(path);
  return plain ? path : null;
}
