/**
 * A device was erased: its browser is to drop what it has stored of this origin. The keys are destroyed by then
 * (docs/decisions/0041); what is left are names of stores, ids, sizes and settings.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { rawPathOf } from './request-path.js';

const PATH = '/erased';

export const tellsOfErasure = (request: IncomingMessage): boolean =>
  request.method === 'POST' && rawPathOf(request) === PATH;

/** 204 with Clear-Site-Data for the page itself, 403 for any other: a foreign page must not erase anybody. */
export function answerErasure(request: IncomingMessage, response: ServerResponse): void {
  // Set by the browser, and by no page.
  const isOwn = request.headers['sec-fetch-site'] === 'same-origin';
  response.writeHead(isOwn ? 204 : 403, {
    'Cache-Control': 'no-store',
    ...(isOwn ? { 'Clear-Site-Data': '"storage"' } : { 'Content-Length': 0 }),
  });
  response.end();
}
