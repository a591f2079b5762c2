/** Headers of every answer. */
import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isSecure } from '../gateway/origin.js';

type Next = (error?: unknown) => void;

const YEAR_SECONDS = 31_536_000;

/** The camera scans invite links and safety numbers; nothing else is asked of the device. */
const PERMISSIONS = [
  'camera=(self)', 'microphone=()', 'geolocation=()', 'payment=()', 'usb=()', 'serial=()', 'midi=()',
  'display-capture=()', 'browsing-topics=()',
].join(', '); // prettier-ignore

/** Helmet's headers but the policy, which differs by file; HSTS only where there is https. */
export function securityHeaders(
  proxies: number,
): (request: IncomingMessage, response: ServerResponse, next: Next) => void {
  const common = helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  return (request, response, next) => {
    response.setHeader('Permissions-Policy', PERMISSIONS);
    if (isSecure(request, proxies)) {
      response.setHeader('Strict-Transport-Security', `max-age=${YEAR_SECONDS}`);
    }
    common(request, response, next);
  };
}
