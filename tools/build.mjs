/** npm run build: the libraries, the relay and the web client, from a fresh clone if need be. */
import { runTool } from './support/report.mjs';
import { buildAll, ensureInstalled } from './support/workspace.mjs';

await runTool(async () => {
  const node = await ensureInstalled({ toRun: true });
  await buildAll(node);
  return 0;
});
