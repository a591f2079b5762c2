/**
 * The Node.js that builds and runs the project.
 *
 * Angular 22 needs at least 24.15, many machines still have 20. The npm package `node` carries the
 * binary, so that one registry is all a machine must reach. It has to be first on the PATH before the
 * main install: under an older Node some peer dependencies resolve to old majors.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { childEnvironment, run } from './exec.mjs';
import { Remedy, say, step } from './report.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const cacheFolder = join(root, '.cache');

const oldestForTools = 20;
const oldestForBuild = [24, 15];
const executableName = process.platform === 'win32' ? 'node.exe' : 'node';

/** @param {string} version such as v24.21.0 */
function canBuild(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > oldestForBuild[0] || (major === oldestForBuild[0] && minor >= oldestForBuild[1]);
}

/** @param {string} executable @returns {string | undefined} its version, if it runs at all */
function versionOf(executable) {
  if (!existsSync(executable)) return undefined;
  try {
    return execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim();
  } catch (error) {
    say(`${executable} does not run (${error.code ?? error.status}); it is installed again`);
    return undefined;
  }
}

/**
 * npm's own script where npm started us (then it can be run by any Node), else npm from the PATH.
 *
 * @param {string} node the executable that is to run npm
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function npm(node, args, options = {}) {
  const env = childEnvironment([dirname(node)], options.env);
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(node, [script, ...args], { cwd: root, ...options, env });
  return run('npm', args, { cwd: root, ...options, env, shell: process.platform === 'win32' });
}

/**
 * @returns {Promise<string>} the path of a Node.js that can build the project, outside node_modules
 *   because `npm ci` deletes that folder
 */
export async function ensureNode() {
  if (Number(process.versions.node.split('.')[0]) < oldestForTools) {
    throw new Remedy(`Node.js ${process.version} is too old.`, `Install Node.js ${oldestForTools} or later.`);
  }
  const ofTheProject = join(root, 'node_modules');
  if (canBuild(process.version) && !process.execPath.startsWith(ofTheProject)) return process.execPath;

  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node;
  const folder = join(cacheFolder, 'node');
  const executable = join(folder, 'node_modules', 'node', 'bin', executableName);
  if (versionOf(executable) === `v${wanted}`) return executable;

  await step(
    `Installing Node.js ${wanted} into .cache/node (this machine's is ${process.version})`,
    async () => {
      mkdirSync(folder, { recursive: true });
      // A manifest of its own allows the one install script, which links the binary into place.
      const manifest = {
        private: true,
        dependencies: { node: wanted },
        allowScripts: { [`node@${wanted}`]: true },
      };
      writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
      const options = [
        '--no-package-lock',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
        '--ignore-scripts=false',
      ];
      const code = await npm(process.execPath, ['install', ...options], { cwd: folder });
      if (code !== 0 || versionOf(executable) !== `v${wanted}`) {
        throw new Remedy(
          'Node.js could not be installed from the npm registry.',
          `Check the network and npm's registry setting, or put Node.js ${oldestForBuild.join('.')} or later on the PATH.`,
        );
      }
    },
  );
  return executable;
}
