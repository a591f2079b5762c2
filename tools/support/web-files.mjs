/**
 * A build of the web client as one hash: SHA-256 over the lines `<sha256>  <path>` of its files, sorted by
 * path, which is what `sha256sum` prints. docs/decisions/0011-one-hash-of-the-page.md says why.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

import { Remedy } from './report.mjs';

/** Where a build says its hash: beside the files, and no part of what is hashed. */
export const BUILD_FILE = 'build.json';
/** Read by whoever serves the build and given out as headers, never as a file. */
export const POLICY_FILE = 'csp.json';
/** 7 % fewer bytes than 9 at each first load. The highest, 11, saves 3 % more for twice the CPU (10 s) of each build. */
const BROTLI_QUALITY = 10;

/**
 * Compressed forms lie beside the files. They are no part of what is hashed, because another release of Node may
 * compress to other bytes; what they decompress to is what counts.
 */
const COMPRESSIONS = [
  {
    ending: '.br',
    compress: (data) =>
      promisify(brotliCompress)(data, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
        },
      }),
  },
  { ending: '.gz', compress: (data) => promisify(gzip)(data, { level: constants.Z_BEST_COMPRESSION }) },
];
const isCompressed = (path) => COMPRESSIONS.some(({ ending }) => path.endsWith(ending));

/** @param {Uint8Array} data */
export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** Bytewise, whatever the language of the machine. @param {string} a @param {string} b */
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** @param {string} folder @param {string} prefix @returns {string[]} paths with slashes */
function pathsBelow(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    return entry.isDirectory() ? pathsBelow(folder, `${path}/`) : [path];
  });
}

/** @typedef {{ hash: string, files: Record<string, string> }} WebBuild `files`: SHA-256 by path */

/** @param {Record<string, string>} files @returns {string} */
function hashOf(files) {
  const lines = Object.entries(files)
    .sort(([a], [b]) => byBytes(a, b))
    .map(([path, hash]) => `${hash}  ${path}\n`);
  return sha256(Buffer.from(lines.join('')));
}

/** @param {string} folder of a build @returns {WebBuild} */
export function readBuild(folder) {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new Remedy(`There is no build of the web client in ${folder}.`, 'npm run build makes one.');
  }
  const paths = pathsBelow(folder)
    .filter((path) => path !== BUILD_FILE && !isCompressed(path))
    .sort(byBytes);
  const files = Object.fromEntries(paths.map((path) => [path, sha256(readFileSync(join(folder, path)))]));
  return { hash: hashOf(files), files };
}

/** @param {string} folder @returns {WebBuild} what it has written into the build */
export function writeBuildFile(folder) {
  const build = readBuild(folder);
  writeFileSync(join(folder, BUILD_FILE), `${JSON.stringify(build, null, 2)}\n`);
  return build;
}

/**
 * Puts beside each file what the relay sends in its place to whoever takes it, wherever that is smaller.
 *
 * @param {string} folder of a build
 */
export async function compressBuild(folder) {
  const paths = pathsBelow(folder);
  for (const path of paths.filter(isCompressed)) rmSync(join(folder, path));
  const originals = paths.filter((path) => !isCompressed(path) && path !== POLICY_FILE);
  // At once: zlib has threads of its own.
  await Promise.all(
    originals.flatMap((path) => {
      const data = readFileSync(join(folder, path));
      return COMPRESSIONS.map(async ({ ending, compress }) => {
        const compressed = await compress(data);
        if (compressed.length < data.length) writeFileSync(join(folder, path + ending), compressed);
      });
    }),
  );
}
