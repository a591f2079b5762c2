/**
 * npm run fuzz [-- --cases N --seed S --only a,b --case N --save]
 *
 * The cases are shared out among the targets; each has dice of its own, made of the seed, the target's name
 * and the case's number, so that `--only NAME --case NUMBER --seed SEED` repeats one that was found. `--save`
 * adds to the corpus what reached a new outcome. Exit code 1: something was found.
 */
import { parseArgs } from 'node:util';
import { randomInt } from 'node:crypto';
import { loadThemis } from '@0fc/crypto/node';
import { Corpus } from './corpus.js';
import { runTarget, type TargetResult } from './run.js';
import { PLANTED, TARGETS } from './targets.js';
import { Watchdog } from './watch.js';

const DEFAULT_CASES = 1_000_000;
const MILLION = 1_000_000;

const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    case: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`--${name} is a number`);
  return Number(text);
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const seed = whole('seed', values.seed, randomInt(2 ** 31));
const one = values.case === undefined ? null : whole('case', values.case, 0);
const total = whole('cases', values.cases, DEFAULT_CASES);
const named = values.only?.split(',') ?? null;
const unknown = named?.find((name) => ![...TARGETS, ...PLANTED].some((target) => target.name === name));
if (unknown !== undefined) {
  throw new Error(`no target ${unknown}; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
}

await loadThemis();
say(`fuzzing with seed ${String(seed)}`);
const watchdog = Watchdog.start();
const results: TargetResult[] = [];
const chosen = named === null ? TARGETS : [...TARGETS, ...PLANTED].filter(({ name }) => named.includes(name));
// Named targets share the cases among themselves.
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
const sum = named === null ? MILLION : shares;
for (const { name, share, make } of chosen) {
  const corpus = new Corpus(name);
  const cases = one === null ? Math.max(1, Math.round((total * share) / sum)) : 1;
  const options = { seed, cases, first: one ?? 0, say, watchdog };
  const result = await runTarget(make(corpus), corpus, options);
  if (values.save) corpus.save();
  results.push(result);
  const rate = Math.round(result.cases / Math.max(0.001, result.seconds));
  say(
    `${name}: ${String(result.cases)} cases in ${result.seconds.toFixed(1)} s, ${String(rate)} cases/s, ${String(result.outcomes.size)} outcomes`,
  );
  const common = [...result.outcomes].sort(([, a], [, b]) => b - a).slice(0, 6);
  for (const [outcome, count] of common) say(`    ${String(count).padStart(8)}  ${outcome}`);
}
await watchdog.stop();

const findings = results.flatMap((result) => result.findings);
const cases = results.reduce((sum, result) => sum + result.cases, 0);
const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
for (const finding of findings) say(`FOUND ${finding}`);
say(
  `${String(cases)} cases in ${seconds.toFixed(0)} s, seed ${String(seed)}: ${String(findings.length)} found`,
);
process.exitCode = findings.length === 0 ? 0 : 1;
