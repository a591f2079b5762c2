/**
 * What the tools print: one line per step with its time, and a sign of life while a step is silent.
 */

/** A failure that the reader can act on: printed as one line, without a stack. */
export class Remedy extends Error {
  /**
   * @param {string} problem what is wrong
   * @param {string} remedy what to do about it
   */
  constructor(problem, remedy) {
    super(`${problem} ${remedy}`);
    this.name = 'Remedy';
  }
}

/** @param {number} since milliseconds, from performance.now() */
export function elapsed(since) {
  const seconds = (performance.now() - since) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`[0fc] ${text}\n`);
}

/**
 * Runs one step, saying when it starts, that it still runs (every 15 s), and how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = performance.now();
  say(`${title} ...`);
  const alive = setInterval(() => say(`${title}: still running (${elapsed(started)})`), 15_000);
  try {
    const result = await work();
    say(`${title}: done in ${elapsed(started)}`);
    return result;
  } finally {
    clearInterval(alive);
  }
}

/**
 * The entry point of a tool: a Remedy becomes one line and exit code 1, anything else keeps its stack.
 *
 * @param {() => Promise<number>} main resolves to the exit code
 */
export async function runTool(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof Remedy) process.stderr.write(`[0fc] ${error.message}\n`);
    else throw error;
  }
}
