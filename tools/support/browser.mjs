/** A browser of the tests: one that the machine has, or Debian's. */
import { canInstall, installFromDebian } from './debian.mjs';
import { isExecutable, onPath } from './path.mjs';
import { Remedy } from './report.mjs';

/**
 * @param {{ variable: string, programs: string[], debian: string, name: string, what: string, install: string }} browser
 *   `variable` names one in the environment, `debian` the package; `name`, `what` and `install` are for people: which
 *   browser, whose tests need it, and what else it may be
 * @returns {Promise<string>} its path
 */
export async function ensureBrowser({ variable, programs, debian, name, what, install }) {
  const chosen = process.env[variable];
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Remedy(`${variable} is ${chosen}, which cannot be run.`, `Set it to a ${name}, or unset it.`);
  }
  const found = onPath(...programs);
  if (found !== undefined) return found;

  if (canInstall()) {
    await installFromDebian(`${name} for the ${what}`, debian);
    const installed = onPath(...programs);
    if (installed !== undefined) return installed;
  }
  throw new Remedy(
    `The ${what} need ${name}.`,
    `Install it (Debian: apt-get install ${debian}), or set ${variable} to a ${install}.`,
  );
}
