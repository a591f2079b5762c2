/**
 * The checks that need no test to run: types of specs and tests, who writes room state, what nothing uses, ESLint,
 * Prettier, and of the Lua scripts.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { run } from './exec.mjs';
import { ensureLuacheck } from './luacheck.mjs';
import { root } from './node.mjs';
import { Remedy, say, step } from './report.mjs';
import { packageScript, projectEnvironment } from './workspace.mjs';

/**
 * @param {string} node
 * @returns {Promise<boolean>} whether all checks are clean; each one runs, whatever the others say
 */
export async function lint(node) {
  const checks = [
    ['Types of specs and tests', packageScript('typescript', 'bin/tsc'), ['-b', 'tsconfig.test.json']],
    ['Who writes room state', join(root, 'test', 'architecture', 'room-state-main.ts'), []],
    ['Who sends requests', join(root, 'test', 'architecture', 'requests-main.ts'), []],
    ['Folders and arrows', join(root, 'test', 'architecture', 'structure-main.ts'), []],
    ['Unused files, exports and dependencies', packageScript('knip', 'bin/knip.js'), ['--no-progress']],
    ['ESLint', packageScript('eslint', 'bin/eslint.js'), ['.', '--max-warnings', '0']],
    ['Prettier', packageScript('prettier', 'bin/prettier.cjs'), ['.', '--check', '--log-level', 'warn']],
  ];
  // Node runs the sources of test/ as they are (typescript-hooks.mjs); the others are scripts.
  const hooks = pathToFileURL(join(root, 'tools', 'typescript-hooks.mjs')).href;
  const flags = ['--disable-warning=ExperimentalWarning', '--import', hooks];
  let clean = true;
  for (const [title, script, args] of checks) {
    const code = await step(title, () =>
      run(node, [...(script.endsWith('.ts') ? flags : []), script, ...args], {
        cwd: root,
        env: projectEnvironment(node),
      }),
    );
    if (code !== 0) clean = false;
  }
  return (await lintLua(node)) && clean;
}

/** @param {string} node @returns {Promise<boolean>} false too where there is nothing to check with */
async function lintLua(node) {
  const title = 'Lua scripts (luacheck)';
  try {
    const args = [join(root, 'tools', 'luacheck.mjs'), await ensureLuacheck()];
    return (await step(title, () => run(node, args, { cwd: root, env: projectEnvironment(node) }))) === 0;
  } catch (error) {
    if (!(error instanceof Remedy)) throw error;
    say(`${title}: not run: ${error.message}`);
    return false;
  }
}
