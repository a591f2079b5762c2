/** Two builds of one state of the sources, here and in a folder of another name and depth, are the same bytes. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';

jest.setTimeout(600_000);

const ROOT = resolve(import.meta.dirname, '../..');
/** On the disk of the packages, which are linked and not copied; of another depth, and another kind of name. */
const PLACE = join(ROOT, '.cache', 'web-build');
const ELSEWHERE = join(PLACE, 'one folder', 'and-deeper');
const SOURCES = ['package.json', 'tsconfig.base.json', 'libs', 'apps/web', 'types', 'tools'] as const;
const MADE = new Set(['node_modules', 'dist', '.angular', '.cache', 'test-results']);

/** The packages as they lie, each file a hard link: a build sees them at its own path. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const stats = lstatSync(source);
    if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (stats.isDirectory()) link(source, target);
    else linkSync(source, target);
  }
}

async function run(cwd: string, script: string, ...args: readonly string[]): Promise<string> {
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  const { NODE_OPTIONS: _jest, ...env } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { ...env, PATH: path, NG_CLI_ANALYTICS: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(output);
  return output;
}

const hashOf = async (folder: string): Promise<string> =>
  (await run(folder, join(folder, 'tools/web-hash.mjs'), join(folder, 'apps/web/dist/browser'))).trim();

async function build(folder: string): Promise<void> {
  const packages = (name: string, file: string): string => join(folder, 'node_modules', name, file);
  await run(folder, packages('typescript', 'bin/tsc'), '-b', 'libs/client/tsconfig.browser.json');
  const web = join(folder, 'apps', 'web');
  await run(web, join(web, 'scripts', 'themis-asset.mjs'));
  await run(web, packages('@angular/cli', 'bin/ng.js'), 'build');
  await run(folder, join(folder, 'tools/web-integrity.mjs'), join(web, 'dist/browser'));
}

beforeAll(() => {
  rmSync(PLACE, { recursive: true, force: true });
  for (const source of SOURCES) {
    cpSync(join(ROOT, source), join(ELSEWHERE, source), {
      recursive: true,
      filter: (path) => !MADE.has(basename(path)),
    });
  }
  link(join(ROOT, 'node_modules'), join(ELSEWHERE, 'node_modules'));
  link(join(ROOT, 'apps/web/node_modules'), join(ELSEWHERE, 'apps/web/node_modules'));
});
afterAll(() => rmSync(PLACE, { recursive: true, force: true }));

// The stage has built the page here (tools/test.mjs): sources that were edited since give another hash.
test('two builds in two folders have one hash', async () => {
  await build(ELSEWHERE);
  const [here, elsewhere] = [await hashOf(ROOT), await hashOf(ELSEWHERE)];
  expect(here).toMatch(/^[0-9a-f]{64}$/);
  expect(elsewhere).toBe(here);
});
