/** The member without a screen on the streams of this process. */
import { createNodeClient } from '../client.js';
import { runMember } from './run.js';

/** Runs the process's own command line to its end. `open`: how its client is opened. */
export async function runMemberProcess(open = createNodeClient): Promise<void> {
  const code = await runMember(process.argv.slice(2), {
    environment: process.env,
    stdin: process.stdin,
    out: (line) => {
      process.stdout.write(`${line}\n`);
    },
    help: (text) => {
      process.stderr.write(text);
    },
    interrupted: (end) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
      // Nobody reads any more: `member listen | head -1`.
      process.stdout.once('error', end);
    },
    open,
  });
  process.exitCode = code;
  // Nothing is read any more: an open terminal or pipe would keep the process.
  process.stdin.destroy();
}
