/**
 * npm run pack-peers [-- NAME]: the relay and the member without a screen as they are built today, each packed into one
 * file of a folder NAME in test/fixtures/peers, for later code to talk with (README.md there). NAME is made of the
 * versions unless said; what is there is never made again.
 *
 * The sources have to be committed: made.json names the commit that they are of. The same sources, packages and Node
 * give the same bytes, wherever the repository lies.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './support/node.mjs';
import { Remedy, runTool, say } from './support/report.mjs';
import { buildServer, ensureInstalled } from './support/workspace.mjs';

const folder = join(root, 'test', 'fixtures', 'peers');
/** All that a packed program is made of. */
const sources = ['libs', 'apps/relay', 'package-lock.json', 'tsconfig.base.json'];

/** @param {string[]} args */
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

await runTool(async () => {
  const changed = git('status', '--porcelain', '--', ...sources);
  if (changed !== '')
    throw new Remedy(`The sources have changes of no commit:\n${changed}\n`, 'Commit them first.');
  await buildServer(await ensureInstalled());
  // What follows is there only now: the built library, and the packages.
  const { LINK_VERSION, PROTOCOL_VERSION } = await import('@0fc/protocol');
  const name = process.argv[2] ?? `protocol-${PROTOCOL_VERSION}-link-${LINK_VERSION}`;
  if (!/^[a-z][a-z\d.-]*$/.test(name))
    throw new Remedy(`${name} is no name for a folder.`, 'For example: release-1.0.0');
  const into = join(folder, name);
  if (existsSync(into))
    throw new Remedy(`test/fixtures/peers/${name} is there, and stays as it was made.`, 'Give another NAME.');
  const { bundledPrograms } = await import('./support/peer-bundles.mjs');
  const { programs, licenses, made } = await bundledPrograms();
  mkdirSync(into, { recursive: true });
  for (const [file, bytes] of Object.entries(programs)) {
    writeFileSync(join(into, file), bytes);
    say(`test/fixtures/peers/${name}/${file}: ${bytes.length.toLocaleString('en')} bytes`);
  }
  writeFileSync(join(into, 'LICENSES.txt'), licenses);
  const commit = git('log', '-1', '--format=%H', '--', ...sources);
  const versions = { protocol: PROTOCOL_VERSION, link: LINK_VERSION };
  writeFileSync(join(into, 'made.json'), `${JSON.stringify({ commit, ...versions, ...made }, null, 2)}\n`);
  return 0;
});
