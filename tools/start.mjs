/**
 * npm start: from a fresh clone to a running relay that serves the web client.
 *
 * `npm start -- --port 6000` sets the port (as PORT=6000 does; 5103 otherwise). Any other argument goes
 * to the relay. Configuration is the relay's own, by environment variables: docs/operations.md.
 */
import { join } from 'node:path';

import { runInForeground } from './support/exec.mjs';
import { root } from './support/node.mjs';
import { Remedy, runTool, say } from './support/report.mjs';
import { buildAll, ensureInstalled, projectEnvironment } from './support/workspace.mjs';

/** @param {string[]} args @returns {{ port: string | undefined, rest: string[] }} */
function separatePort(args) {
  const at = args.findIndex((arg) => arg === '--port' || arg.startsWith('--port='));
  if (at < 0) return { port: undefined, rest: args };
  const inline = args[at].startsWith('--port=');
  const port = inline ? args[at].slice('--port='.length) : args[at + 1];
  if (!port) throw new Remedy('--port needs a number.', 'For example: npm start -- --port 6000');
  return { port, rest: args.toSpliced(at, inline ? 1 : 2) };
}

await runTool(async () => {
  const { port, rest } = separatePort(process.argv.slice(2));
  const node = await ensureInstalled({ toRun: true });
  await buildAll(node);
  const chosen = port ?? process.env.PORT ?? '5103';
  say(`Starting the relay on port ${chosen}; Ctrl-C ends it`);
  return runInForeground(node, [join(root, 'apps', 'relay', 'dist', 'main.js'), ...rest], {
    cwd: root,
    env: projectEnvironment(node, { PORT: chosen }),
  });
});
