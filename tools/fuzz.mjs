/**
 * npm run fuzz [-- --cases N --seed S --only TARGETS --case N --save]: test/fuzz/main.ts.
 *
 * The libraries are taken from their sources (the condition `@0fc/source`; Node strips the types), the relay
 * that some targets talk to is the built one, in a process of its own.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runInForeground } from './support/exec.mjs';
import { root } from './support/node.mjs';
import { runTool } from './support/report.mjs';
import { buildServer, ensureInstalled, projectEnvironment } from './support/workspace.mjs';

await runTool(async () => {
  const node = await ensureInstalled();
  await buildServer(node);
  const hooks = pathToFileURL(join(root, 'tools', 'typescript-hooks.mjs')).href;
  const flags = [
    '--expose-gc',
    '--disable-warning=ExperimentalWarning',
    '--conditions=@0fc/source',
    '--import',
    hooks,
  ];
  return runInForeground(node, [...flags, join(root, 'test', 'fuzz', 'main.ts'), ...process.argv.slice(2)], {
    cwd: root,
    env: projectEnvironment(node),
  });
});
