/** Two builds of one state of the sources, in two folders of different names and depths, are the same bytes. */
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
/** On the disk of the packages, which are linked and not copied. */
const PLACE = join(ROOT, '.cache', 'web-build');
const FOLDERS = [join(PLACE, 'one folder'), join(PLACE, 'another', 'and-deeper')] as const;
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

async function build(folder: string): Promise<string> {
  const packages = (name: string, file: string): string => join(folder, 'node_modules', name, file);
  await run(folder, packages('typescript', 'bin/tsc'), '-b', 'libs/client/tsconfig.browser.json');
  const web = join(folder, 'apps', 'web');
  await run(web, join(web, 'scripts', 'themis-asset.mjs'));
  await run(web, packages('@angular/cli', 'bin/ng.js'), 'build');
  return (await run(folder, join(folder, 'tools', 'web-hash.mjs'), join(web, 'dist', 'browser'))).trim();
}

beforeAll(() => {
  rmSync(PLACE, { recursive: true, force: true });
  // One snapshot for both: somebody may be editing.
  const [first, second] = FOLDERS;
  for (const source of SOURCES) {
    cpSync(join(ROOT, source), join(first, source), {
      recursive: true,
      filter: (path) => !MADE.has(basename(path)),
    });
  }
  cpSync(first, second, { recursive: true });
  for (const folder of FOLDERS) {
    link(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    link(join(ROOT, 'apps/web/node_modules'), join(folder, 'apps/web/node_modules'));
  }
});
afterAll(() => rmSync(PLACE, { recursive: true, force: true }));

test('two builds in two folders have one hash', async () => {
  const hashes = [await build(FOLDERS[0]), await build(FOLDERS[1])];
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(hashes[1]).toBe(hashes[0]);
});
