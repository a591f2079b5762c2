/**
 * The checks that need no test to run: types of specs and tests, ESLint, Prettier.
 */
import { run } from './exec.mjs';
import { root } from './node.mjs';
import { step } from './report.mjs';
import { packageScript, projectEnvironment } from './workspace.mjs';

/**
 * @param {string} node
 * @returns {Promise<boolean>} whether all checks are clean; each one runs, whatever the others say
 */
export async function lint(node) {
  const checks = [
    ['Types of specs and tests', packageScript('typescript', 'bin/tsc'), ['-b', 'tsconfig.test.json']],
    ['ESLint', packageScript('eslint', 'bin/eslint.js'), ['.', '--max-warnings', '0']],
    ['Prettier', packageScript('prettier', 'bin/prettier.cjs'), ['.', '--check', '--log-level', 'warn']],
  ];
  let clean = true;
  for (const [title, script, args] of checks) {
    const code = await step(title, () =>
      run(node, [script, ...args], { cwd: root, env: projectEnvironment(node) }),
    );
    if (code !== 0) clean = false;
  }
  return clean;
}
