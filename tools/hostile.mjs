/**
 * npm run hostile: the hostile suite alone. Fails also where a guarantee or a weakness has no test.
 *
 *   -- --report   prints guarantee × attack × outcome, as docs/threat-model.md holds it
 *   -- --write    writes it there; refused after a run in which anything failed
 *   -- --check    runs nothing: fails where the document's table is not what the tests are called
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  attacksIn,
  attacksInSources,
  CODES,
  differences,
  DOCUMENT,
  isOf,
  tableIn,
  tableOf,
  withTable,
} from './support/hostile-table.mjs';
import { countedJest } from './support/jest.mjs';
import { cacheFolder } from './support/node.mjs';
import { ensureRedis } from './support/redis.mjs';
import { elapsed, runTool, say } from './support/report.mjs';
import { buildServer, ensureInstalled } from './support/workspace.mjs';

const asked = (/** @type {string} */ flag) => process.argv.includes(`--${flag}`);

/** @typedef {import('./support/hostile-table.mjs').Attack & { outcome: string }} Ran */

/** What became of each test of the last run. @returns {Ran[]} */
function lastRun() {
  const { testResults } = JSON.parse(readFileSync(join(cacheFolder, 'test', 'hostile.json'), 'utf8'));
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap(({ title, status }) => {
      const outcome = status === 'passed' ? 'held' : status === 'failed' ? '**BROKEN**' : status;
      return attacksIn(title, name).map((attack) => ({ ...attack, outcome }));
    }),
  );
}

function check() {
  const lines = differences(
    tableIn(readFileSync(DOCUMENT, 'utf8')),
    tableOf(attacksInSources(), () => 'held'),
  );
  for (const line of lines) console.log(line);
  say(lines.length === 0 ? 'the table is up to date' : 'npm run hostile -- --write brings it up to date');
  return lines.length === 0 ? 0 : 1;
}

async function runSuite() {
  const started = performance.now();
  const node = await ensureInstalled();
  await buildServer(node);
  await ensureRedis();
  const counts = await countedJest(node, 'hostile', ['--selectProjects', 'hostile']);
  const all = attacksInSources();
  const ran = lastRun();
  const table = tableOf(all, (attack) => {
    const own = ran.filter((one) => isOf(attack, one)).map(({ outcome }) => outcome);
    return own.find((outcome) => outcome !== 'held') ?? own[0] ?? 'not run';
  });
  if (asked('report')) console.log(table);
  const untested = CODES.filter((code) => !all.some(({ codes }) => codes.includes(code)));
  if (untested.length > 0) say(`no test is named after ${untested.join(', ')}`);
  const unread = ran.filter((one) => !all.some((attack) => isOf(attack, one)));
  if (unread.length > 0)
    say(`run, and not found in the sources: ${unread.map(({ attack }) => attack).join(', ')}`);
  const good = counts.failed === 0 && untested.length === 0 && unread.length === 0;
  if (asked('write') && good) writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), table));
  say(`${counts.passed} passed, ${counts.failed} failed (${elapsed(started)})`);
  return good ? 0 : 1;
}

await runTool(async () => (asked('check') ? check() : await runSuite()));
