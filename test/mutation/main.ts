/**
 * npm run test:mutation [-- --only TEXT … --list --workers N]: only those with the text in their names
 *
 * Each mutant of mutants.ts is the product with one defence taken out. The tests that it names are run twice, in a
 * copy of the repository: as it is they must all pass, with the fault each must fail. The last line is
 * `N passed, N failed`; exit code 1: a defence that no test misses, a test that is not there or fails anyway, a
 * snippet that is not in its file, a guarantee without a mutant.
 */
import { spawn } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Copy } from './copy.js';
import { endAll, runTests, type Outcome } from './jest.js';
import { changed, GUARANTEES, type Mutant, type NamedTest } from './mutant.js';
import { MUTANTS } from './mutants.js';

const ROOT = join(import.meta.dirname, '..', '..');
const MOST_WORKERS = 2;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    workers: { type: 'string' },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

const { only } = values;
const chosen = MUTANTS.filter(({ name }) => only?.some((text) => name.includes(text)) ?? true);

function list(mutants: readonly Mutant[]): void {
  say('| mutant | breaks | test |\n|---|---|---|');
  for (const { name, breaks, tests } of mutants) {
    const cells = tests.map((test) => `\`${test.path}\` “${test.name}”`);
    say(`| ${name} | ${breaks.join(' ')} | ${cells.join('; ')} |`);
  }
}

/** Snippets that are not there once, before anything is run for minutes. */
function misplaced(mutants: readonly Mutant[]): readonly string[] {
  return mutants.flatMap(({ name, changes }) => {
    try {
      for (const change of changes) changed(readFileSync(join(ROOT, change.file), 'utf8'), change);
      return [];
    } catch (error) {
      return [`${name}: ${(error as Error).message}`];
    }
  });
}

const uncovered = (): readonly string[] =>
  GUARANTEES.filter((code) => !MUTANTS.some(({ breaks }) => breaks.includes(code))).map(
    (code) => `${code} has no mutant: add one to test/mutation/mutants`,
  );

/** As `npm run build` does it: what the compiler leaves aside goes beside what it has made. */
async function build(copy: Copy): Promise<boolean> {
  const relay = join(copy.folder, 'apps', 'relay');
  const scripts = join('store', 'redis', 'scripts');
  if (!(await compile(copy))) return false;
  cpSync(join(relay, 'src', scripts), join(relay, 'dist', scripts), { recursive: true });
  return true;
}

function compile(copy: Copy): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const tsc = join(copy.folder, 'node_modules', 'typescript', 'bin', 'tsc');
    const child = spawn(process.execPath, [tsc, '-b'], { cwd: copy.folder, stdio: ['ignore', 2, 2] });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code === 0);
    });
  });
}

const told = ({ test, state, why }: Outcome): string => `    ${state}: “${test.name}” (${test.path}) ${why}`;

/** Whether every test that a mutant names has told of it. */
async function kill(copy: Copy, mutant: Mutant): Promise<boolean> {
  const began = performance.now();
  const restore = copy.plant(mutant.changes);
  try {
    if (mutant.built === true && !(await build(copy))) {
      say(`FAILED ${mutant.name} (${seconds(began)}): it does not compile`);
      return false;
    }
    const outcomes = await runTests(copy, mutant.tests);
    const dead = outcomes.every(({ state }) => state === 'red');
    say(`${dead ? 'killed' : 'FAILED'} ${mutant.name} [${mutant.breaks.join(' ')}] (${seconds(began)})`);
    for (const outcome of outcomes) say(told(outcome));
    return dead;
  } finally {
    restore();
  }
}

/** The tests as they are, on the product as it is: whatever fails here would count for nothing. */
async function failing(copy: Copy, mutants: readonly Mutant[], workers: number): Promise<readonly Outcome[]> {
  if (mutants.some(({ built }) => built === true) && !(await build(copy))) {
    throw new Error('the copy does not compile: `npm run build` says why');
  }
  const tests = new Map<string, NamedTest>();
  for (const test of mutants.flatMap((mutant) => mutant.tests)) tests.set(`${test.path} ${test.name}`, test);
  const outcomes = await runTests(copy, [...tests.values()], workers);
  return outcomes.filter(({ state }) => state !== 'green');
}

async function main(): Promise<number> {
  const unknown = only?.find((text) => !MUTANTS.some(({ name }) => name.includes(text)));
  if (unknown !== undefined) {
    say(`no mutant has "${unknown}" in its name; --list shows them`);
    return ended(0, 1);
  }
  if (values.list === true) {
    list(chosen);
    return 0;
  }
  const wrong = [...misplaced(chosen), ...(only === undefined ? uncovered() : [])];
  for (const line of wrong) say(`FAILED ${line}`);
  if (wrong.length > 0) return ended(0, wrong.length);

  const began = performance.now();
  const workers = Math.min(Number(values.workers ?? MOST_WORKERS), chosen.length);
  const copies = Array.from({ length: workers }, (_, at) =>
    Copy.of(ROOT, join(ROOT, '.cache', 'mutation', String(at))),
  );
  const [first] = copies;
  if (first === undefined) throw new Error('--workers is a number from 1 on');
  say(`the tests of ${String(chosen.length)} mutants without a fault ...`);
  const before = await failing(first, chosen, workers);
  for (const outcome of before) say(told(outcome));
  if (before.length > 0) {
    say('these do not pass without a fault: correct them, or the name in test/mutation/mutants');
    return ended(0, before.length);
  }
  say(`all pass (${seconds(began)})`);

  const queue = [...chosen];
  const survivors: string[] = [];
  const work = async (copy: Copy): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      if (!(await kill(copy, mutant))) survivors.push(mutant.name);
    }
  };
  await Promise.all(copies.map(work));
  if (survivors.length > 0) say(`no test has told of: ${survivors.join(', ')}`);
  say(`in ${seconds(began)}`);
  return ended(chosen.length - survivors.length, survivors.length);
}

function ended(passed: number, failed: number): number {
  say(`${String(passed)} passed, ${String(failed)} failed`);
  return failed === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll();
    process.exit(1);
  });
}
process.exitCode = await main();
