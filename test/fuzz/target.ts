/** What a target of the fuzzer is, and what counts as a finding. */
import type { Bytes } from '@0fc/protocol';
import type { Dice } from '../support/random.js';

/** How a case ended: 'ok', or a stable code, with a detail where that is one of a fixed few. */
export type Outcome = string;

/** Something that must never happen. The text says what was seen; the runner adds seed and case. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

export interface Prepared {
  /** One case. Throws a {@link Finding}, or whatever the code under test should not have let out. */
  run(dice: Dice): Outcome | Promise<Outcome>;
  /** Between cases, now and then and at the end: what was begun is finished, what must still hold is checked. */
  settle?(): Promise<void>;
  /** Outcomes that cases reached after `run` had returned, by number of cases. */
  readonly late?: ReadonlyMap<Outcome, number>;
  end?(): Promise<void>;
}

export interface Target {
  readonly name: string;
  /** cases of a million */
  readonly share: number;
  /** milliseconds after which one case is a hang */
  readonly limitMs: number;
  /** cases between two calls of settle */
  readonly settleEvery: number;
  prepare(dice: Dice, keep: Keep): Promise<Prepared>;
}

/** Offers an input to the corpus: the smallest of each outcome stays. `group` is a schema or a step of the target. */
export type Keep = (group: string, outcome: Outcome, input: Bytes) => void;

interface Coded {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** The classes are found by name: a test may have loaded another copy of a library. */
const OWN = new Set(['ProtocolError', 'CryptoError', 'ClientError']);

/**
 * The outcome of a typed error: `CODE: detail`, whose details are fixed texts (G15). Anything else that
 * was thrown is a finding, and INTERNAL is one too: it is what an unexpected error is turned into.
 */
export function outcomeOf(error: unknown): Outcome {
  const { name, code, message } = error as Partial<Coded>;
  if (name !== undefined && OWN.has(name) && code !== undefined && message !== undefined) {
    if (code !== 'INTERNAL') return message.startsWith(code) ? message : code;
  }
  throw error;
}

/** Runs something that may only succeed or throw a typed error. */
export function judged(run: () => unknown): Outcome {
  try {
    run();
    return 'ok';
  } catch (error) {
    return outcomeOf(error);
  }
}

export async function judgedLater(run: () => Promise<unknown>): Promise<Outcome> {
  try {
    await run();
    return 'ok';
  } catch (error) {
    return outcomeOf(error);
  }
}

export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Finding(what);
}
