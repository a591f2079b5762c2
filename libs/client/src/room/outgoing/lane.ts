/**
 * The requests of a room to its relay: each part yields its due requests, they are sent here one at a time and nowhere
 * else, and what follows from a refusal and when to retry is decided here. Each part has a lane of its own, so that a
 * waiting part holds no other part up; nothing that the client can retry by itself is left to the user.
 */
import type { ErrorCode, RequestKind } from '@0fc/protocol';
import type { Failure } from '../../contract/api.js';
import { ClientError, failureOf } from '../../contract/errors.js';
import { Backoff } from '../../link/backoff.js';
import type { Platform } from '../../contract/ports.js';
import { type Due, type Later, type RequestPort, type Part, send } from './part.js';
import { verdictOn } from './refusals.js';

/** The sender of the requests: a room, or a join. */
export interface Sender {
  /** whether anything may be sent */
  readonly live: boolean;
  readonly platform: Pick<Platform, 'crypto' | 'timers'>;
  readonly connection: RequestPort;
  /** whether a part must sign and seal nothing, whatever is due of it */
  mutes?(part: Part): boolean;
  /** Notifies the views. */
  changed(): void;
  /** Reads the log again. */
  catchUp(): void;
  /** Stops the link and shows the failure. */
  halt(failure: Failure): void;
}

/** Longest delay before a retry, in milliseconds: a store may be full for days. */
const MOST_MS = 60_000;
/** Longest run of one timer, in milliseconds: 32 bits hold 24 days. */
const SLEEP_MOST_MS = 86_400_000;

/** Longest delay that a relay can impose, in milliseconds. */
const MOST_ASKED_MS = 300_000;

/** The lane of one part. */
export class Lane {
  readonly part: Part;
  readonly #sender: Sender;
  readonly #loop = new WorkLoop(() => this.#run());
  readonly #backoff: Backoff;
  /** kind of request that failed last; null: none, or it has succeeded since */
  #failing: RequestKind | 'next' | null = null;
  /** ends a wait after a refusal; null: none */
  #resume: (() => void) | null = null;
  #sleep: (() => void) | null = null;
  /** code of the refusal that it waits for; null: it does not wait */
  waiting: ErrorCode | null = null;

  constructor(sender: Sender, part: Part) {
    this.#sender = sender;
    this.part = part;
    this.#backoff = new Backoff(sender.platform.crypto.random, { most: MOST_MS });
  }

  /** Sends what is due. Resolves once that was sent, or waits. */
  signal(): Promise<void> {
    return this.#resume === null ? this.#loop.signal() : Promise.resolve();
  }

  /** A new session begins, or the link stops: waiting requests are retried at the next signal. */
  reset(): void {
    this.#resume?.();
    this.#resume = null;
    this.#sleep?.();
    this.#sleep = null;
  }

  async #run(): Promise<void> {
    try {
      while (this.#ready && (await this.#turn()));
    } catch (error) {
      this.#sender.halt(failureOf(error));
    }
  }

  get #ready(): boolean {
    return this.#sender.live && this.#resume === null;
  }

  /** False: nothing more for now. */
  async #turn(): Promise<boolean> {
    let due: Due | null = null;
    try {
      const next = await this.#next();
      if (!this.#ready) return false;
      if (next !== null && 'kind' in next) {
        due = next;
        await send(this.#sender.connection, due);
      } else if (next !== null) this.#sleepFor(next.afterMs);
      this.#succeeded(due);
      return due !== null;
    } catch (error) {
      return this.#failed(due, ClientError.from(error));
    }
  }

  #next(): Promise<Due | Later | null> {
    this.#sleep?.();
    this.#sleep = null;
    return this.#sender.mutes?.(this.part) === true ? Promise.resolve(null) : this.part.next();
  }

  #sleepFor(ms: number): void {
    this.#sleep = this.#sender.platform.timers.after(Math.min(ms, SLEEP_MOST_MS), () => {
      void this.signal();
    });
  }

  /** Other replies in between do not shorten the delay of a request that is refused again and again. */
  #succeeded(due: Due | null): void {
    if (due === null || due.kind === this.#failing) {
      this.#failing = null;
      this.#backoff.reset();
    }
    this.#show(null);
  }

  /** True: continue with the next request. */
  async #failed(due: Due | null, error: ClientError): Promise<boolean> {
    const { code, params } = error;
    const verdict = verdictOn(code);
    if (verdict === 'offline') return false;
    this.#failing = due?.kind ?? 'next';
    if (verdict !== 'refused') {
      this.#show(code);
      this.#wait(typeof params.retryMs === 'number' ? params.retryMs : 0);
      if (verdict === 'reread') this.#sender.catchUp();
      return false;
    }
    const outcome = (await due?.refused?.(code)) ?? 'unexpected';
    if (outcome === 'waits') this.#show(code);
    if (outcome === 'again' || outcome === 'waits') this.#wait(0);
    if (outcome === 'unexpected') this.#sender.halt(failureOf(error));
    return outcome === 'settled';
  }

  #show(code: ErrorCode | null): void {
    if (this.waiting === code) return;
    this.waiting = code;
    this.#sender.changed();
  }

  #wait(atLeastMs: number): void {
    // Bounded, whatever the relay demands: its last reply may be forged, and a retry costs little.
    const ms = Math.max(Math.min(atLeastMs, MOST_ASKED_MS), this.#backoff.next());
    this.#resume = this.#sender.platform.timers.after(ms, () => {
      this.#resume = null;
      void this.signal();
    });
  }
}

/**
 * Runs one piece of work at a time, and once more when it was signalled meanwhile: a signal while the work is ending
 * is not lost.
 */
export class WorkLoop {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | null = null;
  #again = false;

  /** `work` handles its own failures. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves once the work has been run for this signal and has come to its end. */
  signal(): Promise<void> {
    if (this.#running === null) this.#running = this.#run();
    else this.#again = true;
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#work();
      } while (this.#signalled());
    } finally {
      this.#running = null;
    }
  }

  #signalled(): boolean {
    return this.#again;
  }
}

/** The lanes of all parts of a room. */
export class Outgoing {
  readonly #lanes: readonly Lane[];

  constructor(sender: Sender, parts: readonly Part[]) {
    this.#lanes = parts.map((part) => new Lane(sender, part));
  }

  /** Something may be due; safe to call at any time. */
  signal(): void {
    for (const lane of this.#lanes) void lane.signal();
  }

  /** Resolves once what is due of one part has been sent, or waits. */
  async attempt(part: Part): Promise<void> {
    await this.#lanes.find((lane) => lane.part === part)?.signal();
  }

  reset(): void {
    for (const lane of this.#lanes) lane.reset();
  }

  /** Code of the refusal that is being retried; null: none. */
  get waiting(): ErrorCode | null {
    return this.#lanes.find(({ waiting }) => waiting !== null)?.waiting ?? null;
  }
}
