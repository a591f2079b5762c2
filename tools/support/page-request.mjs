/** One request for a file of a page, with the headers that are to be sent and no other. */
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

const ATTEMPT_MS = 30_000;
/** As many at once as a browser makes of one host. */
const AT_ONCE = 6;
const agents = {
  'http:': new PlainAgent({ keepAlive: true, maxSockets: AT_ONCE }),
  'https:': new SecureAgent({ keepAlive: true, maxSockets: AT_ONCE }),
};
const DECODERS = {
  gzip: promisify(zlib.gunzip),
  br: promisify(zlib.brotliDecompress),
  deflate: promisify(zlib.inflate),
  // Node has it from 22.15 on.
  ...(zlib.zstdDecompress === undefined ? {} : { zstd: promisify(zlib.zstdDecompress) }),
};
/** What can be decompressed here, as a browser asks for it. */
export const DECODED = ['gzip', 'deflate', 'br', ...('zstd' in DECODERS ? ['zstd'] : [])];

/**
 * @param {URL} url
 * @param {Readonly<Record<string, string>>} headers
 * @returns {Promise<{ status: number, headers: Headers, data: Uint8Array | null }>} `data`: decompressed; null where
 *   it is not what its Content-Encoding says. Redirections are not followed.
 */
export async function ask(url, headers) {
  const secure = url.protocol === 'https:';
  const request = (secure ? secureRequest : plainRequest)(url, {
    agent: agents[url.protocol],
    headers,
    signal: AbortSignal.timeout(ATTEMPT_MS),
  });
  const response = await new Promise((resolve, reject) => {
    request.on('response', resolve).on('error', reject).end();
  });
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const given = new Headers();
  for (let at = 0; at < response.rawHeaders.length; at += 2)
    given.append(response.rawHeaders[at], response.rawHeaders[at + 1]);
  const data = await decoded(Buffer.concat(chunks), given.get('content-encoding'));
  return { status: response.statusCode, headers: given, data };
}

/** @param {Buffer} bytes @param {string | null} encoding */
async function decoded(bytes, encoding) {
  if (encoding === null || encoding === 'identity') return bytes;
  const decode = DECODERS[encoding.toLowerCase()];
  if (decode === undefined) return null;
  try {
    return await decode(bytes);
  } catch (error) {
    // What zlib says of bytes that are none of its own; anything else is a fault here.
    if (/^(Z_|ERR_|ZSTD_)/.test(error?.code ?? '')) return null;
    throw error;
  }
}

/** Of connections that are kept for later requests. */
export function closeConnections() {
  for (const agent of Object.values(agents)) agent.destroy();
}
