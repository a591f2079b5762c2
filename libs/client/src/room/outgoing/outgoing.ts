/**
 * The requests of a room to its relay. Each part yields its due requests; they are sent here, and nowhere else.
 * Nothing that the client can retry by itself is left to the user.
 */
import { ERROR_CODES, type ErrorCode } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import type { Due, RequestPort, Part } from './part.js';
import { send } from './send.js';
import { Lane, type Sender } from './lane.js';

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

/** Sends a request that is useless later: once, without a retry. Resolves with whether the relay has accepted it. */
export async function sendOnce(link: RequestPort, due: Due): Promise<boolean> {
  try {
    await send(link, due);
    return true;
  } catch (error) {
    // RELAY_LIED is never ignored.
    if (!(error instanceof ClientError) || error.code === ERROR_CODES.RELAY_LIED) throw error;
    return false;
  }
}
