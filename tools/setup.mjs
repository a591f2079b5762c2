/** npm run setup: whatever is missing for work on the project, without building or testing it. */
import { runTool, say } from './support/report.mjs';
import { ensureInstalled } from './support/workspace.mjs';

await runTool(async () => {
  const node = await ensureInstalled();
  say(`ready; the project's Node.js is ${node}`);
  return 0;
});
