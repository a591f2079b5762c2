/** Acts of members that are carried out although somebody is killed in the middle, at each write in turn. */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fate } from './member-mortal.js';
import { MemberProcess, RefusedError } from './member-process.js';
import type { RelayProcess } from './relay-process.js';
import { until } from './wait.js';

const PROGRAM = join(import.meta.dirname, 'member-mortal.ts');
/**
 * Each death takes seconds to be made good: by default a member dies at every fifth write, and the relay,
 * after which all come back ever more slowly, at every seventh; odd, so that it is before one write and after the
 * next. `npm run long -- kills` takes each (`RESUME=all`).
 */
export function strideOf(victim: 'relay' | 'writer'): number {
  if (process.env.RESUME === 'all') return 1;
  return victim === 'relay' ? 7 : 5;
}

/** Far more writes than any act makes: a loop that comes here has a defect. */
const MOST_WRITES = 60;

/** A member whose death can be arranged. */
export class Mortal {
  readonly member: MemberProcess;
  readonly #file: string;

  private constructor(member: MemberProcess, file: string) {
    this.member = member;
    this.#file = file;
  }

  static async create(name: string, relay: RelayProcess): Promise<Mortal> {
    const file = join(relay.folder, `${name}.fate`);
    const options = { program: PROGRAM, environment: { FATE_FILE: file } };
    return new Mortal(await MemberProcess.create(name, relay.url, options), file);
  }

  arrange(fate: Fate): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(fate));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** What was arranged and has not come to pass does not any more. */
  async spare(): Promise<void> {
    rmSync(this.#file, { force: true });
    await this.member.restart();
  }

  get arranged(): boolean {
    return existsSync(this.#file);
  }
}

export interface Act {
  /** who asks for it */
  readonly actor: MemberProcess;
  readonly ask: () => Promise<unknown>;
  /** everybody concerned sees its end */
  readonly done: () => boolean;
}

/** Codes of an answer after which the same is asked again: it may not have been heard. */
const UNHEARD: ReadonlySet<string> = new Set(['GONE', 'OFFLINE', 'RELAY_UNREACHABLE', 'TIMED_OUT']);

/**
 * Carries out an act although a member or the relay dies and comes back. What was answered is
 * not asked for again: it has to come to pass by itself.
 */
export async function carryOut(
  act: Act,
  relay: RelayProcess,
  members: readonly MemberProcess[],
): Promise<{ readonly deaths: number }> {
  let deaths = 0;
  let state: 'due' | 'asked' | 'answered' = 'due';
  let refusal: unknown = null;
  const ask = (): void => {
    state = 'asked';
    act.ask().then(
      () => (state = 'answered'),
      (error: unknown) => {
        const unheard = !(error instanceof RefusedError) || UNHEARD.has(error.code);
        if (!unheard) refusal = error;
        state = unheard ? 'due' : 'answered';
      },
    );
  };
  await until(
    () =>
      [
        `the act's end; asked: ${state}, refused: ${String(refusal)}`,
        ...members.map((member) => member.describe()),
      ].join('\n'),
    async () => {
      if (!relay.running) {
        deaths += 1;
        await relay.start();
      }
      for (const member of members) {
        if (member.running) continue;
        deaths += 1;
        await member.start();
      }
      if (act.done()) return true;
      if (state === 'due') ask();
      return false;
    },
    90_000,
  );
  return { deaths };
}

/**
 * The act, again and again, `writer` (or the relay) dying at the first write of the writer, then
 * at the second, and so on until it makes no more. `make` prepares one act; `after` judges it.
 * Returns how many deaths there were.
 */
export async function dieAtEachWrite(options: {
  readonly relay: RelayProcess;
  readonly writer: Mortal;
  readonly victim: 'relay' | 'writer';
  readonly make: (
    round: number,
  ) => Promise<{ readonly act: Act; readonly members: readonly MemberProcess[] }>;
  readonly after: (round: number) => Promise<void>;
}): Promise<number> {
  const { relay, writer, victim, make, after } = options;
  for (let write = 1; write <= MOST_WRITES; write += strideOf(victim)) {
    const { act, members } = await make(write);
    const when = write % 2 === 0 ? 'after' : 'before';
    writer.arrange({ write, when, pid: victim === 'relay' ? relay.pid : null });
    const { deaths } = await carryOut(act, relay, members);
    if (deaths === 0) await writer.spare();
    // It may have come to pass at a write after the end of the act.
    const late = !relay.running;
    if (late) await relay.start();
    await after(write);
    if (deaths === 0 && !late) return write - 1;
  }
  throw new Error(`more than ${String(MOST_WRITES)} writes`);
}
