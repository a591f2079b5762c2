/**
 * Child processes, started without a shell wherever one can be avoided, so that the repository may lie
 * at a path with spaces.
 */
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';

/** Settings that npm puts into the environment of its scripts and that must not reach another npm. */
const ofTheOuterNpm = /^npm_(lifecycle_|package_|command$|execpath$|node_execpath$|config_local_prefix$)/i;

/**
 * The environment of a child: the given folders first on the PATH, nothing of the npm that runs us.
 *
 * @param {string[]} pathFolders
 * @param {NodeJS.ProcessEnv} [extra]
 */
export function childEnvironment(pathFolders, extra = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !ofTheOuterNpm.test(name));
  const environment = { ...Object.fromEntries(inherited), ...extra };
  // Windows spells it Path.
  const name = Object.keys(environment).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  environment[name] = [...pathFolders, environment[name] ?? ''].join(delimiter);
  return environment;
}

/**
 * Runs a command to its end, its output going to ours.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @param {(text: string) => void} [hear] gets what it writes, where `options` make pipes of its outputs
 * @returns {Promise<number>} the exit code; 128 + n where signal n ended it, 127 where it cannot be started
 */
export function run(command, args, options = {}, hear = () => undefined) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', hear);
    child.on('error', (error) => {
      if (error.code === 'ENOENT') resolve(127);
      else reject(error);
    });
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + signalNumber(signal)));
  });
}

/**
 * Runs a command to its end beside others: its output is kept until then, standard error among it as it comes.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number, output: string }>} `code`: as of {@link run}
 */
export async function runQuietly(command, args, options = {}) {
  let output = '';
  const code = await run(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }, (text) => {
    output += text;
  });
  return { code, output };
}

/**
 * Runs a long-lived command: a signal that asks us to end is handed on, and its end is ours.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<number>}
 */
export async function runInForeground(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const handOn = (signal) => child.kill(signal);
  // A terminal sends Ctrl-C to the child as well: we only have to outlive it.
  process.on('SIGINT', process.stdin.isTTY ? () => undefined : handOn);
  process.on('SIGTERM', handOn);
  process.on('SIGHUP', handOn);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + signalNumber(signal)));
  });
}

/** @param {string} signal */
function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0;
}
