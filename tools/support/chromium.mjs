/**
 * The browser of the end-to-end tests: one that the machine has, or Debian's.
 *
 * Playwright's own browser download is not used: a browser from the system's packages is kept patched
 * by the system, and many test machines reach nothing but package registries.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { run } from './exec.mjs';
import { Remedy, say, step } from './report.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @param {string} path */
function isExecutable(path) {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error.code === 'EACCES') return false;
    throw error;
  }
}

/** @returns {string | undefined} */
function onPath() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

/** @returns {Promise<string>} the path of a Chromium */
export async function ensureChromium() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Remedy(
      `CHROMIUM_PATH is ${chosen}, which cannot be run.`,
      'Set it to a Chromium, or unset it.',
    );
  }
  const found = onPath();
  if (found !== undefined) return found;

  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    await step('Installing Chromium for the end-to-end tests (apt-get)', async () => {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      const update = await run('apt-get', ['update', '-qq'], { env });
      // An update that failed for one source may still have read the one that matters.
      if (update !== 0) say(`apt-get update ended with ${update}`);
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    });
    const installed = onPath();
    if (installed !== undefined) return installed;
  }
  throw new Remedy(
    'The end-to-end tests need Chromium.',
    'Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to a Chromium or Chrome.',
  );
}
