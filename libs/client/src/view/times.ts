/** Which times of others a view shows as doubtful (docs/protocol.md section 6). All are Unix ms. */
import { clampTime, TIMES } from '@0fc/protocol';

/** Whether the relay's time of an entry cannot be true by this device's clock. */
export const isRelayTimeDoubtful = (relayed: number, now: number): boolean =>
  clampTime(relayed) !== relayed || relayed > now + TIMES.apartMs;

/**
 * Whether a message's own time cannot be relied on: it lies ahead of this device's clock, or far from the time at
 * which the relay took it. `relayed`: null while it waits here, when there is nothing to compare it with.
 */
export const isSentTimeDoubtful = (sentAt: number, relayed: number | null, now: number): boolean =>
  relayed !== null &&
  (clampTime(sentAt) !== sentAt ||
    sentAt > now + TIMES.aheadMs ||
    Math.abs(sentAt - relayed) > TIMES.apartMs);
