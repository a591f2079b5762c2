/**
 * npm run relay:dev: the relay, compiled and started again at each change of its sources or a library's.
 *
 * The compiler watches all projects at once (Nest's own watcher does not build project references), and
 * Node restarts when a file that it has loaded changes. The web client has its own: npm run start -w apps/web.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { runInForeground } from './support/exec.mjs';
import { root } from './support/node.mjs';
import { runTool } from './support/report.mjs';
import { buildServer, ensureInstalled, packageScript, projectEnvironment } from './support/workspace.mjs';

await runTool(async () => {
  const node = await ensureInstalled();
  await buildServer(node);
  const options = { cwd: root, env: projectEnvironment(node) };
  const compiler = spawn(
    node,
    [packageScript('typescript', 'bin/tsc'), '-b', '--watch', '--preserveWatchOutput'],
    {
      ...options,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const main = join(root, 'apps', 'relay', 'dist', 'main.js');
  try {
    return await runInForeground(
      node,
      ['--watch', '--enable-source-maps', main, ...process.argv.slice(2)],
      options,
    );
  } finally {
    compiler.kill();
  }
});
