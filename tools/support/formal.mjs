/**
 * The exhaustive searches of docs/formal/order.pml: spin makes a program of the model, gcc compiles it, and it visits
 * every state.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder, root } from './node.mjs';
import { elapsed, say, step } from './report.mjs';
import { FAILED, NOTHING, PASSED, summed } from './stages.mjs';

/** @typedef {{ name: string, defines: string[], found?: boolean }} Search `found`: it has to find a violation */
/** @typedef {import('./model-checker.mjs').Tools} Tools */

const model = join(root, 'docs', 'formal', 'order.pml');
const DEEPEST = 10_000;
const MEMORY_MB = 6_000;

/** What breaks the order itself, and what leaves a room with nobody who can act. @type {Record<string, string[]>} */
const plants = {
  SIGNS_AFRESH: ['ORDER_ALONE'],
  COLD_BESIDE_STORED: ['ORDER_ALONE'],
  GRANT_VOIDS_COLD: ['ORDER_ALONE'],
  FORMER_OWNER_SIGNS: ['ORDER_ALONE'],
  IMPORT_SIGNS_UNREAD: ['ORDER_ALONE'],
  REQUEST_VOIDS_TRANSFER: ['ORDER_ALONE', 'LIAR'],
  RESTORED_UNCHECKED: [],
  ACCEPTED_LEAVES: [],
  FORMER_OWNER_LEAVES: [],
  OFFERS_BESIDE_TRANSFER: [],
  ACCEPTANCE_OF_ANOTHER_EPOCH: [],
};

/** @param {string} name @param {string[]} defines @param {number} [items] @returns {Search} */
const planted = (name, defines, items = 4) => ({
  name: `plant ${name}`,
  defines: [`ITEMS=${items}`, `PLANT_${name}`, ...defines],
  found: true,
});

/** Kinds of items: of each there is a run whose last log has it, or the model would say nothing of that kind. */
const KINDS = ['SETTINGS', 'REMOVE', 'LEAVE', 'TRANSFER', 'CLOSE', 'ROTATION', 'COLD'];

/** Defects that somebody could build, planted into the model, and what it has to come to. @returns {Search[]} */
const allFound = () => [
  ...Object.entries(plants).map(([name, defines]) => planted(name, defines)),
  ...KINDS.map((kind) => ({
    name: `witness ${kind}`,
    defines: ['ITEMS=3', `WITNESS=${kind}`],
    found: true,
  })),
];

/** For every `npm test`: below a minute. @returns {Search[]} */
export const bounded = () => [
  { name: 'the order, 4 items', defines: ['ITEMS=4'] },
  { name: 'the order with a liar, 3 items', defines: ['ITEMS=3', 'LIAR'] },
  ...allFound(),
];

/** For `npm run formal`. @returns {Search[]} */
export const whole = () => [
  { name: 'the order, 5 items', defines: ['ITEMS=5'] },
  { name: 'the order with a liar, 4 items', defines: ['ITEMS=4', 'LIAR'] },
  ...allFound(),
  // Four items are not enough for it.
  planted('OFFER_OF_ANOTHER_TIME', [], 5),
];

/**
 * Runs searches, and prints of each the states, the depth and the time.
 *
 * @param {Tools} tools
 * @param {Search[]} searches
 * @param {number} atOnce each has one core, and up to {@link MEMORY_MB}
 * @returns {Promise<import('./jest.mjs').Counts>} one for each search
 */
export async function searchAll(tools, searches, atOnce) {
  rmSync(join(cacheFolder, 'formal'), { recursive: true, force: true });
  const all = [];
  const left = searches.values();
  const searcher = async () => {
    for (const search of left) {
      const started = performance.now();
      const { text, good } = await step(search.name, () => runSearch(tools, search));
      say(`${good ? 'ok' : 'FAILED'}: ${search.name}: ${text} (${elapsed(started)})`);
      all.push(good ? PASSED : FAILED);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, searcher));
  return summed([NOTHING, ...all]);
}

/** @param {Tools} tools @param {Search} search */
async function runSearch({ spin, gcc }, { name, defines, found = false }) {
  const folder = join(cacheFolder, 'formal', name.replaceAll(/[^\w]+/g, '-'));
  mkdirSync(folder, { recursive: true });
  const flags = defines.map((define) => `-D${define}`);
  await output(spin, ['-a', ...flags, model], folder);
  const limits = ['-DSAFETY', '-DVECTORSZ=2048', `-DMEMLIM=${MEMORY_MB}`];
  // Compiling takes longer than finding a plant does.
  await output(gcc, [found ? '-O0' : '-O1', '-w', ...limits, '-o', 'search', 'pan.c'], folder);
  const report = await output(join(folder, 'search'), [`-m${DEEPEST}`], folder);
  return judged(
    report,
    found,
    `spin -k ${join(folder, 'order.pml.trail')} -t -p ${flags.join(' ')} ${model}`,
  );
}

/** @param {string} report of the search @param {boolean} found @param {string} show the command that shows a trail */
function judged(report, found, show) {
  const depth = /depth reached (\d+), errors: (\d+)/.exec(report);
  const states = /(\d+) states, stored/.exec(report);
  if (depth === null || states === null) return { good: false, text: report };
  const size = `${Number(states[1]).toLocaleString('en')} states, depth ${depth[1]}`;
  const violation = /^pan:\d+: (.*)$/m.exec(report)?.[1] ?? '';
  if (depth[2] !== '0') {
    return { good: found, text: found ? `found, after ${size}` : `${violation.slice(0, 160)}; ${show}` };
  }
  if (found) return { good: false, text: `not found in ${size}` };
  // A search that was cut short has shown nothing.
  const cut = /error: .*|Search not completed/.exec(report);
  return cut === null ? { good: true, text: size } : { good: false, text: `${cut[0]}: ${size}` };
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} folder
 * @returns {Promise<string>} all that it prints. Rejects where it fails
 */
async function output(command, args, folder) {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${text}`);
  return text;
}
