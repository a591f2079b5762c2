/**
 * Serves the web client's build (docs/protocol.md section 3 has the relay serve no more than that: what the page
 * trusts is pinned in the vault). Ranges, conditional requests and HEAD are `send`'s; the choice of a compressed form
 * is `negotiator`'s; what is ours is which file a path means, and the headers that the page's safety rests on.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { contentType } from 'mime-types';
import Negotiator from 'negotiator';
import send from 'send';
import { BuildFiles, isCompressedForm, type BuildFile, type Form } from './build-files.js';
import { PERMISSIONS_POLICY } from './permissions.js';
import { isInviteLink, plainPathOf, rawPathOf } from './request-path.js';

const INDEX = '/index.html';
const CSP_FILE = '/csp.json';
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";
/** Names that carry a hash of what is in the file. */
const HASHED = /[-.][A-Za-z0-9_]{8,}\.[a-z0-9]+$/;

interface Policies {
  readonly document: string;
  readonly worker: string;
}

/** @types/negotiator is of a version before this option. */
interface PreferringNegotiator {
  encoding(available: readonly string[], options: { preferred: readonly string[] }): string | undefined;
}

/** Where a build lies; nothing in it is read before it is asked for. */
export class WebFiles {
  readonly #root: string;
  readonly #files: BuildFiles;

  /** `ignored` hears of each compressed file that is not the compression of its original. */
  constructor(root: string, ignored: (path: string, code: string) => void) {
    this.#root = resolve(root);
    this.#files = new BuildFiles(this.#root, ignored);
  }

  get built(): boolean {
    return existsSync(join(this.#root, INDEX));
  }

  /**
   * Answers what is a file of the build, or a page of the client. False: neither, and nothing has been sent. Rejects
   * with an error of `send`, which has the status, or of the system.
   */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const raw = rawPathOf(request);
    const path = plainPathOf(raw);
    const file = path === null || isHidden(path) ? null : await this.#files.find(path);
    if (path !== null && file !== null) await this.#send(request, response, path, file);
    else if (isInviteLink(raw) || (path !== null && extname(path) === '')) {
      const page = await this.#files.find(INDEX);
      if (page === null) notBuilt(request, response);
      else await this.#send(request, response, INDEX, page);
    } else return false;
    return true;
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    file: BuildFile,
  ): Promise<void> {
    const type = contentType(extname(path)) || 'application/octet-stream';
    const { encoding, path: sent } = formFor(request, file);
    const policy = this.#policyFor(path);
    response.setHeader('Content-Type', type);
    response.setHeader('Content-Security-Policy', policy);
    if (type.startsWith('text/html')) response.setHeader('Permissions-Policy', PERMISSIONS_POLICY);
    response.setHeader('Cache-Control', cacheControlOf(path, type));
    response.setHeader('ETag', etagOf(file, policy, encoding));
    response.setHeader('Vary', 'Accept-Encoding');
    if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
    // RFC 9110, 14.2: ranges are of GET alone.
    if (request.method === 'HEAD') delete request.headers.range;
    // No file has a time of change here, so that this condition is none (RFC 9110, 13.1.4).
    delete request.headers['if-unmodified-since'];
    await connectionOf(response);
    await new Promise<void>((ended, reject) => {
      response.once('close', ended);
      send(request, encodeURIComponent(basename(sent)), {
        root: dirname(sent),
        index: false,
        dotfiles: 'allow',
        cacheControl: false,
        lastModified: false,
      })
        .on('error', reject)
        .pipe(response);
    });
  }

  /** A worker has a policy of its own: the page may not compile WebAssembly, the worker must. */
  #policyFor(path: string): string {
    const extension = extname(path);
    if (extension === '.html') return this.#readPolicies().document;
    if (extension === '.js' && /worker/i.test(path)) return this.#readPolicies().worker;
    return NO_PAGE;
  }

  /**
   * Read each time: kept, a worker's policy would be that of the build before, while index.html names the new one.
   * Throws for a build without its policies: it is not to be served without them.
   */
  #readPolicies(): Policies {
    const value: unknown = JSON.parse(readFileSync(join(this.#root, CSP_FILE), 'utf8'));
    const { document, worker } = value as Partial<Record<keyof Policies, unknown>>;
    if (typeof document !== 'string' || typeof worker !== 'string')
      throw new Error('csp.json has no policies');
    return { document, worker };
  }
}

/**
 * Resolves once a response has the connection. One of pipelined requests gets it after those before it; until then no
 * file is opened for it, because a response without a connection never learns that the connection has ended.
 */
async function connectionOf(response: ServerResponse): Promise<void> {
  if (response.socket !== null) return;
  await new Promise<void>((given) => {
    response.once('socket', () => {
      given();
    });
  });
}

/** Read by the relay, and never sent as they are. */
const isHidden = (path: string): boolean => path === CSP_FILE || isCompressedForm(path);

/** Where the request refuses every form, it gets the file as it is, as if it had not asked (RFC 9110, 15.5.7). */
function formFor(request: IncomingMessage, { plain, compressed }: BuildFile): Form {
  const encodings = [...compressed, plain].map(({ encoding }) => encoding);
  const negotiator: PreferringNegotiator = new Negotiator(request);
  const chosen = negotiator.encoding(encodings, { preferred: encodings });
  return compressed.find(({ encoding }) => encoding === chosen) ?? plain;
}

/**
 * The page itself is never kept. What it runs is asked for again each time: a relay that once lies with `immutable`
 * would be believed for a year. Fonts and pictures run nothing, and their names carry their hash. Whoever is in between
 * and changes a file on its way (a proxy that minifies) makes it one that the page refuses: it is asked not to.
 */
function cacheControlOf(path: string, type: string): string {
  if (type.startsWith('text/html')) return 'no-store, no-transform';
  if (/^(font|image)\//.test(type) && HASHED.test(path))
    return 'public, max-age=31536000, immutable, no-transform';
  return 'no-cache, no-transform';
}

/**
 * Strong, and another one for each form. It covers the policy as well, or a browser would keep a worker under the
 * policy of before when only that has changed.
 */
function etagOf(file: BuildFile, policy: string, encoding: Form['encoding']): string {
  const tag = createHash('sha256').update(file.hash).update(policy).digest('base64url').slice(0, 22);
  return encoding === 'identity' ? `"${tag}"` : `"${tag}-${encoding}"`;
}

function notBuilt(request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = 503;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Security-Policy', NO_PAGE);
  response.setHeader('Permissions-Policy', PERMISSIONS_POLICY);
  response.end(
    request.method === 'HEAD'
      ? undefined
      : '<!doctype html><title>0FC</title><p>This relay runs, but the web client has not been built. Run <code>npm run build</code> and load this page again.',
  );
}
