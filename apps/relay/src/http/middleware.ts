/** What every HTTP request passes before Nest: the headers of security, then the web client's files. */
import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemErrorCode } from '../config/errors.js';
import { isSecure } from '../gateway/origin.js';
import { answerErasure, tellsOfErasure } from './erasure.js';
import { answerServiceWorker, asksForServiceWorker } from './foreign-worker.js';
import { rawPathOf } from './request-path.js';
import type { WebFiles } from './web-files.js';

export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

const YEAR_SECONDS = 31_536_000;

/**
 * Helmet's headers on every answer, but for the policies of content and permissions, which differ by file (web-files.ts). HSTS only where
 * there is https. `proxies`: how many in front are trusted.
 */
export function securityHeaders(proxies: number): Middleware {
  const common = helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  return (request, response, next) => {
    if (isSecure(request, proxies)) {
      response.setHeader('Strict-Transport-Security', `max-age=${YEAR_SECONDS}`);
    }
    common(request, response, next);
  };
}

/** What the controller answers. */
const OWN = new Set(['/health/live', '/health/ready', '/config.json']);

/**
 * Answers everything that the controller does not. Nothing goes on to the framework behind it, which would put the path
 * into its answer, and a fault's text with it into the log: an invite link that was changed on its way has its token in
 * the path (docs/protocol.md G15).
 *
 * `web` null: no page is served. `failed` hears the system's code and no more.
 */
export function serveWebClient(web: WebFiles | null, failed: (code: string) => void): Middleware {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      if (!isRead(request) || (await web?.serve(request, response)) !== true) refuse(response, 404);
    } catch (error) {
      const status = statusOf(error);
      if (status >= 500) failed(systemErrorCode(error));
      refuse(response, status);
    }
  };
  return (request, response, next) => {
    if (isRead(request) && asksForServiceWorker(request)) answerServiceWorker(request, response);
    else if (tellsOfErasure(request)) answerErasure(request, response);
    else if (isRead(request) && OWN.has(rawPathOf(request))) next();
    else void answer(request, response);
  };
}

const isRead = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

/** Ends the answer with a status and nothing else. One that has begun is cut short, which its reader notices. */
function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of ['Content-Type', 'Content-Encoding', 'ETag']) response.removeHeader(name);
  response.writeHead(status, { 'Cache-Control': 'no-store', 'Content-Length': 0 }).end();
}

/** Errors of `send` have a status: 412 and 416 answer conditions and ranges that do not hold, 404 a file that went. */
function statusOf(error: unknown): number {
  const status: unknown =
    typeof error === 'object' && error !== null && 'status' in error ? error.status : 500;
  return typeof status === 'number' ? status : 500;
}
