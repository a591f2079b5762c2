/** A busy loop, for tests of a busy machine: it takes one core until its parent ends it, or is gone. */
const parent = process.ppid;
const LOOK_MS = 200;

while (process.ppid === parent) {
  const next = performance.now() + LOOK_MS;
  while (performance.now() < next);
}
