/** What differs between a page as somebody serves it and a build. Nothing that is served is run. */
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

import { BUILD_FILE, POLICY_FILE, readBuild, sha256 } from './web-files.mjs';

/** Pages of the client: whoever serves it answers all of them with index.html. */
const PAGES = ['', 'join', 'settings', 'room/AAAAAAAAAAAAAAAAAAAAAA'];
/** Where a script that outlives the page would lie. The client has none. */
const WORKERS = ['sw.js', 'service-worker.js', 'ngsw-worker.js', 'safety-worker.js'];
/** Headers that a document may bring more into the page with, or send it elsewhere. */
const FOREIGN = ['link', 'refresh', 'service-worker-allowed', 'sourcemap', 'x-sourcemap'];
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
/** Each form that a server may have of a file, and what a browser asks for. */
const ENCODINGS = ['identity', 'gzip', 'br', 'gzip, deflate, br, zstd'];
const ATTEMPT_MS = 30_000;

/** @param {string | null} policy */
const normal = (policy) => (policy ?? '').replace(/\s+/g, ' ').trim();

/** The policy that a file has to come with; undefined: it needs none. @param {string} path */
function policyOf(path, policies) {
  if (extname(path) === '.html' || extname(path) === '') return policies.document;
  return extname(path) === '.js' && /worker/i.test(path) ? policies.worker : undefined;
}

/** @param {Headers} headers @param {string} path as it was asked for @param {{ document: string, worker: string }} policies */
function headerDifferences(headers, path, policies) {
  const found = [];
  const where = `/${path}`;
  const wanted = policyOf(path, policies);
  const policy = normal(headers.get('content-security-policy'));
  if (wanted !== undefined && policy !== normal(wanted)) {
    found.push(
      `header   ${where}: Content-Security-Policy is ${policy === '' ? 'absent' : `“${policy}”`}, not “${normal(wanted)}”`,
    );
  }
  const type = headers.get('content-type') ?? '';
  const due = TYPES[extname(path) === '' ? '.html' : extname(path)];
  if (due !== undefined && type.split(';')[0].trim().toLowerCase() !== due) {
    found.push(`header   ${where}: Content-Type is “${type}”, not ${due}`);
  }
  if (headers.get('x-content-type-options')?.toLowerCase() !== 'nosniff') {
    found.push(`header   ${where}: X-Content-Type-Options is not nosniff`);
  }
  for (const name of FOREIGN) {
    if (headers.has(name)) found.push(`header   ${where}: has ${name}: “${headers.get(name)}”`);
  }
  return found;
}

/**
 * @param {URL} base
 * @param {string} path
 * @param {string} encoding as in Accept-Encoding
 * @returns {Promise<{ status: number, headers: Headers, data: Uint8Array | null }>} `data`: decompressed; null where
 *   it is not what its Content-Encoding says
 */
async function download(base, path, encoding = 'identity') {
  const response = await fetch(new URL(path, base), {
    redirect: 'manual',
    cache: 'no-store',
    headers: { 'Accept-Encoding': encoding },
    signal: AbortSignal.timeout(ATTEMPT_MS),
  });
  const { status, headers } = response;
  try {
    return { status, headers, data: new Uint8Array(await response.arrayBuffer()) };
  } catch (error) {
    if (error?.name !== 'TypeError' || !headers.has('content-encoding')) throw error;
    return { status, headers, data: null };
  }
}

/**
 * @param {string} url of the page
 * @param {string} folder of the build that it should be
 * @returns {Promise<{ hash: string, compared: number, differences: string[] }>} a line for each difference
 */
export async function differencesOf(url, folder) {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const build = readBuild(folder);
  const policies = JSON.parse(readFileSync(join(folder, POLICY_FILE), 'utf8'));
  // What is wrong with every form of a file is one line.
  const found = new Set();
  let compared = 0;
  const compare = async (path, wanted) => {
    let plain;
    for (const encoding of ENCODINGS) {
      compared += 1;
      const { status, headers, data } = await download(base, path, encoding);
      if (status !== 200) {
        found.add(`missing  /${path}: status ${String(status)}`);
        continue;
      }
      const hash = data === null ? 'nothing that can be decompressed' : sha256(data);
      plain ??= hash;
      const form = hash === plain ? '' : ` (Accept-Encoding: ${encoding})`;
      if (hash !== wanted) found.add(`changed  /${path}${form}: ${hash}, not ${wanted}`);
      for (const line of headerDifferences(headers, path, policies)) found.add(line);
    }
  };
  for (const [path, hash] of Object.entries(build.files)) {
    if (path !== POLICY_FILE) await compare(path, hash);
  }
  for (const page of PAGES) await compare(page, build.files['index.html']);
  for (const path of WORKERS) {
    const { status, data } = await download(base, path);
    if (status === 200 && (data === null || sha256(data) !== build.files['index.html'])) {
      found.add(`added    /${path}: a script that the build has not`);
    }
  }
  for (const line of await claimDifferences(base, build)) found.add(line);
  return { hash: build.hash, compared, differences: [...found] };
}

/** What the page says of itself, where it says anything: another hash, files that the build has not. */
async function claimDifferences(base, build) {
  const { status, data } = await download(base, BUILD_FILE);
  if (status !== 200 || data === null) return [`missing  /${BUILD_FILE}: status ${String(status)}`];
  let claim;
  try {
    claim = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [`changed  /${BUILD_FILE}: is no JSON`];
  }
  const added = Object.keys(claim?.files ?? {}).filter((path) => !Object.hasOwn(build.files, path));
  return [
    ...added.map((path) => `added    /${path}: the build has no such file`),
    ...(claim?.hash === build.hash
      ? []
      : [`changed  /${BUILD_FILE}: says ${String(claim?.hash)}, not ${build.hash}`]),
  ];
}
