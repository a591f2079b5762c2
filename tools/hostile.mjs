/**
 * npm run hostile: the hostile suite alone. `-- --report` prints, from the tests' names, a table of
 * guarantee × attack × outcome, as docs/threat-model.md holds it; fails also where a guarantee or a weakness
 * has no test.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { countedJest } from './support/jest.mjs';
import { cacheFolder } from './support/node.mjs';
import { elapsed, runTool, say } from './support/report.mjs';
import { buildServer, ensureInstalled } from './support/workspace.mjs';

const numbered = (/** @type {string} */ letter, /** @type {number} */ most) =>
  Array.from({ length: most }, (_, at) => `${letter}${at + 1}`);
const CODES = [...numbered('G', 16), ...numbered('W', 15)];

/** @typedef {{ codes: string[], attack: string, file: string, outcome: string }} Row */

/** @returns {Row[]} */
function rows() {
  const { testResults } = JSON.parse(readFileSync(join(cacheFolder, 'test', 'hostile.json'), 'utf8'));
  return testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults.flatMap(({ title, status }) => {
      const [, codes, attack] = /^((?:[GW]\d+ )+)(.*)$/.exec(title) ?? [];
      if (codes === undefined || attack === undefined) return [];
      const outcome = status === 'passed' ? 'held' : status === 'failed' ? '**BROKEN**' : status;
      return [{ codes: codes.trim().split(' '), attack, file: basename(path, '.spec.ts'), outcome }];
    }),
  );
}

/** @param {Row[]} all */
function report(all) {
  console.log('| | attack | test | outcome |\n|---|---|---|---|');
  for (const code of CODES) {
    for (const { codes, attack, file, outcome } of all)
      if (codes.includes(code)) console.log(`| ${code} | ${attack} | ${file} | ${outcome} |`);
  }
}

await runTool(async () => {
  const started = performance.now();
  const node = await ensureInstalled();
  await buildServer(node);
  const counts = await countedJest(node, 'hostile', ['--selectProjects', 'hostile']);
  const all = rows();
  if (process.argv.includes('--report')) report(all);
  const untested = CODES.filter((code) => !all.some(({ codes }) => codes.includes(code)));
  if (untested.length > 0) say(`no test is named after ${untested.join(', ')}`);
  say(`${counts.passed} passed, ${counts.failed} failed (${elapsed(started)})`);
  return counts.failed === 0 && untested.length === 0 ? 0 : 1;
});
