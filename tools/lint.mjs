/** npm run lint: types, ESLint and Prettier over the whole repository. */
import { lint } from './support/lint.mjs';
import { runTool } from './support/report.mjs';
import { buildServer, ensureInstalled } from './support/workspace.mjs';

await runTool(async () => {
  const node = await ensureInstalled();
  await buildServer(node);
  return (await lint(node)) ? 0 : 1;
});
