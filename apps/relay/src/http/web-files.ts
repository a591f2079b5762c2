/**
 * The web client's build and its headers (docs/protocol.md section 3 has the relay serve no
 * more than that: what the page trusts is pinned in the vault).
 */
import { createReadStream, readFileSync, statSync, type Stats } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { systemErrorCode } from '../config/errors.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.woff2': 'font/woff2',
};

/** Names that carry a hash of what is in the file: they may be kept for ever. */
const HASHED = /[-.][A-Za-z0-9_]{8,}\.[a-z0-9]+$/;
const CSP_FILE = 'csp.json';
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

interface Policies {
  readonly document: string;
  readonly worker: string;
}

/** Where a build lies; nothing in it is read before it is asked for. */
export class WebFiles {
  readonly #root: string;
  #policies: Policies | null = null;

  constructor(root: string) {
    this.#root = root;
  }

  get built(): boolean {
    return this.#find('/index.html') !== null;
  }

  /** Answers what is a file of the build, or a page of the client. False: neither. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const raw = rawPathOf(request);
    const path = plainPathOf(raw);
    if (path === `/${CSP_FILE}`) return false;
    const file = path === null ? null : this.#find(path);
    if (path !== null && file !== null) this.#send(request, response, path, file);
    else if (isJoin(raw) || (path !== null && extname(path) === '')) this.#page(request, response);
    else return false;
    return true;
  }

  #page(request: IncomingMessage, response: ServerResponse): void {
    const index = this.#find('/index.html');
    if (index !== null) this.#send(request, response, '/index.html', index);
    else notBuilt(request, response);
  }

  #find(path: string): { readonly path: string; readonly stats: Stats } | null {
    const file = join(this.#root, path === '/' ? 'index.html' : path);
    if (!file.startsWith(this.#root + sep)) return null;
    const stats = statOf(file);
    return stats?.isFile() === true ? { path: file, stats } : null;
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    file: { readonly path: string; readonly stats: Stats },
  ): void {
    const extension = extname(file.path);
    const immutable = extension !== '.html' && HASHED.test(path);
    response.setHeader('Content-Type', TYPES[extension] ?? 'application/octet-stream');
    response.setHeader('Content-Length', file.stats.size);
    response.setHeader('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-store');
    response.setHeader('Content-Security-Policy', this.#policyFor(path, extension));
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    pipeline(createReadStream(file.path), response, (error) => {
      // A browser that went away, or a file that did: the response is cut short, which it shows.
      if (error) response.destroy();
    });
  }

  /** A worker has a policy of its own: the page may not compile WebAssembly, the worker must. */
  #policyFor(path: string, extension: string): string {
    if (extension === '.html' || path === '/') return this.#read().document;
    if (extension === '.js' && /worker/i.test(path)) return this.#read().worker;
    return NO_PAGE;
  }

  #read(): Policies {
    this.#policies ??= readPolicies(join(this.#root, CSP_FILE));
    return this.#policies;
  }
}

/** Throws for a build without its policies: it is not to be served without them. */
function readPolicies(path: string): Policies {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const { document, worker } = value as Partial<Record<keyof Policies, unknown>>;
  if (typeof document !== 'string' || typeof worker !== 'string') throw new Error('csp.json has no policies');
  return { document, worker };
}

/** Longer than any of ours, and than the name of a file may be. */
const MOST_LETTERS = 255;

/** Null: there is no such file, nor can there be one. */
function statOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemErrorCode(error))) return null;
    throw error;
  }
}

const rawPathOf = (request: IncomingMessage): string => (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';

/**
 * An invite link whatever has been done to it on its way: another case, its # encoded, something behind it. The page
 * says so; not found would leave its reader with nothing.
 */
const isJoin = (raw: string): boolean =>
  /^\/+join/i.test(
    raw
      .slice(0, MOST_LETTERS)
      .replace(/%([2-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
  );

/** Decoded once; null for what is no plain path. */
function plainPathOf(raw: string): string | null {
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

function notBuilt(request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = 503;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Security-Policy', NO_PAGE);
  response.end(
    request.method === 'HEAD'
      ? undefined
      : '<!doctype html><title>0FC</title><p>This relay runs, but the web client has not been built. Run <code>npm run build</code> and load this page again.',
  );
}
