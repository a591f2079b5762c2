/**
 * npm run draw-lines: source lines at random, without their paths. Whoever has read docs/architecture.md should name
 * the folder of each; `-- --answers --seed N` then shows where the lines of that seed are from.
 *
 *   npm run -s draw-lines -- [--count 20] [--seed N] [--answers]
 */
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from './support/node.mjs';
import { Remedy, runTool } from './support/report.mjs';

/** Lines before and after the one that is asked about. */
const CONTEXT = 2;
/** Letters that a line has at least: braces, `else` and single names tell nothing. */
const LETTERS = 12;

/** @returns {string[]} paths of the code of all libraries and applications, in order */
function sources() {
  return ['libs', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name, 'src')))
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
        join(folder, path),
      ),
    )
    .filter((path) => /\.(ts|lua)$/.test(path) && !/\.(spec|spec-support|d)\.ts$/.test(path))
    .sort();
}

/** @param {string} text @returns {string[]} its lines, '' for each that is of an import, a comment or too short */
function askable(text) {
  const blank = (/** @type {string} */ part) => part.replace(/[^\n]/g, '');
  const code = text
    .replace(/^(import|export (type )?(\*|\{))[^;]*from '[^']+';|^import '[^']+';/gm, blank)
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, blank)
    .replace(/^[ \t]*(\/\/|--).*$/gm, '');
  return code.split('\n').map((line) => (line.replace(/[^a-z]/gi, '').length < LETTERS ? '' : line));
}

/** @param {number} seed @returns {() => number} numbers in [0, 1), the same for the same seed (mulberry32) */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const OPTIONS = /** @type {const} */ ({
  count: { type: 'string' },
  seed: { type: 'string' },
  answers: { type: 'boolean' },
});

/** @param {string[]} args */
function optionsOf(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new Remedy(
      error instanceof Error ? error.message : String(error),
      'Give --count, --seed, --answers.',
    );
  }
}

/** @param {string | undefined} text @param {number} otherwise @param {string} name @returns {number} */
function whole(text, otherwise, name) {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text))
    throw new Remedy(`--${name} is "${text}".`, 'Give a number of at most nine digits.');
  return Number(text);
}

/** @param {string[]} args @returns {number} the exit code */
function drawLines(args) {
  const { count: many, seed: begun, answers } = optionsOf(args);
  const count = whole(many, 20, 'count');
  const seed = whole(begun, randomInt(1e9), 'seed');
  const lines = sources().flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return askable(text).flatMap((line, at) => (line === '' ? [] : [{ path, at, all: text.split('\n') }]));
  });
  const next = random(seed);
  console.log(`seed ${seed}, ${count} of ${lines.length} lines`);
  for (let drawn = 1; drawn <= count && lines.length > 0; drawn++) {
    const [{ path, at, all }] = lines.splice(Math.floor(next() * lines.length), 1);
    console.log(`\n${drawn}.${answers === true ? ` ${path}:${at + 1}` : ''}`);
    for (let near = Math.max(0, at - CONTEXT); near <= at + CONTEXT && near < all.length; near++)
      console.log(`${near === at ? '>' : ' '} ${all[near]}`);
  }
  return 0;
}

await runTool(async () => drawLines(process.argv.slice(2)));
