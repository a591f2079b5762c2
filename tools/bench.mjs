/**
 * npm run bench -- NAME [arguments]: runs test/bench/*.ts of that NAME against the built libraries, relay and page.
 *
 * Type stripping runs the file (see typescript-hooks.mjs), so it may use no enums, no parameter
 * properties and no decorators. It imports `@0fc/*` as the applications do and starts the relay as
 * apps/relay/dist/main.js.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runInForeground } from './support/exec.mjs';
import { root } from './support/node.mjs';
import { Remedy, runTool } from './support/report.mjs';
import { buildServer, buildWeb, ensureInstalled, projectEnvironment } from './support/workspace.mjs';

const folder = join(root, 'test', 'bench');

await runTool(async () => {
  const [name, ...args] = process.argv.slice(2);
  const known = existsSync(folder) ? readdirSync(folder).filter((file) => /^[^.]+\.ts$/.test(file)) : [];
  if (name === undefined || !known.includes(`${name}.ts`)) {
    const names = known.map((file) => file.replace(/\.ts$/, '')).join(', ');
    throw new Remedy(
      'Which benchmark?',
      `npm run bench -- NAME, where NAME is one of: ${names || '(none yet)'}.`,
    );
  }
  const node = await ensureInstalled();
  await buildServer(node);
  // What opens the page wants it as it is deployed.
  const opensPage = name === 'client' && (args.includes('--full') || args.includes('--catch-up'));
  if (name === 'first-load' || opensPage) await buildWeb(node);
  const hooks = pathToFileURL(join(root, 'tools', 'typescript-hooks.mjs')).href;
  // --expose-gc: a benchmark of memory has to be able to collect before it measures.
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--import', hooks];
  return runInForeground(node, [...flags, join(folder, `${name}.ts`), ...args], {
    cwd: root,
    env: projectEnvironment(node),
  });
});
