/** The model checker of docs/formal and the compiler that it needs: the machine's, or Debian's. */
import { canInstall, installFromDebian } from './debian.mjs';
import { onPath } from './path.mjs';
import { Remedy } from './report.mjs';

/** @typedef {{ spin: string, gcc: string }} Tools */

/** @returns {Tools | undefined} */
function tools() {
  const [spin, gcc] = [onPath('spin'), onPath('gcc')];
  return spin === undefined || gcc === undefined ? undefined : { spin, gcc };
}

/** @returns {Promise<Tools>} their paths */
export async function ensureSpin() {
  const found = tools();
  if (found !== undefined) return found;
  if (canInstall()) {
    await installFromDebian('spin for the model of the order', 'spin', 'gcc', 'libc6-dev');
    const installed = tools();
    if (installed !== undefined) return installed;
  }
  throw new Remedy(
    'The order of a room is searched with spin and gcc.',
    'Install them (Debian: apt-get install spin gcc libc6-dev; macOS: brew install spin, xcode-select --install).',
  );
}
