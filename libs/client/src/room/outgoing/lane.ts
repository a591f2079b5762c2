/**
 * One part's turns: what it says is due is sent, one thing at a time. Here is decided what follows from a refusal,
 * and when it is tried again. A part that waits holds no other up.
 */
import type { ErrorCode, RequestKind } from '@0fc/protocol';
import type { Failure } from '../../contract/api.js';
import { ClientError, failureOf } from '../../contract/errors.js';
import { Backoff } from '../../link/backoff.js';
import type { Platform } from '../../contract/ports.js';
import type { Due, Later, Link, Part } from './part.js';
import { verdictOn } from './refusals.js';
import { send } from './send.js';
import { WorkLoop } from './work-loop.js';

/** Who sends: a room, or a join. */
export interface Sender {
  /** whether anything may be sent */
  readonly live: boolean;
  readonly platform: Pick<Platform, 'crypto' | 'timers'>;
  readonly connection: Link;
  /** Tells the views. */
  changed(): void;
  /** Reads again where the relay stands. */
  catchUp(): void;
  /** Stops the link and shows why. */
  halt(failure: Failure): void;
}

/** The longest that a client waits before it asks again, in milliseconds: a store may be full for days. */
const MOST_MS = 60_000;
/** The longest that a timer runs, in milliseconds: 32 bits hold 24 days. */
const SLEEP_MOST_MS = 86_400_000;

/** The longest that a relay's word makes this client wait, in milliseconds. */
const MOST_ASKED_MS = 300_000;

export class Lane {
  readonly part: Part;
  readonly #sender: Sender;
  readonly #loop = new WorkLoop(() => this.#run());
  readonly #backoff: Backoff;
  /** what has failed last; null: nothing, or it has been carried out since */
  #failing: RequestKind | 'next' | null = null;
  /** ends a wait after a refusal; null: none */
  #resume: (() => void) | null = null;
  #sleep: (() => void) | null = null;
  /** why it waits, null where it does not */
  waiting: ErrorCode | null = null;

  constructor(sender: Sender, part: Part) {
    this.#sender = sender;
    this.part = part;
    this.#backoff = new Backoff(sender.platform.crypto.random, MOST_MS);
  }

  /** Something may be due. Resolves once that has been sent, or waits. */
  signal(): Promise<void> {
    return this.#resume === null ? this.#loop.signal() : Promise.resolve();
  }

  /** A new session begins, or the link stops: what waited is tried with the next signal. */
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
    return this.part.next();
  }

  #sleepFor(ms: number): void {
    this.#sleep = this.#sender.platform.timers.after(Math.min(ms, SLEEP_MOST_MS), () => {
      void this.signal();
    });
  }

  /** What else is answered in between does not make what is refused for ever be asked for more often. */
  #succeeded(due: Due | null): void {
    if (due === null || due.kind === this.#failing) {
      this.#failing = null;
      this.#backoff.reset();
    }
    this.#show(null);
  }

  /** True: on with the next thing. */
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
    // However long the relay would have it: what it says last may be a lie, and asking costs little.
    const ms = Math.max(Math.min(atLeastMs, MOST_ASKED_MS), this.#backoff.next());
    this.#resume = this.#sender.platform.timers.after(ms, () => {
      this.#resume = null;
      void this.signal();
    });
  }
}
