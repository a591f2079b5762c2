/**
 * Times that somebody else wrote. The schema admits any integer up to 2^53 - 1 and no message is refused for its
 * time (docs/protocol.md section 2): what is shown or computed with goes through here.
 */
export const TIMES = {
  /** 2020-01-01 and 2100-01-01 UTC, Unix ms: nothing is shown as before or after */
  earliest: Date.UTC(2020, 0, 1),
  latest: Date.UTC(2100, 0, 1),
  /** a sender's time this many ms ahead of this device's clock is shown as doubtful */
  aheadMs: 600_000,
  /** so is a relay's time this many ms ahead of it, and a sender's this far from the relay's */
  apartMs: 86_400_000,
} as const;

/** The nearest time from 2020 to 2100, Unix ms; of what is no number, the earliest. Throws at nothing. */
export const clampTime = (ms: number): number =>
  Number.isNaN(ms) ? TIMES.earliest : Math.min(Math.max(ms, TIMES.earliest), TIMES.latest);
