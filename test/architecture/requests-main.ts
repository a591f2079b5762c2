/** Part of npm run lint: what requests.ts finds, and how many files it finds it in; exit code 1 for any. */
import { join } from 'node:path';
import { checkRequests } from './requests.js';

const { findings } = checkRequests(join(import.meta.dirname, '..', '..'));
for (const { file, line, what } of findings) process.stdout.write(`${file}:${String(line)} ${what}\n`);
const files = new Set(findings.map(({ file }) => file)).size;
process.stdout.write(
  `files outside room/outgoing/ that send a room's requests, but what reads and begins: ${String(files)}\n`,
);
process.exitCode = files === 0 ? 0 : 1;
