/** Runs named tests by Jest in a copy, and reads from its report what became of each. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Copy } from './copy.js';
import type { NamedTest } from './mutant.js';

/** Milliseconds after which a run is ended: every test has a shorter deadline of its own, and there are many. */
const MOST_MS = { one: 420_000, all: 3_600_000 };

export interface Outcome {
  readonly test: NamedTest;
  /**
   * red: failed by what it expects, or by its deadline. crashed: failed because something does not load, is no
   * function or not defined, or in a hook: that says nothing about a defence. absent: it did not run.
   */
  readonly state: 'green' | 'red' | 'crashed' | 'absent';
  /** the first line of why it failed */
  readonly why: string;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const CRASH =
  /^(?:ReferenceError|SyntaxError|TypeError|LinkError|Error: Cannot find)|Cannot find module|for a hook/m;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** The colours of a terminal. */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The page's specs have Jest's configuration for Angular's compiler. */
const PAGE = { folder: 'apps/web/', config: 'apps/web/jest.config.mjs' };

/** `workers`: as many at a time, with Jest’s progress shown; null: in one process, quietly. */
export async function runTests(
  copy: Copy,
  tests: readonly NamedTest[],
  workers: number | null = null,
): Promise<readonly Outcome[]> {
  const isOfPage = ({ path }: NamedTest): boolean => path.startsWith(PAGE.folder);
  const page = tests.filter(isOfPage);
  const others = tests.filter((test) => !isOfPage(test));
  return [
    ...(others.length === 0 ? [] : await runOnce(copy, others, workers, [])),
    ...(page.length === 0 ? [] : await runOnce(copy, page, workers, ['--config', PAGE.config])),
  ];
}

async function runOnce(
  copy: Copy,
  tests: readonly NamedTest[],
  workers: number | null,
  configuration: readonly string[],
): Promise<readonly Outcome[]> {
  const report = join(copy.folder, '.cache', 'mutation.json');
  mkdirSync(join(copy.folder, '.cache'), { recursive: true });
  rmSync(report, { force: true });
  const paths = [...new Set(tests.map(({ path }) => path))];
  const names = [...new Set(tests.map(({ name }) => escaped(name)))];
  const flag = workers === null ? '--runInBand' : `--maxWorkers=${String(workers)}`;
  const output = await jest(copy, workers !== null, [
    ...configuration,
    flag,
    '--silent',
    // A test that has failed may leave members and relays behind.
    '--forceExit',
    // Milliseconds: many mutants hang, and are found by that.
    '--testTimeout=60000',
    `--testNamePattern=(?:^| )(?:${names.join('|')})$`,
    '--json',
    `--outputFile=${report}`,
    '--runTestsByPath',
    ...paths,
  ]);
  const read = readReport(report);
  return tests.map((test) => outcomeOf(test, read, output));
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch (error) {
    // It was ended before it wrote one: every test is absent.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function outcomeOf(test: NamedTest, report: Report | null, output: string): Outcome {
  const file = report?.testResults.find(({ name }) => name.endsWith(`/${test.path}`));
  if (file === undefined) return { test, state: 'absent', why: firstLine(output) };
  const found = file.assertionResults.filter(({ title }) => title === test.name);
  const failed = found.find(({ status }) => status === 'failed');
  if (failed !== undefined) {
    const text = failed.failureMessages.join('\n').replace(COLOURS, '');
    return { test, state: CRASH.test(text) ? 'crashed' : 'red', why: firstLine(text) };
  }
  if (found.some(({ status }) => status === 'passed')) return { test, state: 'green', why: '' };
  return { test, state: 'absent', why: firstLine(file.message.replace(COLOURS, '')) };
}

const firstLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '') ?? '';

/** What it says on its error output, in which it tells of what it could not even start. */
function jest({ folder }: Copy, shown: boolean, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const script = join(folder, 'node_modules', 'jest', 'bin', 'jest.js');
    const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: options.join(' ') },
      stdio: ['ignore', 'ignore', 'pipe'],
      // With its own group, so that its workers and what they have started end with it.
      detached: true,
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (shown) process.stderr.write(text);
    });
    const most = shown ? MOST_MS.all : MOST_MS.one;
    const watchdog = setTimeout(() => {
      output = `did not end within ${String(most / 1_000)} s`;
      endGroup(child);
    }, most);
    running.add(child);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(watchdog);
      running.delete(child);
      resolve(output);
    });
  });
}

const running = new Set<ChildProcess>();

function endGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

/** Ends every run: their groups do not hear of a Ctrl-C by themselves. */
export function endAll(): void {
  for (const child of running) endGroup(child);
}
