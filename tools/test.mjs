/**
 * npm test: set-up, build, then every stage. `npm test -- unit e2e` runs only the stages named.
 *
 * The last line is `N passed, N failed`, summed over all Jest runs; a stage that fails otherwise (lint,
 * build, no browser) counts as one failure. Exits non-zero if anything failed or no test ran.
 */
import { join } from 'node:path';

import { bounded, searchAll } from './support/formal.mjs';
import { countedJest } from './support/jest.mjs';
import { lint } from './support/lint.mjs';
import { ensureSpin } from './support/model-checker.mjs';
import { root } from './support/node.mjs';
import { runTool } from './support/report.mjs';
import { chooseStages, FAILED, NOTHING, runStages } from './support/stages.mjs';

/** @typedef {import('./support/stages.mjs').Stage} Stage */

/**
 * Of the rooms whose people, owner or relay choose at random, and of properties: the same choices each time. New ones are drawn by
 * `npm run long`, where one that fails has time to be looked at; `SEED=… npm test -- hostile` takes others.
 */
const CHOSEN = { SEED: process.env.SEED ?? '1' };

/**
 * @param {string} name a folder below test/, and a project of jest.config.mjs
 * @param {Stage['needs']} needs
 * @param {{ readonly flags?: readonly string[], readonly chosen?: NodeJS.ProcessEnv }} [options]
 * @returns {Stage}
 */
function folderStage(name, needs, { flags = [], chosen = {} } = {}) {
  return {
    needs,
    run: (node, env) => countedJest(node, name, ['--selectProjects', name, ...flags], { ...env, ...chosen }),
  };
}

/** In the order in which they run: what fails fastest comes first. @type {Record<string, Stage>} */
const stages = {
  lint: { needs: ['server'], run: async (node) => ((await lint(node)) ? NOTHING : FAILED) },
  architecture: folderStage('architecture', []),
  k8s: folderStage('k8s', []),
  formal: { needs: ['spin'], run: async () => searchAll(await ensureSpin(), bounded(), 2) },
  unit: {
    // The contract of the store is held to by a real Redis as well.
    needs: ['redis'],
    run: (node, env) => {
      const projects = ['protocol', 'crypto', 'client', 'relay'];
      return countedJest(node, 'unit', ['--selectProjects', ...projects], { ...env, ...CHOSEN });
    },
  },
  web: {
    needs: ['server'],
    run: (node, env) =>
      countedJest(
        node,
        'web',
        ['--config', join(root, 'apps', 'web', 'jest.config.mjs'), '--maxWorkers=2'],
        env,
      ),
  },
  fuzz: folderStage('fuzz', ['server'], { flags: ['--runInBand', '--maxConcurrency=2'] }),
  integration: folderStage('integration', ['server', 'web', 'redis'], { chosen: CHOSEN }),
  // Its clients wait for each other, and for what they try again: half of a core each.
  hostile: folderStage('hostile', ['server', 'redis'], { flags: ['--maxWorkers=3'], chosen: CHOSEN }),
  model: folderStage('model', ['server']),
  // In band: two browsers at a time on two cores make time-outs, not speed.
  e2e: folderStage('e2e', ['server', 'web', 'chromium'], { flags: ['--runInBand'] }),
  // Apart from e2e: a machine that cannot have these two browsers still runs the stories in Chromium.
  browsers: folderStage('browsers', ['server', 'web', 'firefox', 'webkit']),
};

await runTool(() => runStages(stages, chooseStages(stages, process.argv.slice(2)), ['lint']));
