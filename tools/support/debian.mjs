/** Installing what tests need from Debian's packages, where we may. */
import { existsSync } from 'node:fs';

import { run } from './exec.mjs';
import { say, step } from './report.mjs';

/** Whether apt-get is there and may be used. */
export function canInstall() {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0;
}

/** @param {string} what for the reader @param {string[]} packageNames */
export async function installFromDebian(what, ...packageNames) {
  await step(`Installing ${what} (apt-get)`, async () => {
    // RUNLEVEL=1: a package that brings a service does not start it.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const update = await run('apt-get', ['update', '-qq'], { env });
    // An update that failed for one source may still have read the one that matters.
    if (update !== 0) say(`apt-get update ended with ${update}`);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packageNames], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  });
}
