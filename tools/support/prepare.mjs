/** Installs and builds what runs on Node, as a process of its own: a tool whose output is data starts it. */
import { runTool } from './report.mjs';
import { buildServer, ensureInstalled } from './workspace.mjs';

await runTool(async () => {
  await buildServer(await ensureInstalled());
  return 0;
});
