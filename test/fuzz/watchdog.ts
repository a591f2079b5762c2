/** The thread of the watchdog (watch.ts). */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { NAMES, SLOT } from './watch.js';

const POLL_MS = 200;

const slots = workerData as Int32Array;
let beat = -1;
let since = performance.now();

setInterval(() => {
  const now = Atomics.load(slots, SLOT.beat);
  if (now !== beat) {
    beat = now;
    since = performance.now();
    return;
  }
  const limit = Atomics.load(slots, SLOT.limitMs);
  if (limit === 0 || performance.now() - since < limit) return;
  const target = NAMES[Atomics.load(slots, SLOT.target)] ?? '?';
  const where = `seed ${String(Atomics.load(slots, SLOT.seed))}, case ${String(Atomics.load(slots, SLOT.case))}`;
  writeSync(1, `FOUND ${target}: a case did not end within ${String(limit)} ms (${where})\n`);
  // The thread that hangs takes no signal that it could refuse.
  process.kill(process.pid, 'SIGKILL');
}, POLL_MS);
