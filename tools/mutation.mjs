/**
 * npm run test:mutation [-- --only TEXT --list --workers N]: test/mutation/main.ts, which takes the product's
 * defences out one by one, in a copy, and demands that a named test tells of each.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runInForeground } from './support/exec.mjs';
import { root } from './support/node.mjs';
import { runTool } from './support/report.mjs';
import { ensureInstalled, projectEnvironment } from './support/workspace.mjs';

await runTool(async () => {
  const node = await ensureInstalled();
  const hooks = pathToFileURL(join(root, 'tools', 'typescript-hooks.mjs')).href;
  const flags = ['--disable-warning=ExperimentalWarning', '--import', hooks];
  const main = join(root, 'test', 'mutation', 'main.ts');
  return runInForeground(node, [...flags, main, ...process.argv.slice(2)], {
    cwd: root,
    env: projectEnvironment(node),
  });
});
