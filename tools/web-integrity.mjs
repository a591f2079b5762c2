/**
 * node tools/web-integrity.mjs [FOLDER]: writes into index.html of a fresh build of the web client what its page has to
 * check by itself. The build runs it before it takes the hash of the whole.
 */
import { join } from 'node:path';

import { root } from './support/node.mjs';
import { runTool } from './support/report.mjs';
import { nameKeptFiles } from './support/web-integrity.mjs';

await runTool(async () => {
  nameKeptFiles(process.argv[2] ?? join(root, 'apps', 'web', 'dist', 'browser'));
  return 0;
});
