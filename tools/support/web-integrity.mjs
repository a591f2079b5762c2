/**
 * What a page cannot have the browser check itself: scripts of workers, what they import, and WebAssembly have no
 * `integrity`. The build writes their hashes, and the policy that the worker has to come with, into index.html, and
 * the page checks them before it starts a worker (apps/web/src/app/core/kept-files.ts;
 * docs/decisions/0039-one-lie-does-not-last.md).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Remedy } from './report.mjs';
import { POLICY_FILE } from './web-files.mjs';

const WORKER = /^worker-.*\.js$/;
const WASM = /\.wasm$/;
/** What a worker loads once it is wanted, and not at its start. */
const LATER = /\bimport\("\.\/([^"]+)"\)/g;
const PLACE = '</head>';
/** The builder's own: an import map of a page says nothing to its workers, and no policy lets this one be inline. */
const IMPORT_MAP = /<script type="importmap">[^<]*<\/script>/;

/** @param {Uint8Array} data */
const integrityOf = (data) => `sha384-${createHash('sha384').update(data).digest('base64')}`;

/** @param {string} folder of a build; its index.html is written again */
export function nameKeptFiles(folder) {
  const path = join(folder, 'index.html');
  const page = readFileSync(path, 'utf8').replace(IMPORT_MAP, '');
  if (page.split(PLACE).length !== 2 || page.includes('id="kept-files"')) {
    throw new Remedy(`${path} is not as the builder leaves it.`, 'Build the web client again.');
  }
  const names = readdirSync(folder)
    .filter((name) => WORKER.test(name) || WASM.test(name))
    .sort();
  const read = (name) => readFileSync(join(folder, name));
  const scripts = names.filter((name) => WORKER.test(name)).map((name) => read(name).toString('utf8'));
  const wanted = new Set(scripts.flatMap((text) => [...text.matchAll(LATER)].map(([, name]) => name)));
  const hashes = (which) => Object.fromEntries(which.map((name) => [name, integrityOf(read(name))]));
  const { worker: policy } = JSON.parse(read(POLICY_FILE).toString('utf8'));
  const kept = {
    policy,
    atStart: hashes(names.filter((name) => !wanted.has(name))),
    later: hashes(names.filter((name) => wanted.has(name))),
  };
  // A block of data, which no policy holds for a script: what could end it is escaped.
  const text = JSON.stringify(kept).replaceAll('<', '\\u003c');
  const block = `<script id="kept-files" type="application/json">${text}</script>`;
  writeFileSync(
    path,
    page.replace(PLACE, () => block + PLACE),
  );
}
