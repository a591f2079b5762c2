/** What differs between a page as somebody serves it and a build. Nothing that is served is run. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

import { nodeHash } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';

import { LEAVING_WORKER } from '../../apps/relay/dist/http/foreign-worker.js';
import { PERMISSIONS_POLICY } from '../../apps/relay/dist/http/permissions.js';
import { ask, DECODED } from './page-request.mjs';
import { BUILD_FILE, POLICY_FILE, readBuild, sha256 } from './web-files.mjs';

const drawn = (bytes = 16) => randomBytes(bytes).toString('base64url');
/** Pages of the client: whoever serves it answers all of them with index.html, and so each that nobody has foreseen. */
const pages = () => [
  '', 'join', 'unlock', 'new', 'settings', 'verify',
  `room/${drawn()}`, `room/${drawn()}/members`, `room/${drawn()}/relay`, `room/${drawn()}?${drawn(3)}=${drawn(6)}`,
  `join?${drawn(3)}=${drawn(6)}`, `settings?${drawn(3)}`, `?${drawn(3)}=${drawn(6)}`, drawn(9), `${drawn(6)}/${drawn(6)}`,
]; // prettier-ignore
/** Where a script that outlives the page would lie. The client has none. */
const workers = () => ['sw.js', 'service-worker.js', 'ngsw-worker.js', 'safety-worker.js', `${drawn(6)}.js`];

const CHROMIUM =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'none',
  'sec-fetch-user': '?1',
  'upgrade-insecure-requests': '1',
};
const part = (dest, mode) => ({
  accept: '*/*',
  'sec-fetch-dest': dest,
  'sec-fetch-mode': mode,
  'sec-fetch-site': 'same-origin',
});
/** As whom a server may be asked, for one that answers each otherwise. */
const ASKERS = {
  'Chromium, in English': { ...NAVIGATION, 'user-agent': CHROMIUM, 'accept-language': 'en-GB,en;q=0.9' },
  'Firefox, in French': { ...NAVIGATION, 'user-agent': FIREFOX, 'accept-language': 'fr,fr-FR;q=0.8' },
  'a phone that saves data': { ...NAVIGATION, 'user-agent': PHONE, 'save-data': 'on' },
  'who has cookies': { ...NAVIGATION, 'user-agent': CHROMIUM, cookie: `session=${drawn()}; theme=dark` },
  'who comes from elsewhere': {
    ...NAVIGATION,
    'user-agent': FIREFOX,
    'sec-fetch-site': 'cross-site',
    referer: 'https://elsewhere.example/',
  },
  'what loads ahead': { ...NAVIGATION, 'user-agent': CHROMIUM, 'sec-purpose': 'prefetch;prerender' },
  'a script of the page': { ...part('script', 'cors'), 'user-agent': CHROMIUM },
  'a worker of the page': { ...part('worker', 'same-origin'), 'user-agent': FIREFOX },
  'a script of the worker': { ...part('empty', 'cors'), 'user-agent': CHROMIUM },
};

/** Every header that an answer may have; a page is changed, watched or left by many others. */
const KNOWN = new Set([
  'accept-ranges', 'age', 'cache-control', 'connection', 'content-encoding', 'content-length', 'content-security-policy', 'content-type',
  'cross-origin-embedder-policy', 'cross-origin-opener-policy', 'cross-origin-resource-policy', 'date', 'etag', 'expires',
  'keep-alive', 'last-modified', 'origin-agent-cluster', 'permissions-policy', 'pragma', 'referrer-policy', 'server',
  'strict-transport-security', 'transfer-encoding', 'vary', 'via', 'x-content-type-options', 'x-dns-prefetch-control',
  'x-download-options', 'x-frame-options', 'x-permitted-cross-domain-policies', 'x-xss-protection',
]); // prettier-ignore
const DUE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};
const DUE_OF_PAGES = {
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': PERMISSIONS_POLICY,
};
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
/** What is run, or says what is run. */
const RUNS = new Set(['.js', '.css', '.wasm', '.json']);
/** Each form that a server may have of a file, and what a browser asks for. */
const ENCODINGS = ['identity', 'gzip', 'br', DECODED.join(', ')];

/** @param {string | null} policy */
const normal = (policy) => (policy ?? '').replace(/\s+/g, ' ').trim();
const pathOf = (path) => path.replace(/\?.*$/, '');
const isPage = (path) => ['.html', ''].includes(extname(pathOf(path)));

/** The policy that a file has to come with; undefined: it needs none. @param {string} path */
function policyOf(path, policies) {
  if (isPage(path)) return policies.document;
  return extname(pathOf(path)) === '.js' && /worker/i.test(path) ? policies.worker : undefined;
}

/** The policies that a build is to be served with. @param {string} folder @returns {{ document: string, worker: string }} */
export const policiesOf = (folder) => JSON.parse(readFileSync(join(folder, POLICY_FILE), 'utf8'));

/** Headers that no answer may have. @param {Headers} headers @param {string} path as it was asked for */
export const unknownHeaders = (headers, path) =>
  [...headers].flatMap(([name, value]) =>
    KNOWN.has(name) ? [] : [`header   /${path}: has ${name}: “${value}”`],
  );

/** A document is never kept, and what it runs is asked for again each time (docs/decisions/0039). */
function isKept(path, headers) {
  const said = (headers.get('cache-control') ?? '').toLowerCase().split(',');
  const has = (word) => said.some((one) => one.trim() === word);
  if (isPage(path)) return !has('no-store');
  return RUNS.has(extname(pathOf(path))) && !has('no-store') && !has('no-cache');
}

/**
 * @param {Headers} headers
 * @param {string} path as it was asked for
 * @param {{ document: string, worker: string }} policies
 */
export function headerDifferences(headers, path, policies) {
  const found = [];
  const say = (text) => found.push(`header   /${path}: ${text}`);
  const wanted = policyOf(path, policies);
  const policy = normal(headers.get('content-security-policy'));
  if (wanted !== undefined && policy !== normal(wanted))
    say(`Content-Security-Policy is ${policy === '' ? 'absent' : `“${policy}”`}, not “${normal(wanted)}”`);
  const type = headers.get('content-type') ?? '';
  const due = TYPES[isPage(path) ? '.html' : extname(pathOf(path))];
  if (due !== undefined && type.split(';')[0].trim().toLowerCase() !== due)
    say(`Content-Type is “${type}”, not ${due}`);
  for (const [name, value] of Object.entries({ ...DUE, ...(isPage(path) ? DUE_OF_PAGES : {}) })) {
    const given = headers.get(name);
    if (given?.toLowerCase() !== value)
      say(`${name} is ${given === null ? 'absent' : `“${given}”`}, not ${value}`);
  }
  if (isKept(path, headers)) {
    const given = headers.get('cache-control');
    say(
      `Cache-Control is ${given === null ? 'absent' : `“${given}”`}: a browser keeps what it was once told`,
    );
  }
  return [...found, ...unknownHeaders(headers, path)];
}

/**
 * @param {string} url of the page
 * @param {string} folder of the build that it should be
 * @returns {Promise<{ hash: string, compared: number, differences: string[] }>} a line for each difference
 */
export async function differencesOf(url, folder) {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const build = readBuild(folder);
  const policies = policiesOf(folder);
  // What is wrong with every form of a file is one line.
  const found = new Set();
  let compared = 0;
  const get = (path, headers = {}) =>
    ask(new URL(path, base), { 'accept-encoding': 'identity', accept: '*/*', ...headers });
  const forms = [
    ...ENCODINGS.map((encoding) => [`Accept-Encoding: ${encoding}`, { 'accept-encoding': encoding }]),
    ...Object.entries(ASKERS).map(([name, headers]) => [`asked by ${name}`, headers]),
    ['with a query', {}],
  ];
  const under = (path, form) =>
    form === 'with a query' && !path.includes('?') ? `${path}?${drawn(6)}` : path;
  const compare = async (path, wanted) => {
    const answers = await Promise.all(forms.map(([form, headers]) => get(under(path, form), headers)));
    let plain;
    for (const [at, { status, headers, data }] of answers.entries()) {
      compared += 1;
      if (status !== 200) {
        found.add(`missing  /${path}: status ${String(status)}`);
        continue;
      }
      const hash = data === null ? 'nothing that can be decompressed' : sha256(data);
      plain ??= hash;
      const form = hash === plain ? '' : ` (${forms[at][0]})`;
      if (hash !== wanted) found.add(`changed  /${path}${form}: ${hash}, not ${wanted}`);
      for (const line of headerDifferences(headers, path, policies)) found.add(line);
    }
  };
  const index = build.files['index.html'];
  for (const [path, hash] of Object.entries(build.files)) {
    if (path !== POLICY_FILE) await compare(path, hash);
  }
  for (const page of pages()) await compare(page, index);
  // A script that takes itself away answers who asks for a service worker; whoever asks for a file gets none.
  const asServiceWorker = { ...part('serviceworker', 'same-origin'), 'service-worker': 'script' };
  for (const path of workers()) {
    for (const [headers, allowed] of [[{}, [index]], [asServiceWorker, [index, sha256(LEAVING_WORKER)]]]) {
      const { status, data } = await get(path, headers);
      if (status === 200 && (data === null || !allowed.includes(sha256(data))))
        found.add(`added    /${path}: a script that the build has not`);
    }
  } // prettier-ignore
  for (const line of await claimDifferences(await get(BUILD_FILE), build)) found.add(line);
  return { hash: build.hash, compared, differences: [...found] };
}

/** What the page says of itself, where it says anything: another hash, files that the build has not. */
async function claimDifferences({ status, data }, build) {
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

/** Of the key that the relay at this address names: its fingerprint; null where no relay answers. @param {string} url */
export async function relayFingerprint(url) {
  const { status, data } = await ask(new URL('/config.json', url), { accept: '*/*' });
  if (status !== 200 || data === null) return null;
  try {
    const key = JSON.parse(Buffer.from(data).toString('utf8'))?.relayPublicKey;
    if (typeof key !== 'string') return null;
    const fingerprint = await fingerprintOf(nodeHash, Buffer.from(key, 'base64url'));
    return fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}
