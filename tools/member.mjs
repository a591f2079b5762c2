/**
 * npm run -s member -- COMMAND: a member without a screen, for scripts and bots (docs/member.md).
 *
 * Its standard output is lines of JSON and nothing else: what the preparation has to say goes to the
 * standard error.
 */
import { join } from 'node:path';

import { run, runInForeground } from './support/exec.mjs';
import { runTool } from './support/report.mjs';
import { ensureNode, root } from './support/node.mjs';
import { projectEnvironment } from './support/workspace.mjs';

const main = join(root, 'libs', 'client', 'dist', 'node', 'member', 'main.js');

await runTool(async () => {
  const prepared = await run(process.execPath, [join(root, 'tools', 'support', 'prepare.mjs')], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (prepared !== 0) return prepared;
  const node = await ensureNode();
  // The vault's folder is meant from where the user is: npm has moved us to the root.
  return runInForeground(node, ['--no-warnings', main, ...process.argv.slice(2)], {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: projectEnvironment(node),
  });
});
