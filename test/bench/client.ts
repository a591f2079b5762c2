/**
 * npm run bench -- client [--full | --acts | --catch-up]: what a long log costs a member.
 *
 * For a room of 8 whose log grows, written by a member through a real relay (1,000 and 10,000 lines; --full: 100,000
 * too, and the page in Chromium): unlocking the vault once the passphrase's key is derived, showing the room, catching
 * up, memory after that, an export, and what is written to the vault for each line. Lines are real: signed, sealed,
 * acknowledged by the relay, read and stored by the client itself. Ratios are to the smallest log of the same run; its
 * catch-up has connecting and a cold start in it. "With the core whole" is what the same writes come to where all of a
 * room's core is one record, written each time: 0.1 itself wrote 5 % less than that.
 *
 * For an owner's vault with 1,000, 10,000 and 100,000 lines, put there without a relay (--acts: nothing but this):
 * unlocking it, a line received, a line sent, the deletion of a line, a rotation, each alone and as a median: the clock,
 * CPU, what the database and the key file took of it, and what was written to either (client/acts.ts).
 *
 * With --catch-up nothing but 1,000 lines read in one catch-up, several times, on Node and in Chromium, and what its
 * worker spent that time with: WebAssembly, which is Themis, scripts, or waiting.
 *
 * And what 1,000 rotations leave on a member's disk.
 *
 * On a busy machine the columns of CPU time say more than those of the clock. Nothing here fails for being slow; what is
 * lost or an alarm ends the run.
 */
import { availableParallelism, loadavg } from 'node:os';
import { launch } from '../e2e/profile.js';
import { RelayProcess } from '../support/relay-process.js';
import { measureCatchUp, printCatchUp } from './client/catch-up.js';
import { measureActs, type Act, type Acts } from './client/acts.js';
import { measureRotations, ROTATIONS, type Rotated } from './client/rotations.js';
import { perLine, Story, type Device, type Measured } from './client/story.js';
import { mean, median, printTable, type Column } from './client/table.js';
import type { Written } from './client/meter.js';

const MIB = 2 ** 20;
const SIZES = [1_000, 10_000];
const MOST = 100_000;
const VAULTS = [1_000, 10_000, 100_000];
/** What runs for the first time is slower: the first vault is measured and left out. */
const WARM = 1_000;

/** Its limits are not what is measured. */
const UNLIMITED = {
  APPEND_PER_SECOND: '100000', APPEND_BURST: '1000000', REQUESTS_PER_SECOND: '100000', REQUESTS_BURST: '1000000',
  HISTORY_BYTES: '1099511627776', RESTORES_PER_SECOND: '100000', RESTORES_BURST: '1000000', LOG_LEVEL: 'error',
}; // prettier-ignore

interface Times {
  readonly unlock: number;
  readonly catchUp: number;
  readonly room: number;
  readonly heap: number;
}

const size: Column<{ readonly size: number }> = { title: 'log', of: (row) => row.size, plain: true };

interface More<T> {
  readonly title: string;
  readonly of: (opened: T) => number;
}

/** The vault opened again, as a median; then what reading the new lines took. */
function printDevice<T extends Times>(
  title: string,
  rows: readonly { readonly size: number; readonly lines: number; readonly device: Device<T> }[],
  more: { readonly opened: More<T>; readonly caughtUp?: More<T> },
): void {
  type Row = (typeof rows)[number];
  const opened = (name: string, of: (opened: T) => number, digits = 0): Column<Row> => ({
    title: name,
    of: ({ device }) => median(device.opened.map(of)),
    digits,
  });
  const caughtUp = (name: string, of: (opened: T) => number): Column<Row> => ({
    title: `${name} per 1,000`,
    of: ({ lines, device }) => (1_000 * of(device.caughtUp)) / lines,
  });
  printTable<Row>(title, rows, [
    size,
    opened('unlock ms', ({ unlock }) => unlock),
    opened('room ms', ({ room }) => room),
    opened('heap MiB', ({ heap }) => heap / MIB, 1),
    opened(more.opened.title, more.opened.of),
    { title: 'new lines', of: ({ lines }) => lines, plain: true },
    caughtUp('catch-up ms', ({ catchUp }) => catchUp),
    ...(more.caughtUp === undefined ? [] : [caughtUp(more.caughtUp.title, more.caughtUp.of)]),
  ]);
}

function printWrites(
  title: string,
  rows: readonly { readonly size: number; readonly line: Written }[],
): void {
  printTable(title, rows, [
    size,
    { title: 'writes', of: ({ line }) => line.writes, digits: 2, plain: true },
    { title: 'records', of: ({ line }) => line.records, digits: 2, plain: true },
    { title: 'bytes', of: ({ line }) => line.bytes },
    { title: 'bytes with the core whole', of: ({ line }) => line.wholeBytes, plain: true },
    { title: 'times less', of: ({ line }) => line.wholeBytes / line.bytes, digits: 1, plain: true },
    { title: 'key file', of: ({ line }) => line.keyBytes, plain: true },
    { title: 'flushes', of: ({ line }) => line.flushes, digits: 2, plain: true },
  ]);
}

function print(rows: readonly Measured[]): void {
  printDevice(
    'Node: from the derived key on',
    rows.map(({ node, ...row }) => ({ ...row, device: node })),
    {
      opened: { title: 'unlock CPU ms', of: ({ unlockCpu }) => unlockCpu },
      caughtUp: { title: 'CPU ms', of: ({ catchUpCpu }) => catchUpCpu },
    },
  );
  printTable(
    'Node: an export, piece by piece',
    rows.map(({ node, ...row }) => ({ ...row, exports: node.opened.map(({ exported }) => exported) })),
    [
      size,
      { title: 'ms', of: ({ exports }) => median(exports.map(({ ms }) => ms)) },
      { title: 'file MiB', of: ({ exports }) => median(exports.map(({ bytes }) => bytes)) / MIB, digits: 1 },
      {
        title: 'held MiB more',
        of: ({ exports }) => median(exports.map(({ held }) => held)) / MIB,
        digits: 1,
      },
    ],
  );
  const pages = rows.flatMap(({ chromium, ...row }) =>
    chromium === null ? [] : [{ ...row, device: chromium }],
  );
  printDevice('Chromium: the page and its worker (heap: the worker’s)', pages, {
    opened: { title: 'page’s heap MiB', of: ({ pageHeap }) => pageHeap / MIB },
  });
  const counted = (title: string, of: (row: Measured) => Written): void =>
    printWrites(
      title,
      rows.map((row) => ({ size: row.size, line: of(row) })),
    );
  counted('Written to the vault for a line received', ({ received }) => perLine(received));
  counted('… for a line sent', ({ sent }) => perLine(sent));
  counted('… for marking as read', ({ markedRead }) => perLine(markedRead));
  counted('… for a line caught up', ({ node, lines }) => perLine(node.caughtUp.written, lines));
  const parts = rows.at(-1)?.parts ?? [];
  console.log(
    `\nThe room's core as stored, in bytes: ${parts.map(([part, bytes]) => `${part} ${bytes}`).join(', ')}`,
  );
}

const ACTS = [
  ['The vault unlocked', 'unlocked'],
  ['A line received', 'received'],
  ['A line sent', 'sent'],
  ['A line deleted', 'deleted'],
  ['A rotation', 'rotated'],
] as const;

function printActs(rows: readonly Acts[]): void {
  for (const [title, name] of ACTS) {
    const column = (title: string, of: (act: Act) => number, digits = 0): Column<Acts> => ({
      title,
      of: (row) => median(row[name].map(of)),
      digits,
      plain: digits === 0,
    });
    printTable(`${title}: an owner's vault of one room`, rows, [
      size,
      { title: 'records', of: ({ vault }) => vault.records, plain: true },
      column('ms', ({ ms }) => ms, 1),
      column('CPU ms', ({ cpu }) => cpu, 1),
      column('storage ms', ({ written }) => written.storageMs, 1),
      column('writes', ({ written }) => written.writes),
      column('written', ({ written }) => written.records),
      column('bytes', ({ written }) => written.bytes),
      column('key file', ({ written }) => written.keyBytes),
      // Of some acts one has one: a median would say that none does.
      {
        title: 'flushes',
        of: (row) => mean(row[name].map(({ written }) => written.flushes)),
        digits: 2,
        plain: true,
      },
    ]);
  }
}

function printRotations(rows: readonly Rotated[]): void {
  console.log(`\nOn a member's disk after ${ROTATIONS.toLocaleString('en')} rotations, more than before`);
  for (const { kind, grown } of rows) {
    const { bytes, records } = grown;
    console.log(`  ${kind}: ${bytes.toLocaleString('en')} bytes in ${records.toLocaleString('en')} records`);
  }
}

const [, , ...args] = process.argv;
const [mode = null] = args;
const full = mode === '--full';
const acts = mode === '--acts';
const catchUp = mode === '--catch-up';
if (args.length > 1 || (mode !== null && !full && !acts && !catchUp))
  throw new Error('npm run bench -- client [--full | --acts | --catch-up]');

const relay = await RelayProcess.start(UNLIMITED);
const browser = full || catchUp ? await launch() : null;
try {
  if (catchUp && browser !== null) printCatchUp(await measureCatchUp(relay, browser));
  else await measureAll();
} finally {
  await browser?.close();
  await relay.remove();
}

async function measureAll(): Promise<void> {
  const rows = acts ? [] : await measureStory();
  await measureActs(relay, WARM);
  const filled: Acts[] = [];
  for (const lines of VAULTS) filled.push(await measureActs(relay, lines));
  const rotated = acts ? [] : await measureRotations(relay);
  const load = loadavg().map((average) => average.toFixed(1));
  console.log(`\nNode ${process.version}, ${availableParallelism()} cores, load average ${load.join(' ')}`);
  if (rows.length > 0) print(rows);
  printActs(filled);
  if (rotated.length > 0) printRotations(rotated);
}

async function measureStory(): Promise<readonly Measured[]> {
  const story = await Story.begin(relay, browser);
  try {
    const rows: Measured[] = [];
    for (const lines of full ? [...SIZES, MOST] : SIZES) rows.push(await story.measure(lines));
    return rows;
  } finally {
    await story.end();
  }
}
