/**
 * Holds the owner's due rotation while members publish their prekeys again, which a relay has lost (docs/protocol.md
 * section 7): otherwise whoever reads of the loss a moment after the owner has no wrap, and an alarm.
 */
import type { MemberId } from '@0fc/protocol';
import type { RoomSnapshot } from '../state/draft.js';
import { timeLeft } from './fresh-rotation.js';

/** How long after a loss they are waited for, at most once in an epoch: a relay can make losses up without end. */
const WAIT_MS = 60_000;
/** Until the relay is asked again for what they have published. */
const ASK_MS = 2_000;

/** Whether a loss was told so lately that prekeys may be lost; `now` in Unix ms. What is offered need not be verified else. */
export function isLossFresh({ core }: Pick<RoomSnapshot, 'core'>, now: number): boolean {
  const lossAt = core.starts.at(-1)?.time;
  return lossAt !== undefined && timeLeft(lossAt, WAIT_MS, now) > 0;
}

export class LostPrekeys {
  #epoch = 0;
  /** when this epoch's waiting began, and when the relay was asked last in it; Unix ms, null: not yet */
  #since: number | null = null;
  #askedAt: number | null = null;

  /** Milliseconds from `now` (Unix ms) until the relay is to be asked; 0: now. */
  wait({ core }: Pick<RoomSnapshot, 'core'>, now: number): number {
    return core.epoch === this.#epoch && this.#askedAt !== null ? timeLeft(this.#askedAt, ASK_MS, now) : 0;
  }

  /**
   * Whether a rotation is to wait. `offered`: numbers of the verified prekeys that the relay has; one that it has not, or
   * only an older one than a rotation has used, is lost.
   */
  holds(
    { core, roster }: Pick<RoomSnapshot, 'core' | 'roster'>,
    offered: ReadonlyMap<MemberId, { readonly k: number }>,
    now: number,
  ): boolean {
    if (core.epoch !== this.#epoch) this.#since = null;
    this.#epoch = core.epoch;
    this.#askedAt = null;
    if (!isLossFresh({ core }, now)) return false;
    const lost = core.wrappedTo.some(
      ({ memberId, k }) => roster.members.has(memberId) && k > (offered.get(memberId)?.k ?? 0),
    );
    if (!lost) return false;
    this.#since ??= now;
    if (timeLeft(this.#since, WAIT_MS, now) === 0) return false;
    this.#askedAt = now;
    return true;
  }
}
