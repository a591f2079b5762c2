/**
 * Installing and building, each skipped when its inputs are those of the last time.
 *
 * Stamps in .cache/stamps hold the hash of the inputs. A step's outputs are checked too, so that
 * removing node_modules or a dist folder makes it run again.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import { childEnvironment, run } from './exec.mjs';
import { cacheFolder, ensureNode, npm, root } from './node.mjs';
import { Remedy, say, step } from './report.mjs';

const binFolder = join(root, 'node_modules', '.bin');
/** The folders of .gitignore: what a build leaves must not make the next one think that its sources have changed. */
const madeFolders = new Set(['node_modules', 'dist', '.angular', '.cache', 'coverage', 'test-results']);

/** @param {string} folder @returns {string[]} every file below, but what tools make */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return madeFolders.has(entry.name) ? [] : filesBelow(path);
  });
}

/** @param {string[]} files @param {string} salt */
function hashOf(files, salt) {
  const hash = createHash('sha256').update(salt);
  for (const file of files.toSorted()) {
    hash.update(`\0${relative(root, file).split(sep).join('/')}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * @param {{ name: string, hash: string, outputs: string[], work: () => Promise<void>, isCurrent?: () => boolean }} task
 *   isCurrent: whether someone else has done the work already
 * @returns {Promise<void>}
 */
async function unlessCurrent({ name, hash, outputs, work, isCurrent }) {
  const stamp = join(cacheFolder, 'stamps', name);
  const sameInputs = existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
  if (outputs.every((path) => existsSync(join(root, path))) && (sameInputs || isCurrent?.())) {
    say(`${name}: up to date`);
    return;
  }
  // Whatever stops the work half-way, the next run starts it again.
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

/** @param {string} path @returns {number} milliseconds */
function modified(path) {
  return statSync(join(root, path)).mtimeMs;
}

/**
 * The environment for the project's own commands: its Node and its tools first on the PATH, and what Node has compiled
 * kept for the next process: the tests start hundreds of them.
 *
 * @param {string} node
 * @param {NodeJS.ProcessEnv} [extra]
 */
export function projectEnvironment(node, extra) {
  const compiled = { NODE_COMPILE_CACHE: join(cacheFolder, 'compiled') };
  return childEnvironment([dirname(node), binFolder], { ...compiled, ...extra });
}

/**
 * The path of a JavaScript command of a package, to be run by the project's Node: no shell, no shims.
 *
 * @param {string} packageName
 * @param {string} path inside the package
 */
export function packageScript(packageName, path) {
  return join(root, 'node_modules', packageName, path);
}

/** Packages that only tests and checks need hang on the repository's own manifest; one of them stands for all. */
const forTests = 'node_modules/jest/package.json';

/**
 * @param {{ toRun?: boolean }} [options] `toRun`: what builds and runs relay and page is enough, which is half of the
 *   packages; where all have been installed before, all are kept current
 * @returns {Promise<string>} the Node.js to use, with the packages installed
 */
export async function ensureInstalled({ toRun = false } = {}) {
  const node = await ensureNode();
  const record = 'node_modules/.package-lock.json';
  const all = !toRun || existsSync(join(root, forTests));
  const which = all ? [] : ['--workspaces'];
  await unlessCurrent({
    name: 'packages',
    // The lock file says all: `npm ci` refuses manifests that disagree with it.
    hash: hashOf(
      ['package-lock.json', '.npmrc'].map((path) => join(root, path)),
      `${process.platform} ${process.arch} ${which.join(' ')}`,
    ),
    outputs: [record, 'node_modules/typescript/package.json', ...(all ? [forTests] : [])],
    // npm writes its record at the end of an install: a developer's own `npm install` counts.
    isCurrent: () => modified(record) >= modified('package-lock.json'),
    work: () =>
      step(
        all ? 'Installing packages (npm ci)' : 'Installing the packages that it runs on (npm ci)',
        async () => {
          const install = (...flags) => npm(node, ['ci', ...which, '--no-audit', '--no-fund', ...flags]);
          // What npm has in its cache, without asking the registry of each package, is faster by a third. A cache of
          // before a version came out ends that, and so does an empty one without a network.
          const cached = await install('--prefer-offline', '--fetch-retries=0', '--loglevel=silent');
          const code = cached === 0 ? 0 : await install('--loglevel=error');
          if (code !== 0) {
            throw new Remedy(
              'The packages could not be installed; npm says why above.',
              "Check the network and npm's registry setting, then run the same command again.",
            );
          }
        },
      ),
  });
  return node;
}

/**
 * Everything: the libraries first, then relay and web client side by side, since neither needs the other.
 *
 * @param {string} node
 */
export async function buildAll(node) {
  await compile(node, 'Building the libraries (tsc -b)', ['libs/client/tsconfig.browser.json']);
  const results = await Promise.allSettled([buildServer(node), buildWeb(node)]);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/**
 * The libraries and the relay. `tsc -b` knows by itself what is current, and takes a second to find out.
 *
 * @param {string} node
 */
export async function buildServer(node) {
  await compile(node, 'Building the libraries and the relay (tsc -b)', []);
}

/** @param {string} node @param {string} title @param {string[]} projects none: all of tsconfig.json */
async function compile(node, title, projects) {
  await step(title, async () => {
    const tsc = packageScript('typescript', 'bin/tsc');
    const code = await run(node, [tsc, '-b', ...projects], { cwd: root, env: projectEnvironment(node) });
    if (code !== 0)
      throw new Remedy('The build failed; the compiler says why above.', 'Correct the errors it names.');
    copyScripts();
  });
}

/** The Lua scripts of the relay's store, beside the module that reads them when the relay starts. */
const scripts = ['store', 'redis', 'scripts'];
export const scriptSources = join(root, 'apps', 'relay', 'src', ...scripts);
export const builtScripts = join(root, 'apps', 'relay', 'dist', ...scripts);

/** What the compiler leaves aside. A script that is no more goes. */
export function copyScripts() {
  for (const file of filesBelow(builtScripts).filter((path) => path.endsWith('.lua'))) rmSync(file);
  cpSync(scriptSources, builtScripts, {
    recursive: true,
    filter: (path) => path.endsWith('.lua') || statSync(path).isDirectory(),
  });
}

/**
 * The web client, from its sources and those of the libraries.
 *
 * @param {string} node
 */
export async function buildWeb(node) {
  const folders = ['apps/web', 'libs/protocol', 'libs/crypto', 'libs/client', 'types'];
  const inputs = [
    ...folders.flatMap((folder) => filesBelow(join(root, folder))),
    join(root, 'tsconfig.base.json'),
    join(root, 'tools', 'support', 'web-files.mjs'),
    join(root, 'tools', 'support', 'web-integrity.mjs'),
  ];
  await unlessCurrent({
    name: 'web-client',
    hash: hashOf(inputs, readFileSync(join(root, 'package-lock.json'), 'utf8')),
    outputs: ['index.html', 'index.html.br', 'build.json'].map((name) => `apps/web/dist/browser/${name}`),
    work: () =>
      step('Building the web client', async () => {
        const env = projectEnvironment(node, { NG_CLI_ANALYTICS: 'false' });
        const code = await npm(node, ['run', 'build', '--workspace', 'apps/web'], { env });
        if (code !== 0)
          throw new Remedy('The web client was not built; the log above says why.', 'Correct the errors.');
      }),
  });
}
