/**
 * A short run of every target, each time with another seed, which the output names; `npm run fuzz` is the
 * long one. In processes of their own: one that hangs or falls must not take this one along.
 */
import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { seedOfRun } from '../support/random.js';

const ROOT = join(import.meta.dirname, '../..');
const FLAGS = [
  '--expose-gc', '--disable-warning=ExperimentalWarning', '--conditions=@0fc/source', '--import',
  './tools/typescript-hooks.mjs', 'test/fuzz/main.ts',
] as const; // prettier-ignore

async function fuzz(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  // Not Jest's own flags: they are for its loader of modules.
  const { NODE_OPTIONS: _jest, ...env } = process.env;
  const child = spawn(process.execPath, [...FLAGS, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output };
}

// Each runs in one thread of a process of its own: two at a time, as the stage asks for.
describe('a short run finds nothing in', () => {
  test.concurrent.each([
    ['what is parsed', 'codec,schemas,frames,invites', 60_000],
    ['links and a relay', 'handshakes,wire,in-session', 4_000],
    ['the client', 'entries,session,connection', 600],
    ['what lies on a disk', 'records,exports,passphrases', 900],
  ])('%s', async (_what, only, cases) => {
    const seed = String(seedOfRun());
    const { code, output } = await fuzz('--only', only, '--cases', String(cases), '--seed', seed);
    // The whole output where it fails: seed and case are in it.
    expect(code === 0 ? '' : output).toBe('');
    expect(output).toContain(`seed ${seed}: 0 found`);
  });
});

test.concurrent('a case that does not end is named, and ends the run', async () => {
  const { code, output } = await fuzz('--only', 'hang', '--cases', '3', '--seed', '1');
  expect(code).not.toBe(0);
  expect(output).toMatch(/FOUND hang: a case did not end within \d+ ms \(seed 1, case 2\)/);
});

test.concurrent(
  'a wrong outcome, a stray error, a lost rejection and a leak are found, and say where',
  async () => {
    const { code, output } = await fuzz('--only', 'wrong', '--cases', '64', '--seed', '1');
    expect(code).toBe(1);
    expect(output).toMatch(/FOUND wrong: a planted finding \(seed 1, case 3\)/);
    expect(output).toMatch(/FOUND wrong: TypeError: planted[\s\S]*?\(seed 1, case 5\)/);
    expect(output).toMatch(/FOUND wrong: Error: nobody waits[\s\S]*?\(seed 1, unhandled rejection\)/);
    expect(output).toMatch(/FOUND wrong: the heap grew by \d+ bytes in 64 cases \(seed 1, memory\)/);
  },
);
