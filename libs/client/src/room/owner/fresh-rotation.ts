/**
 * The owner's rotation after a loss that took one (docs/protocol.md sections 6.10 and 7). The restored rotation lies in
 * another generation than it names, so that whoever began with it does not know its transcript: a new one begins a
 * segment that everybody knows. And a relay may claim the epoch of a rotation that its log lacks: nobody restores it
 * then, and nobody opens a line in that log before the next one.
 */
import { needsNewer } from '../log/room-keys.js';
import type { RoomSnapshot } from '../state/draft.js';

/** Members have a minute to send again what was lost in the epoch before: it goes inside one epoch later, and no more. */
const AFTER_MS = 60_000;
/** A relay can make up losses without end, and is not to bring about a storm of rotations. */
const APART_MS = 600_000;

/** Milliseconds from `now` (Unix ms) until it is due; Infinity: none is, or none can be signed. */
export function freshRotationWait(
  snapshot: Pick<RoomSnapshot, 'core' | 'current' | 'roster'>,
  now: number,
): number {
  const { core, current } = snapshot;
  const { tookRotation = null, freshAfterLoss = -Infinity } = core;
  if (tookRotation === null || current.key === null || needsNewer(snapshot)) return Infinity;
  return Math.max(timeLeft(tookRotation, AFTER_MS, now), timeLeft(freshAfterLoss, APART_MS, now));
}

/**
 * How much of a wait of `waitMs` that began at `since` is left at `now` (Unix ms). One that seems to begin further ahead
 * than that began under a clock which has been set right: it is over, or would last for as long as that clock was ahead.
 */
export function timeLeft(since: number, waitMs: number, now: number): number {
  return Math.abs(now - since) < waitMs ? since + waitMs - now : 0;
}
