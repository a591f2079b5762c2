/**
 * The checks that need no test to run: types of specs and tests, who writes room state, what nothing uses, ESLint,
 * Prettier, and of the Lua scripts.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runQuietly } from './exec.mjs';
import { ensureLuacheck } from './luacheck.mjs';
import { root } from './node.mjs';
import { Remedy, say, step } from './report.mjs';
import { packageScript, projectEnvironment } from './workspace.mjs';

/**
 * Side by side: ESLint, which knows one core and takes longer than all others together, and the others one after the
 * other. What each of them prints comes whole, when it has ended.
 *
 * @param {string} node
 * @returns {Promise<boolean>} whether all checks are clean; each one runs, whatever the others say
 */
export async function lint(node) {
  const eslint = ['ESLint', packageScript('eslint', 'bin/eslint.js'), ['.', '--max-warnings', '0']];
  const others = [
    ['Types of specs and tests', packageScript('typescript', 'bin/tsc'), ['-b', 'tsconfig.test.json']],
    ['Who writes room state', join(root, 'test', 'architecture', 'room-state-main.ts'), []],
    ['Who sends requests', join(root, 'test', 'architecture', 'requests-main.ts'), []],
    ['Folders and arrows', join(root, 'test', 'architecture', 'structure-main.ts'), []],
    ['Unused files, exports and dependencies', packageScript('knip', 'bin/knip.js'), ['--no-progress']],
    ['Prettier', packageScript('prettier', 'bin/prettier.cjs'), ['.', '--check', '--log-level', 'warn']],
  ];
  const results = await Promise.all([
    check(node, eslint),
    (async () => {
      let clean = true;
      for (const one of others) clean = (await check(node, one)) && clean;
      return (await lintLua(node)) && clean;
    })(),
  ]);
  return results.every(Boolean);
}

// Node runs the sources of test/ as they are (typescript-hooks.mjs); the others are scripts.
const hooks = pathToFileURL(join(root, 'tools', 'typescript-hooks.mjs')).href;
const forSources = ['--disable-warning=ExperimentalWarning', '--import', hooks];

/** @param {string} node @param {[title: string, script: string, args: string[]]} one @returns {Promise<boolean>} */
async function check(node, [title, script, args]) {
  const flags = script.endsWith('.ts') ? forSources : [];
  const { code, output } = await step(title, () =>
    runQuietly(node, [...flags, script, ...args], { cwd: root, env: projectEnvironment(node) }),
  );
  process.stdout.write(output);
  return code === 0;
}

/** @param {string} node @returns {Promise<boolean>} false too where there is nothing to check with */
async function lintLua(node) {
  const title = 'Lua scripts (luacheck)';
  try {
    return await check(node, [title, join(root, 'tools', 'luacheck.mjs'), [await ensureLuacheck()]]);
  } catch (error) {
    if (!(error instanceof Remedy)) throw error;
    say(`${title}: not run: ${error.message}`);
    return false;
  }
}
