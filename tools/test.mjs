/**
 * npm test: set-up, build, then every stage. `npm test -- unit e2e` runs only the stages named.
 *
 * The last line is `N passed, N failed`, summed over all Jest runs; a stage that fails otherwise (lint,
 * build, no browser) counts as one failure. Exits non-zero if anything failed or no test ran.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { ensureChromium } from './support/chromium.mjs';
import { countedJest } from './support/jest.mjs';
import { lint } from './support/lint.mjs';
import { root } from './support/node.mjs';
import { ensureRedis } from './support/redis.mjs';
import { elapsed, Remedy, runTool, say } from './support/report.mjs';
import { buildServer, buildWeb, ensureInstalled } from './support/workspace.mjs';

/** @typedef {import('./support/jest.mjs').Counts} Counts */
/** @typedef {{ needs: ('server' | 'web' | 'chromium' | 'redis')[], run: (node: string, env: NodeJS.ProcessEnv) => Promise<Counts> }} Stage */

const one = { passed: { passed: 0, failed: 0, skipped: 0 }, failed: { passed: 0, failed: 1, skipped: 0 } };

/**
 * @param {string} name a folder below test/, and a project of jest.config.mjs
 * @param {Stage['needs']} needs
 * @param {string[]} [flags]
 * @returns {Stage}
 */
function folderStage(name, needs, flags = []) {
  return {
    needs,
    run: (node, env) => countedJest(node, name, ['--selectProjects', name, ...flags], env),
  };
}

/** In the order in which they run: what fails fastest comes first. @type {Record<string, Stage>} */
const stages = {
  lint: { needs: ['server'], run: async (node) => ((await lint(node)) ? one.passed : one.failed) },
  architecture: folderStage('architecture', []),
  k8s: folderStage('k8s', []),
  unit: {
    // The contract of the store is held to by a real Redis as well.
    needs: ['redis'],
    run: (node, env) => {
      const projects = ['protocol', 'crypto', 'client', 'relay'];
      return countedJest(node, 'unit', ['--selectProjects', ...projects], env);
    },
  },
  web: {
    needs: ['server'],
    run: (node, env) => countedJest(node, 'web', ['--config', webJestConfig() ?? '', '--maxWorkers=2'], env),
  },
  fuzz: folderStage('fuzz', ['server'], ['--runInBand']),
  integration: folderStage('integration', ['server', 'redis']),
  hostile: folderStage('hostile', ['server', 'redis']),
  model: folderStage('model', ['server']),
  chaos: folderStage('chaos', ['server', 'redis'], ['--runInBand']),
  // In band: two browsers at a time on two cores make time-outs, not speed.
  e2e: folderStage('e2e', ['server', 'web', 'chromium'], ['--runInBand']),
};

/** @returns {string | undefined} */
function webJestConfig() {
  const folder = join(root, 'apps', 'web');
  const name = readdirSync(folder).find((file) => /^jest\.config\.[cm]?[jt]s$/.test(file));
  return name === undefined ? undefined : join(folder, name);
}

/** @param {string} name @returns {boolean} whether the repository has tests for the stage */
function hasTests(name) {
  if (name === 'lint' || name === 'unit') return true;
  if (name === 'web') return webJestConfig() !== undefined;
  const folder = join(root, 'test', name);
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => file.endsWith('.spec.ts'))
  );
}

/** @param {string[]} named @returns {string[]} */
function chooseStages(named) {
  const unknown = named.find((name) => !Object.hasOwn(stages, name));
  if (unknown !== undefined) {
    throw new Remedy(`There is no stage "${unknown}".`, `The stages are: ${Object.keys(stages).join(', ')}.`);
  }
  const chosen = Object.keys(stages).filter((name) =>
    named.length === 0 ? hasTests(name) : named.includes(name),
  );
  return chosen;
}

/**
 * Prepares what the chosen stages need.
 *
 * @param {string} node
 * @param {string[]} chosen
 * @returns {Promise<{ env: NodeJS.ProcessEnv, missing: Map<string, Remedy> }>} what could not be had, and why
 */
async function prepare(node, chosen) {
  /** @type {NodeJS.ProcessEnv} */
  const env = {};
  const missing = new Map();
  const preparations = {
    server: () => buildServer(node),
    web: () => buildWeb(node),
    redis: ensureRedis,
    chromium: async () => {
      env.CHROMIUM_PATH = await ensureChromium();
    },
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

await runTool(async () => {
  const started = performance.now();
  const chosen = chooseStages(process.argv.slice(2));
  const node = await installed();
  if (node === undefined) return close(one.failed);
  const { env, missing } = await prepare(node, chosen);

  const total = { passed: 0, failed: 0, skipped: 0 };
  const summary = [];
  for (const name of chosen) {
    const begun = performance.now();
    const lacking = stages[name].needs.find((need) => missing.has(need));
    if (lacking !== undefined) {
      total.failed += 1;
      summary.push(`${name}: failed, not run: ${missing.get(lacking).message}`);
      continue;
    }
    say(`stage ${name} ...`);
    const counts = await stages[name].run(node, env);
    for (const key of Object.keys(total)) total[key] += counts[key];
    const words = name === 'lint' ? (counts.failed === 0 ? 'clean' : 'failed') : describe(counts);
    summary.push(`${name}: ${words} (${elapsed(begun)})`);
    say(`stage ${summary.at(-1)}`);
  }

  say(`all stages in ${elapsed(started)}`);
  for (const line of summary) say(`  ${line}`);
  // Lint alone has nothing to count; any other choice of stages has to have run a test.
  const countless = chosen.every((name) => name === 'lint');
  if (total.passed + total.failed === 0 && !countless) say('no test ran');
  return close(total, countless);
});

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
