/**
 * npm run test:compose: what wants a Docker engine. The image is built, docker-compose.yml is run with
 * three relays, and what Kubernetes runs of Redis Cluster; the suites of Redis on containers.
 *
 * Mandatory where CI is set; elsewhere a machine without an engine is told so, and nothing is run. The
 * last line is `N passed, N failed`.
 */
import { ensureChromium } from './support/chromium.mjs';
import { composeAnswers, engineAnswers } from './support/docker.mjs';
import { countedJest } from './support/jest.mjs';
import { Remedy, runTool, say } from './support/report.mjs';
import { ensureInstalled } from './support/workspace.mjs';

/** The same suites as in `npm test`, on servers in containers. */
const ON_CONTAINERS = [
  'test/integration/redis-support.spec.ts',
  'apps/relay/src/store/redis/redis-room-store.spec.ts',
];

/** @returns {Promise<string | undefined>} what is missing */
async function missing() {
  if (!(await engineAnswers())) return 'no Docker engine answers';
  if (!(await composeAnswers())) return 'there is neither `docker compose` nor docker-compose';
  return undefined;
}

/** @param {{ passed: number, failed: number }} total */
function close({ passed, failed }) {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}

await runTool(async () => {
  const lack = await missing();
  if (lack !== undefined) {
    const mandatory = Boolean(process.env.CI);
    say(`test:compose is ${mandatory ? 'mandatory where CI is set' : 'skipped'}: ${lack}`);
    return close({ passed: 0, failed: mandatory ? 1 : 0 });
  }
  const total = { passed: 0, failed: 0 };
  const run = async (name, args, env) => {
    const counts = await countedJest(node, name, [...args, '--runInBand'], env);
    for (const key of Object.keys(total)) total[key] += counts[key];
    say(`${name}: ${counts.passed} passed, ${counts.failed} failed`);
    for (const failure of counts.failures ?? []) say(`  failed: ${failure}`);
  };
  let node = '';
  try {
    node = await ensureInstalled();
    const chromium = await ensureChromium();
    await run('compose', ['--selectProjects', 'compose'], { CHROMIUM_PATH: chromium });
    await run(
      'containers',
      ['--selectProjects', 'integration', 'relay', '--runTestsByPath', ...ON_CONTAINERS],
      {
        TEST_REDIS: 'containers',
        REDIS_URL: '',
        // Each suite removes what it starts; the image of testcontainers' reaper may not be to be had.
        TESTCONTAINERS_RYUK_DISABLED: process.env.TESTCONTAINERS_RYUK_DISABLED ?? 'true',
      },
    );
  } catch (error) {
    if (!(error instanceof Remedy)) throw error;
    say(error.message);
    total.failed += 1;
  }
  return close(total);
});
