/**
 * Named stages of tests, one after the other: `npm test` and `npm run long`.
 *
 * Prepares what the chosen ones need, prints each one's time and counts, and as the last line `N passed, N failed`,
 * summed over all; what a stage needs and cannot have counts as one failure.
 */
import { ensureChromium } from './chromium.mjs';
import { ensureFirefox } from './firefox.mjs';
import { ensureSpin } from './model-checker.mjs';
import { ensureRedis } from './redis.mjs';
import { elapsed, Remedy, say } from './report.mjs';
import { ensureWebKit } from './webkit.mjs';
import { buildServer, buildWeb, ensureInstalled } from './workspace.mjs';

/** @typedef {import('./jest.mjs').Counts} Counts */
/** @typedef {{ needs: ('server' | 'web' | 'chromium' | 'firefox' | 'webkit' | 'redis' | 'spin')[], run: (node: string, env: NodeJS.ProcessEnv) => Promise<Counts> }} Stage */

export const NOTHING = { passed: 0, failed: 0, skipped: 0 };
/** What counts as one test. */
export const PASSED = { ...NOTHING, passed: 1 };
export const FAILED = { ...NOTHING, failed: 1 };

/** @param {readonly Counts[]} all @returns {Counts} */
export function summed(all) {
  return all.reduce(
    /** @returns {Counts} */
    (sum, counts) => ({
      passed: sum.passed + counts.passed,
      failed: sum.failed + counts.failed,
      skipped: sum.skipped + counts.skipped,
      failures: [...(sum.failures ?? []), ...(counts.failures ?? [])],
    }),
    NOTHING,
  );
}

/**
 * @param {Record<string, Stage>} stages
 * @param {string[]} named
 * @returns {string[]} in the order of the stages
 */
export function chooseStages(stages, named) {
  const unknown = named.find((name) => !Object.hasOwn(stages, name));
  if (unknown !== undefined) {
    throw new Remedy(`There is no stage "${unknown}".`, `The stages are: ${Object.keys(stages).join(', ')}.`);
  }
  return Object.keys(stages).filter((name) => named.length === 0 || named.includes(name));
}

/**
 * @param {Record<string, Stage>} stages
 * @param {string[]} chosen
 * @param {readonly string[]} [countless] those that have nothing to count: alone, they may run no test
 * @returns {Promise<number>} the exit code: 1 where anything failed, or no test ran
 */
export async function runStages(stages, chosen, countless = []) {
  const started = performance.now();
  const node = await installed();
  if (node === undefined) return close(FAILED);
  const { env, missing } = await prepare(node, stages, chosen);

  const all = [];
  const summary = [];
  for (const name of chosen) {
    const begun = performance.now();
    const lacking = stages[name].needs.find((need) => missing.has(need));
    if (lacking !== undefined) {
      all.push(FAILED);
      summary.push(`${name}: failed, not run: ${missing.get(lacking).message}`);
      continue;
    }
    say(`stage ${name} ...`);
    const counts = await stages[name].run(node, env);
    all.push(counts);
    const verdict = counts.failed === 0 ? 'clean' : 'failed';
    const told = `${name}: ${countless.includes(name) ? verdict : describe(counts)} (${elapsed(begun)})`;
    say(`stage ${told}`);
    // Once more in the end: what a stage printed in its midst may be a thousand lines away, or cut off.
    summary.push(told, ...(counts.failures ?? []).map((failure) => `  failed: ${failure}`));
  }

  say(`all stages in ${elapsed(started)}`);
  for (const line of summary) say(`  ${line}`);
  const total = summed(all);
  const nothingToCount = chosen.every((name) => countless.includes(name));
  if (total.passed + total.failed === 0 && !nothingToCount) say('no test ran');
  return close(total, nothingToCount);
}

/**
 * @param {string} node
 * @param {Record<string, Stage>} stages
 * @param {string[]} chosen
 * @returns {Promise<{ env: NodeJS.ProcessEnv, missing: Map<string, Remedy> }>} what could not be had, and why
 */
async function prepare(node, stages, chosen) {
  /** @type {NodeJS.ProcessEnv} */
  const env = {};
  const missing = new Map();
  const preparations = {
    server: () => buildServer(node),
    web: () => buildWeb(node),
    redis: ensureRedis,
    spin: ensureSpin,
    chromium: async () => {
      env.CHROMIUM_PATH = await ensureChromium();
    },
    firefox: async () => {
      env.FIREFOX_PATH = await ensureFirefox();
    },
    webkit: ensureWebKit,
  };
  for (const [need, work] of Object.entries(preparations)) {
    if (!chosen.some((name) => stages[name].needs.includes(need))) continue;
    try {
      await work();
    } catch (error) {
      // The stages that can do without go on; those that cannot are counted as failed.
      if (!(error instanceof Remedy)) throw error;
      say(error.message);
      missing.set(need, error);
    }
  }
  return { env, missing };
}

/** @returns {Promise<string | undefined>} the Node.js to use, or undefined where set-up failed */
async function installed() {
  try {
    return await ensureInstalled();
  } catch (error) {
    if (!(error instanceof Remedy)) throw error;
    say(error.message);
    return undefined;
  }
}

/**
 * Prints the closing line.
 *
 * @param {Counts} total
 * @param {boolean} [countless] whether it is all right that no test ran
 * @returns {number} the exit code
 */
function close({ passed, failed }, countless = false) {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || (passed === 0 && !countless) ? 1 : 0;
}

/** @param {Counts} counts */
function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
