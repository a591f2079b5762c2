/**
 * Checks the store's Lua scripts: node tools/luacheck.mjs PATH-OF-LUACHECK, once the relay is built.
 *
 * Each is checked as the relay sends it, with all that it includes, so that a missing include is an undefined name.
 * What is found is reported once, at its line of the source. A function of lib/ is unused only where every script that
 * includes it leaves it unused.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { cacheFolder, root } from './support/node.mjs';

const built = join(root, 'apps', 'relay', 'dist', 'store', 'redis', 'scripts', 'scripts.js');
const sources = 'apps/relay/src/store/redis/scripts';
const folder = join(cacheFolder, 'lua');

/** @type {{ scripts: Record<string, { name: string, atOnce: { lua: string }, held: { lua: string } }> }} */
const { scripts } = await import(pathToFileURL(built).href);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = Object.values(scripts).flatMap(({ name, atOnce, held }) =>
  Object.entries({ atOnce, held }).map(([form, { lua }]) => {
    const file = join(folder, `${name}.${form}.lua`);
    writeFileSync(file, lua);
    return file;
  }),
);

/** Line by line of an assembled script: where it comes from, or undefined (scripts.ts marks where a source begins). */
const origins = new Map(
  files.map((file) => {
    /** @type {{ path: string, line: number } | undefined} */
    let at;
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .map((text) => {
        const mark = /^-- from (\S+\.lua):(\d+)$/.exec(text);
        if (mark !== null) at = { path: mark[1], line: Number(mark[2]) - 1 };
        else if (text.startsWith('-- end of ')) at = undefined;
        else if (at !== undefined) at = { path: at.path, line: at.line + 1 };
        return at;
      });
    return [file, lines];
  }),
);

const options = ['--config', join(root, '.luacheckrc'), '--no-cache', '--codes', '--formatter', 'plain'];
const { status, error, stdout, stderr } = spawnSync(process.argv[2], [...options, ...files], {
  encoding: 'utf8',
});
if (error !== undefined) throw error;
process.stderr.write(stderr);

/** Findings by their place in the sources, and in how many scripts each was. @type {Map<string, number>} */
const found = new Map();
/** Scripts that each file is part of. @type {Map<string, number>} */
const uses = new Map();
for (const lines of origins.values()) {
  for (const path of new Set(lines.map((at) => at?.path ?? ''))) uses.set(path, (uses.get(path) ?? 0) + 1);
}
for (const report of stdout.split('\n').filter((line) => line !== '')) {
  const [, file, line, column, message] = /^(.+):(\d+):(\d+): (.*)$/.exec(report) ?? [];
  if (file === undefined) throw new Error(`luacheck: ${report}`);
  const at = origins.get(file)?.[Number(line) - 1];
  // The names of keys and limits before the sources: how many they are is not of a file's making.
  if (at === undefined && /^\(W(211|631)\)/.test(message)) continue;
  const place = at === undefined ? `${file}:${line}` : `${sources}/${at.path}:${at.line}`;
  const finding = JSON.stringify({
    path: at?.path ?? '',
    text: `${place}:${column}: ${message.replace(/ on line \d+$/, '')}`,
  });
  found.set(finding, (found.get(finding) ?? 0) + 1);
}
const reported = [...found].flatMap(([finding, count]) => {
  const { path, text } = JSON.parse(finding);
  return text.includes('(W211)') && count < (uses.get(path) ?? 1) ? [] : [text];
});
for (const text of reported.toSorted()) process.stdout.write(`${text}\n`);
// 0: nothing; 1 and 2: what is reported here; more: it could not check.
process.exitCode = (status ?? 3) > 2 ? 1 : Math.min(reported.length, 1);
