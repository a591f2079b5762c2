/** A member whose client has a clock of its own: deadlines pass by moving it, not by waiting. */
import { systemClock } from '@0fc/crypto/node';
import { createNodePlatform } from '@0fc/client/node';
import { createClient } from '@0fc/client';
import { relayKeyOfDeployment, relayTimeOf } from '../../../libs/client/src/link/relay-address.js';
import type { Member } from '../../support/member.js';

const get = async (url: string): Promise<Response> => fetch(url);

/** From its next start on the member's clock is `aheadMs` ahead of everybody's. Timers run as ever. */
export function moveClock(member: Member, aheadMs: number): void {
  member.open = async ({ folder, relayUrl }) => {
    const platform = await createNodePlatform({ folder });
    const clock = { now: () => systemClock.now() + aheadMs };
    const client = await createClient(
      { ...platform, crypto: { ...platform.crypto, clock } },
      {
        relayUrl,
        relayPublicKey: null,
        fetchRelayKey: () => relayKeyOfDeployment(relayUrl, async (url) => (await get(url)).text()),
        fetchRelayTime: () => relayTimeOf(relayUrl, async (url) => (await get(url)).headers.get('date')),
      },
    );
    const ends = client.close.bind(client);
    return Object.assign(client, {
      async close(): Promise<void> {
        await ends();
        await platform.storage.close();
      },
    });
  };
}
