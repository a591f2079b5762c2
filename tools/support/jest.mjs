/**
 * Jest as the tools run it: by the project's Node, with the flag that its ES modules need.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { run } from './exec.mjs';
import { cacheFolder, root } from './node.mjs';
import { packageScript, projectEnvironment } from './workspace.mjs';

/**
 * @param {string} node
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>} the exit code
 */
export function jest(node, args, options = {}) {
  // By NODE_OPTIONS and not by argument, because Jest's workers need the flags as well.
  const flags = [
    process.env.NODE_OPTIONS,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
  ];
  return run(node, [packageScript('jest', 'bin/jest.js'), ...args], {
    cwd: root,
    ...options,
    env: projectEnvironment(node, { NODE_OPTIONS: flags.filter(Boolean).join(' '), ...options.env }),
  });
}

/** @typedef {{ passed: number, failed: number, skipped: number, failures?: readonly string[] }} Counts `failures`: which, and why, a line each */

/**
 * Runs Jest and counts by its JSON result. What it cannot count, it counts as one failure: a spec file
 * that does not load, a run that wrote no result, an exit code that no failed test explains.
 *
 * @param {string} node
 * @param {string} name of the result file
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Counts>}
 */
export async function countedJest(node, name, args, env) {
  const file = join(cacheFolder, 'test', `${name}.json`);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const code = await jest(node, [...args, '--json', `--outputFile=${file}`], { env });
  const result = readResult(file);
  if (result === undefined) return { passed: 0, failed: 1, skipped: 0, failures: ['Jest wrote no result'] };
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
    failures: result.testResults.flatMap(failuresOf),
  };
}

/** How many letters of a failure's message are printed once more in the end. */
const SHORT = 300;

/**
 * The failures of one file of Jest's JSON result, a line each.
 *
 * @param {{ name: string, status: string, message: string, assertionResults: { status: string, fullName: string, failureMessages: string[] }[] }} file
 * @returns {string[]}
 */
function failuresOf({ name, status, message, assertionResults }) {
  const tests = assertionResults.filter((test) => test.status === 'failed');
  const where = relative(root, name);
  if (tests.length === 0) return status === 'failed' ? [`${where}: ${short(message)}`] : [];
  return tests.map((test) => `${where}: ${test.fullName}: ${short(test.failureMessages.join(' '))}`);
}

/** @param {string} message */
const short = (message) => stripVTControlCharacters(message).replace(/\s+/g, ' ').trim().slice(0, SHORT);

/** @param {string} file */
function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
