/** Part of npm run lint: what room-state.ts finds, and how many files it finds it in; exit code 1 for any. */
import { join } from 'node:path';
import { checkRoomState } from './room-state.js';

const { findings } = checkRoomState(join(import.meta.dirname, '..', '..'));
for (const { file, line, what } of findings) process.stdout.write(`${file}:${String(line)} ${what}\n`);
const files = new Set(findings.map(({ file }) => file)).size;
process.stdout.write(
  `files outside room/state/ that assign room state or call anything there that writes, but apply: ${String(files)}\n`,
);
process.exitCode = files === 0 ? 0 : 1;
