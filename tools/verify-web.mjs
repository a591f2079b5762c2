/**
 * npm run verify:web -- URL [--build FOLDER]: whether a served page is the web client of these sources.
 *
 * Builds the client (unless --build names a build), downloads every file of it and its pages from the URL,
 * and prints what differs: bytes, files, and headers that the page's safety rests on. Exit code 1: something
 * does. Run it on a machine, and from an address, that whoever serves the page cannot tell from a user's.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from './support/node.mjs';
import { Remedy, runTool, say } from './support/report.mjs';
import { differencesOf } from './support/served-page.mjs';
import { buildAll, ensureInstalled } from './support/workspace.mjs';

await runTool(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { build: { type: 'string' } },
  });
  const [url] = positionals;
  if (url === undefined || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Remedy('Which page?', 'npm run verify:web -- https://chat.example.org');
  }
  if (values.build === undefined) {
    const node = await ensureInstalled({ toRun: true });
    await buildAll(node);
  }
  const folder = values.build ?? join(root, 'apps', 'web', 'dist', 'browser');
  let result;
  try {
    result = await differencesOf(url, folder);
  } catch (error) {
    // What fetch says of a host that does not answer, and of one that stops answering.
    if (error?.name !== 'TypeError' && error?.name !== 'TimeoutError') throw error;
    throw new Remedy(`${url} cannot be read.`, `Check the address (${error.cause?.code ?? error.message}).`);
  }
  const { hash, compared, differences } = result;
  for (const line of differences) process.stdout.write(`${line}\n`);
  say(`build of these sources: ${hash}`);
  const many = `${String(differences.length)} ${differences.length === 1 ? 'difference' : 'differences'}`;
  say(
    differences.length === 0
      ? `${url} serves exactly this build (${String(compared)} answers compared)`
      : `${url} does NOT serve this build: ${many}`,
  );
  return differences.length === 0 ? 0 : 1;
});
