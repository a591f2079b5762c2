/** Which Node.js the relay runs on. Imports nothing: it is read by any. */

/** Has `node:sqlite` without a flag, and is what the tests run on. */
const OLDEST_MAJOR = 24;

/** @returns one line for the operator with what to do, or null. `version` as in `process.version`. */
export function nodeTooOld(version: string): string | null {
  const major = Number(/^v?(\d+)\./.exec(version)?.[1]);
  if (major >= OLDEST_MAJOR) return null;
  return `Node.js ${version} cannot run the relay, which needs ${OLDEST_MAJOR} or later: start it by npm start, which brings its own, or install a newer one.`;
}
