/**
 * npm run verify:web -- URL [--build FOLDER] [--no-browser]: whether a served page is the web client of these sources.
 *
 * Builds the client (unless --build names a build) and asks for every file of it, for its pages and for pages that nobody has foreseen,
 * in each form and as browsers of several kinds do; then a real browser loads it. Prints what differs: bytes, files,
 * headers. Exit code 1: something does. Run it on a machine, and from an address, that whoever serves the page
 * cannot tell from a user's.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from './support/node.mjs';
import { Remedy, runTool, say } from './support/report.mjs';
import { closeConnections } from './support/page-request.mjs';
import { buildAll, ensureInstalled } from './support/workspace.mjs';

/** What the relay answers by itself is of these sources as well. */
const RELAY = join(root, 'apps', 'relay', 'dist', 'http', 'permissions.js');

await runTool(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { build: { type: 'string' }, 'no-browser': { type: 'boolean' } },
  });
  const [url] = positionals;
  if (url === undefined || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Remedy('Which page?', 'npm run verify:web -- https://chat.example.org');
  }
  const inBrowser = values['no-browser'] !== true;
  if (values.build === undefined) await buildAll(await ensureInstalled({ toRun: !inBrowser }));
  else if (inBrowser) await ensureInstalled();
  if (!existsSync(RELAY))
    throw new Remedy('The relay, whose headers are due, has not been built.', 'npm run build');
  const folder = values.build ?? join(root, 'apps', 'web', 'dist', 'browser');
  // Not before there are packages, and a relay that has been built.
  const { differencesOf, relayFingerprint } = await import('./support/served-page.mjs');
  const result = await differencesOf(url, folder).catch(unreadable(url));
  const seen = inBrowser
    ? await (await import('./support/browser-page.mjs')).browserDifferences(url, folder)
    : { compared: 0, differences: [] };
  const relay = await relayFingerprint(url);
  closeConnections();
  const differences = [...result.differences, ...seen.differences];
  const compared = result.compared + seen.compared;
  for (const line of differences) process.stdout.write(`${line}\n`);
  say(`build of these sources: ${result.hash}`);
  say(
    relay === null
      ? 'no relay is named at this address'
      : `relay key named at this address: ${relay}. Compare it with the fingerprint that the operator has told by another way.`,
  );
  if (!inBrowser) say('not compared: what a real browser is served (--no-browser)');
  const many = `${String(differences.length)} ${differences.length === 1 ? 'difference' : 'differences'}`;
  say(
    differences.length === 0
      ? `${url} serves exactly this build (${String(compared)} answers compared)`
      : `${url} does NOT serve this build: ${many}`,
  );
  say('not proved: what is served to somebody else, from another address, or at another time');
  return differences.length === 0 ? 0 : 1;
});

/** What the system says of a host that does not answer, and of one that stops answering. @param {string} url */
function unreadable(url) {
  return (error) => {
    if (typeof error?.code !== 'string' && error?.name !== 'TimeoutError') throw error;
    throw new Remedy(`${url} cannot be read.`, `Check the address (${error.code ?? error.message}).`);
  };
}
