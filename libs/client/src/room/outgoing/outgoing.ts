/**
 * What a room asks of its relay. Each part says what is due and asks for it, one thing at a time; here is
 * decided what follows from a refusal, when it is tried again, and what the views say is being waited for.
 * "Try again" is never needed for what a client can try by itself.
 */
import type { ErrorCode } from '@0fc/protocol';
import { ClientError, failureOf } from '../../errors.js';
import { Backoff } from '../../link/backoff.js';
import type { RoomHandle } from '../handle.js';
import { verdictOn } from './refusals.js';
import { WorkLoop } from './work-loop.js';

export interface Part {
  /** Does the next thing that is due; false: nothing is. Rejects with the relay's refusal. */
  step(): Promise<boolean>;
  /** What a refusal that no retry mends means to this part; false: it does not know. */
  refused(code: ErrorCode): boolean;
}

/** The longest that a client waits before it asks again, in milliseconds: a store may be full for days. */
const MOST_MS = 60_000;

/** One part's turns: a part that waits holds no other up. */
class Lane {
  readonly #room: RoomHandle;
  readonly #part: Part;
  readonly #loop = new WorkLoop(() => this.#run());
  readonly #backoff: Backoff;
  #resume: (() => void) | null = null;
  /** why it waits, null where it does not */
  waiting: ErrorCode | null = null;

  constructor(room: RoomHandle, part: Part) {
    this.#room = room;
    this.#part = part;
    this.#backoff = new Backoff(room.platform.crypto.random, MOST_MS);
  }

  signal(): void {
    if (this.#resume === null) this.#loop.signal();
  }

  /** A new session begins, or the room stops: what waited is tried with the next signal. */
  reset(): void {
    this.#resume?.();
    this.#resume = null;
  }

  async #run(): Promise<void> {
    try {
      while (this.#room.live && this.#resume === null && (await this.#part.step())) this.#succeeded();
      if (this.#resume === null) this.#succeeded();
    } catch (error) {
      this.#failed(ClientError.from(error));
    }
  }

  #succeeded(): void {
    this.#backoff.reset();
    if (this.waiting === null) return;
    this.waiting = null;
    this.#room.changed();
  }

  #failed(error: ClientError): void {
    const { code, params } = error;
    switch (verdictOn(code)) {
      case 'offline':
        return;
      case 'retry':
      case 'reread':
        this.#wait(code, Number(params.retryMs ?? 0));
        if (verdictOn(code) === 'reread') this.#room.catchUp();
        return;
      case 'refused':
        if (!this.#part.refused(code)) this.#room.halt(failureOf(error));
    }
  }

  #wait(code: ErrorCode, atLeastMs: number): void {
    this.waiting = code;
    this.#room.changed();
    const ms = Math.max(atLeastMs, this.#backoff.next());
    this.#resume = this.#room.platform.timers.after(ms, () => {
      this.#resume = null;
      this.signal();
    });
  }
}

export class Outgoing {
  readonly #lanes: readonly Lane[];

  constructor(room: RoomHandle, parts: readonly Part[]) {
    this.#lanes = parts.map((part) => new Lane(room, part));
  }

  /** Something may be due; safe to call at any time. */
  signal(): void {
    for (const lane of this.#lanes) lane.signal();
  }

  reset(): void {
    for (const lane of this.#lanes) lane.reset();
  }

  /** What the relay refuses with for now; null: nothing is being waited for. */
  get waiting(): ErrorCode | null {
    return this.#lanes.find(({ waiting }) => waiting !== null)?.waiting ?? null;
  }
}
