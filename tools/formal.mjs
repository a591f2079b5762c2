/**
 * npm run formal: the order of a room, searched exhaustively, and the models that are broken on purpose (docs/formal).
 * Prints of each search its states, its depth and its time; the last line is `N passed, N failed`.
 *
 *   -- --bounded   what `npm test` runs: below a minute
 */
import { bounded, searchAll, whole } from './support/formal.mjs';
import { ensureSpin } from './support/model-checker.mjs';
import { Remedy, runTool, say } from './support/report.mjs';

await runTool(async () => {
  try {
    const tools = await ensureSpin();
    // Of the whole search one alone may want all the memory of a machine.
    const { passed, failed } = process.argv.includes('--bounded')
      ? await searchAll(tools, bounded(), 2)
      : await searchAll(tools, whole(), 1);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof Remedy)) throw error;
    say(`not run: ${error.message}`);
    process.stdout.write('0 passed, 1 failed\n');
    return 1;
  }
});
