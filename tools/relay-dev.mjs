/**
 * npm run relay:dev: the relay, compiled and started again at each change of its sources or a library's.
 *
 * `npm run relay:dev -- --replicas 3` runs three on ports 5103 to 5105, on the Redis that REDIS_URL names or
 * on one of their own.
 *
 * The compiler watches all projects at once (Nest's own watcher does not build project references), and
 * Node restarts when a file that it has loaded changes. The web client has its own: npm run start -w apps/web.
 */
import { spawn } from 'node:child_process';
import { utimesSync, watch } from 'node:fs';
import { join } from 'node:path';

import { runInForeground } from './support/exec.mjs';
import { root } from './support/node.mjs';
import { runReplicas } from './support/replicas.mjs';
import { Remedy, runTool } from './support/report.mjs';
import {
  buildServer,
  builtScripts,
  copyScripts,
  ensureInstalled,
  packageScript,
  projectEnvironment,
  scriptSources,
} from './support/workspace.mjs';

/** @param {string[]} args @returns {number | undefined} undefined: one relay, on the embedded store */
function replicasOf(args) {
  const at = args.findIndex((arg) => arg === '--replicas' || arg.startsWith('--replicas='));
  if (at < 0) return undefined;
  const given = args[at] === '--replicas' ? args[at + 1] : args[at].slice('--replicas='.length);
  if (/^[1-9]\d?$/.test(given ?? '')) return Number(given);
  throw new Remedy(
    '--replicas needs a number from 1 to 99.',
    'For example: npm run relay:dev -- --replicas 3',
  );
}

await runTool(async () => {
  const replicas = replicasOf(process.argv.slice(2));
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
  const scripts = watch(scriptSources, { recursive: true }, () => {
    copyScripts();
    // Node knows only modules as loaded: the one that reads the scripts counts as changed.
    utimesSync(join(builtScripts, 'scripts.js'), new Date(), new Date());
  });
  const main = join(root, 'apps', 'relay', 'dist', 'main.js');
  try {
    if (replicas !== undefined) return await runReplicas(node, replicas);
    return await runInForeground(
      node,
      ['--watch', '--enable-source-maps', main, ...process.argv.slice(2)],
      options,
    );
  } finally {
    scripts.close();
    compiler.kill();
  }
});
