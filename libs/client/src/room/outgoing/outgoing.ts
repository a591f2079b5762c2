/**
 * What a room asks of its relay. Each part says what is due; it is sent here, and nowhere else. "Try again" is
 * never needed for what a client can try by itself.
 */
import { ERROR_CODES, type ErrorCode } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import type { Due, Link, Part } from './part.js';
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

  /** What the relay refuses with for now; null: nothing is being waited for. */
  get waiting(): ErrorCode | null {
    return this.#lanes.find(({ waiting }) => waiting !== null)?.waiting ?? null;
  }
}

/**
 * What is worth nothing later: it goes once, or is dropped, and the next one says it again. Resolves with whether
 * the relay has taken it.
 */
export async function sendOnce(link: Link, due: Due): Promise<boolean> {
  try {
    await send(link, due);
    return true;
  } catch (error) {
    // That the relay contradicts itself is never passed over.
    if (!(error instanceof ClientError) || error.code === ERROR_CODES.RELAY_LIED) throw error;
    return false;
  }
}
