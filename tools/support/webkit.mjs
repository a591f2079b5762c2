/**
 * WebKitGTK for the tests: its driver, the bindings by which test/browsers/webkit-window.js opens a window of it, and a screen that
 * nobody sees. The machine's, or Debian's.
 */
import { canInstall, installFromDebian } from './debian.mjs';
import { runQuietly } from './exec.mjs';
import { onPath } from './path.mjs';
import { Remedy } from './report.mjs';

const programs = ['WebKitWebDriver', 'Xvfb', 'gjs'];
const packages = ['webkit2gtk-driver', 'xvfb', 'gjs', 'gir1.2-webkit2-4.1'];

async function isThere() {
  if (programs.some((name) => onPath(name) === undefined)) return false;
  // The bindings are no program: gjs is asked for them.
  const { code } = await runQuietly('gjs', ['-c', "imports.gi.versions.WebKit2 = '4.1'; imports.gi.WebKit2"]);
  return code === 0;
}

/** Throws a Remedy where it cannot be had. */
export async function ensureWebKit() {
  if (await isThere()) return;
  if (canInstall()) {
    await installFromDebian('WebKit for the tests', ...packages);
    if (await isThere()) return;
  }
  throw new Remedy(
    'The tests of other browsers need WebKitGTK, its driver, gjs and Xvfb.',
    `Install them (Debian: apt-get install ${packages.join(' ')}; there is no WebKitGTK for macOS and Windows).`,
  );
}
