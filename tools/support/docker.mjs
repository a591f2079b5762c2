/** Docker and Compose, as they are on this machine. */
import { run } from './exec.mjs';

/** @param {string} command @param {string[]} args */
async function succeeds(command, args) {
  return (await run(command, args, { stdio: 'ignore' })) === 0;
}

/** Whether there is a docker command and an engine behind it. */
export function engineAnswers() {
  return succeeds('docker', ['info']);
}

/** Whether there is Compose, v2 or 1.29. */
export async function composeAnswers() {
  return (
    (await succeeds('docker', ['compose', 'version'])) || (await succeeds('docker-compose', ['version']))
  );
}
