/**
 * npm run long [-- STAGE ...]: what takes too long for every `npm test`. `npm run long -- disk` runs only the stages
 * named. Prints each stage's time and counts; the last line is `N passed, N failed`, as that of `npm test`.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';

import { countedJest } from './support/jest.mjs';
import { root } from './support/node.mjs';
import { elapsed, runTool, say } from './support/report.mjs';
import { chooseStages, FAILED, NOTHING, PASSED, runStages, summed } from './support/stages.mjs';

/** @typedef {import('./support/stages.mjs').Stage} Stage */
/** @typedef {import('./support/stages.mjs').Counts} Counts */

const LIES_IN_A_ROW = 10;
const BUSY_LOOPS = 4;
const RANDOM_LIARS = [
  'test/hostile/random/random-owner.spec.ts',
  'test/hostile/random/random-joiner.spec.ts',
];
const RANDOM_RUNS = 60;
const RANDOM_RELAY = 'test/hostile/random/random-relay.spec.ts';
/** `RUNS=50 npm run long -- relay` makes fewer. */
const RELAY_RUNS = Number(process.env.RUNS ?? 1_000);
const RELAY_RUNS_AT_ONCE = 20;
const MODEL_SEEDS = 12;
const MODEL_RUNS = 5;
const MOST_OF_A_LINE = 200;

/**
 * @param {number} times
 * @param {(nth: number) => Promise<Counts>} work
 */
async function inARow(times, work) {
  const all = [];
  for (let nth = 1; nth <= times; nth++) {
    const begun = performance.now();
    const counts = await work(nth);
    all.push(counts);
    say(`${nth} of ${times}: ${counts.passed} passed, ${counts.failed} failed (${elapsed(begun)})`);
  }
  return summed(all);
}

/**
 * Work on a busy machine.
 *
 * @template T
 * @param {string} node
 * @param {() => Promise<T>} work
 */
async function besideBusyLoops(node, work) {
  const script = join(root, 'tools', 'support', 'spin.mjs');
  const loops = Array.from({ length: BUSY_LOOPS }, () => spawn(node, [script], { stdio: 'ignore' }));
  try {
    return await work();
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
  }
}

/**
 * Another tool of this folder: by its own last line where that has counts, else by its exit code.
 *
 * @param {string} name
 * @returns {Stage['run']}
 */
const tool = (name) => async (node) => {
  let output = '';
  const child = spawn(node, [join(root, 'tools', name)], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    output = (output + text).slice(-MOST_OF_A_LINE);
  });
  const [code] = await once(child, 'close');
  const [, passed, failed] = /(?:^|\n)(\d+) passed, (\d+) failed\n$/.exec(output) ?? [];
  if (passed === undefined) return code === 0 ? PASSED : FAILED;
  const counts = { ...NOTHING, passed: Number(passed), failed: Number(failed) };
  return code !== 0 && counts.failed === 0 ? summed([counts, FAILED]) : counts;
};

/** Files of the unit stage that choose by SEED. */
const PROPERTIES = [
  'libs/crypto/src/verify/roster.property.spec.ts',
  'libs/client/src/room/log/machine.property.spec.ts',
  'libs/client/src/room/log/counted-loss.spec.ts',
  'libs/client/src/room/log/erase.property.spec.ts',
  'libs/client/src/vault/key-table.spec.ts',
  'apps/relay/src/store/redis/redis-likeness.spec.ts',
];
const PROPERTY_SEEDS = 10;

/** @type {Record<string, Stage>} */
const stages = {
  // Every write of a room's whole life fails once, of everybody.
  disk: {
    needs: [],
    run: (node) =>
      countedJest(node, 'long-disk', ['test/hostile/disk/disk-story.spec.ts'], { DISK_STORY: 'all' }),
  },
  // Many interleavings more than the model's own; a seed that fails is named.
  model: {
    needs: ['server'],
    run: (node) =>
      inARow(MODEL_SEEDS, (nth) => {
        const env = {
          SEED: String(randomInt(2 ** 31)),
          MODEL_RUNS: String(MODEL_RUNS),
          MODEL_SHRINK_MS: '0',
        };
        return countedJest(node, `long-model-${nth}`, ['--selectProjects', 'model'], env);
      }),
  },
  // A page is slow on a busy machine, and never wrong. Owners and joiners at random: a seed that fails is named.
  lies: {
    needs: ['server', 'web', 'chromium'],
    run: async (node, env) => {
      const told = await besideBusyLoops(node, () =>
        inARow(LIES_IN_A_ROW, (nth) =>
          countedJest(node, `long-lies-${nth}`, ['test/e2e/lies-story.spec.ts', '--runInBand'], env),
        ),
      );
      const random = { SEED: String(randomInt(2 ** 31)), RUNS: String(RANDOM_RUNS) };
      return summed([told, await countedJest(node, 'long-lies-random', RANDOM_LIARS, { ...env, ...random })]);
    },
  },
  // What a relay without a script brings about, judged by the oracle: a seed that fails is named.
  relay: {
    needs: ['server'],
    run: (node) =>
      inARow(Math.ceil(RELAY_RUNS / RELAY_RUNS_AT_ONCE), (nth) => {
        const left = RELAY_RUNS - (nth - 1) * RELAY_RUNS_AT_ONCE;
        const env = {
          SEED: String(randomInt(2 ** 31)),
          RUNS: String(Math.min(left, RELAY_RUNS_AT_ONCE)),
        };
        return countedJest(node, `long-relay-${nth}`, [RANDOM_RELAY], env);
      }),
  },
  // What holds of any log, roster and vault, with other choices than `npm test` makes: a seed that fails is named.
  properties: {
    needs: ['redis'],
    run: (node, env) =>
      inARow(PROPERTY_SEEDS, (nth) => {
        const drawn = { ...env, SEED: String(randomInt(2 ** 31)) };
        return countedJest(node, `long-properties-${nth}`, PROPERTIES, drawn);
      }),
  },
  // A kill -9 at every write of every act.
  kills: {
    needs: ['server'],
    run: (node) => countedJest(node, 'long-kills', ['test/integration/resume.spec.ts'], { RESUME: 'all' }),
  },
  // A device that ends at every step of a vault's story, in each of the ways that it may end.
  keys: {
    needs: [],
    run: (node) =>
      countedJest(node, 'long-keys', ['libs/client/src/vault/key-table.spec.ts'], { EVERY_STEP: 'all' }),
  },
  fuzz: { needs: [], run: tool('fuzz.mjs') },
  mutants: { needs: [], run: tool('mutation.mjs') },
};

await runTool(() => runStages(stages, chooseStages(stages, process.argv.slice(2))));
