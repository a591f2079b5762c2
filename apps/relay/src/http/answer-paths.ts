/**
 * Everything that is asked for over HTTP and is not the relay's own ends here: the framework behind it would put
 * the path into its answer, and a fault's text with it into the log. An invite link that was changed on its way has
 * its token in the path (docs/protocol.md G15).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemErrorCode } from '../config/errors.js';
import type { WebFiles } from './web-files.js';

const OWN = new Set(['/health/live', '/health/ready', '/config.json']);

/** `failed` is told the system's code and no more. `web` null: no page is served. */
export function answerPaths(web: WebFiles | null, failed: (code: string) => void) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (reads && OWN.has((request.url ?? '/').split('?', 1)[0] ?? '/')) {
      next();
      return;
    }
    try {
      if (reads && web?.serve(request, response) === true) return;
      response.writeHead(404, { 'Cache-Control': 'no-store' }).end();
    } catch (error) {
      failed(systemErrorCode(error));
      response.writeHead(500, { 'Cache-Control': 'no-store' }).end();
    }
  };
}
