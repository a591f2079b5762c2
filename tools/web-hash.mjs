/**
 * node tools/web-hash.mjs [FOLDER] [--write]: the hash of a build of the web client (by default the one in
 * this repository). `--write`, which the build itself uses, leaves it in build.json for the page to show, and
 * compresses the files for the relay to serve.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from './support/node.mjs';
import { runTool } from './support/report.mjs';
import { compressBuild, readBuild, writeBuildFile } from './support/web-files.mjs';

await runTool(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { write: { type: 'boolean', default: false } },
  });
  const folder = positionals[0] ?? join(root, 'apps', 'web', 'dist', 'browser');
  const { hash } = values.write ? writeBuildFile(folder) : readBuild(folder);
  if (values.write) await compressBuild(folder);
  process.stdout.write(`${hash}\n`);
  return 0;
});
