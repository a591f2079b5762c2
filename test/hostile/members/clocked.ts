/** A member whose client has a clock of its own: deadlines pass by moving it, not by waiting. */
import { systemClock } from '@0fc/crypto/node';
import { createNodePlatform } from '@0fc/client/node';
import { clientOver } from '../../support/client-over.js';
import type { Member } from '../../support/member.js';

/** From its next start on the member's clock is `aheadMs` ahead of everybody's. Timers run as ever. */
export function moveClock(member: Member, aheadMs: number): void {
  member.open = async ({ folder, relayUrl }) => {
    const platform = await createNodePlatform({ folder });
    const clock = { now: () => systemClock.now() + aheadMs };
    return clientOver({ ...platform, crypto: { ...platform.crypto, clock } }, relayUrl);
  };
}
