/** A member whose client has a clock of its own: deadlines pass by moving it, not by waiting. */
import { systemClock } from '@0fc/crypto/node';
import type { Member } from '../../support/member.js';
import { hurried, openOver, type OpenClient } from '../../support/platform.js';

/** From its next start on the member's clock is `aheadMs` ahead of everybody's. Timers run as ever. */
export function moveClock(member: Member, aheadMs: number): void {
  const clock = { now: () => systemClock.now() + aheadMs };
  member.open = openOver((platform) => ({ ...platform, crypto: { ...platform.crypto, clock } }));
}

/** Clients that run on a clock which the test moves on meanwhile; each of their waits is five times shorter. */
export class MovedClock {
  aheadMs = 0;
  readonly open: OpenClient = openOver((platform) => {
    const clock = { now: () => systemClock.now() + this.aheadMs };
    return { ...hurried(5)(platform), crypto: { ...platform.crypto, clock } };
  });
}
