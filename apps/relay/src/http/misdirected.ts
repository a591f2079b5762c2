/** Answers 421 (RFC 9110, 15.5.20) to whatever names another host than this relay's. */
import { ServerResponse } from 'node:http';
import type { AllowedHosts } from '../gateway/hosts.js';
import type { Middleware } from './middleware.js';
import { rawPathOf } from './request-path.js';

/** Asked of each replica by its address, which is none of the relay's names. */
const PROBES = new Set(['/health/live', '/health/ready']);
/** For the person who typed an address that the operator has not named. Nothing of the request is in it. */
const TEXT = 'This relay does not answer under this name. Its operator names it in PUBLIC_HOST.\n';
const HEADERS = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-Length': String(TEXT.length),
  'Cache-Control': 'no-store',
  Connection: 'close',
};
const ON_SOCKET = [
  'HTTP/1.1 421 Misdirected Request',
  ...Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`),
  '',
  TEXT,
].join('\r\n');

/** For Express and for Engine.IO, whose upgrades come without a response. `refused` hears that one was. */
export function refuseMisdirected(hosts: AllowedHosts, refused: () => void): Middleware {
  return (request, response, next) => {
    const probe = PROBES.has(rawPathOf(request));
    if (probe ? hosts.answerProbe(request) : hosts.answer(request)) {
      next();
      return;
    }
    refused();
    if (response instanceof ServerResponse) {
      response.writeHead(421, HEADERS).end(request.method === 'HEAD' ? undefined : TEXT);
      return;
    }
    // A peer that has gone is no fault of ours.
    request.socket.on('error', () => undefined);
    request.socket.write(ON_SOCKET);
    request.socket.destroySoon();
  };
}
