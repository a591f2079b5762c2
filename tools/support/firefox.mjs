/** The second browser of the tests, which speaks WebDriver BiDi by itself: one that the machine has, or Debian's. */
import { canInstall, installFromDebian } from './debian.mjs';
import { isExecutable, onPath } from './path.mjs';
import { Remedy } from './report.mjs';

const names = ['firefox-esr', 'firefox'];

/** @returns {Promise<string>} the path of a Firefox */
export async function ensureFirefox() {
  const chosen = process.env.FIREFOX_PATH;
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Remedy(`FIREFOX_PATH is ${chosen}, which cannot be run.`, 'Set it to a Firefox, or unset it.');
  }
  const found = onPath(...names);
  if (found !== undefined) return found;

  if (canInstall()) {
    await installFromDebian('Firefox for the tests', 'firefox-esr');
    const installed = onPath(...names);
    if (installed !== undefined) return installed;
  }
  throw new Remedy(
    'The tests of other browsers need Firefox.',
    'Install it (Debian: apt-get install firefox-esr), or set FIREFOX_PATH to a Firefox.',
  );
}
