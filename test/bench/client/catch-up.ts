/**
 * What a catch-up of 1,000 lines takes, on Node and in Chromium: several times, each from a log that has been read up to
 * the first new line. Connecting is in it. In the last one the browser's worker is sampled.
 */
import type { Browser } from 'playwright-core';
import type { RelayProcess } from '../../support/relay-process.js';
import { Story, type CaughtUp } from './story.js';
import { printTable, type Column } from './table.js';
import type { Spent } from './worker-target.js';

const LINES = 1_000;
const ROUNDS = 6;

export async function measureCatchUp(relay: RelayProcess, browser: Browser): Promise<readonly CaughtUp[]> {
  const story = await Story.begin(relay, browser);
  try {
    const rows: CaughtUp[] = [];
    while (rows.length < ROUNDS) rows.push(await story.catchUp(LINES, 0, rows.length === ROUNDS - 1));
    return rows;
  } finally {
    await story.end();
  }
}

const column = (title: string, of: (row: CaughtUp) => number): Column<CaughtUp> => ({
  title,
  of,
  plain: true,
});

export function printCatchUp(rows: readonly CaughtUp[]): void {
  printTable('1,000 lines caught up', rows, [
    column('log', ({ size }) => size),
    column('Node ms', ({ node }) => node.caughtUp.catchUp),
    column('CPU ms', ({ node }) => node.caughtUp.catchUpCpu),
    column('storage ms', ({ node }) => node.caughtUp.written.storageMs),
    column('writes', ({ node }) => node.caughtUp.written.writes),
    column('Chromium ms', ({ chromium }) => chromium?.caughtUp.catchUp ?? NaN),
  ]);
  const sampled = rows.flatMap(({ chromium }) => chromium?.caughtUp.spent ?? []);
  printTable<Spent>('Chromium’s worker in the last one', sampled, [
    { title: 'WebAssembly ms', of: ({ wasm }) => wasm, plain: true },
    { title: 'scripts ms', of: ({ script }) => script, plain: true },
    { title: 'idle ms', of: ({ idle }) => idle, plain: true },
  ]);
}
