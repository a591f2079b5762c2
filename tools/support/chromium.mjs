/**
 * The browser of the end-to-end tests: one that the machine has, or Debian's.
 *
 * Playwright's own browser download is not used: a browser from the system's packages is kept patched
 * by the system, and many test machines reach nothing but package registries.
 */
import { canInstall, installFromDebian } from './debian.mjs';
import { isExecutable, onPath } from './path.mjs';
import { Remedy } from './report.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

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
  const found = onPath(...names);
  if (found !== undefined) return found;

  if (canInstall()) {
    await installFromDebian('Chromium for the end-to-end tests', 'chromium');
    const installed = onPath(...names);
    if (installed !== undefined) return installed;
  }
  throw new Remedy(
    'The end-to-end tests need Chromium.',
    'Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to a Chromium or Chrome.',
  );
}
