/** A client over a platform of a test's own: another clock, another storage. */
import { createClient, type Platform } from '@0fc/client';
import type { NodeClient } from '@0fc/client/node';
import { relayKeyOfDeployment, relayTimeOf } from '../../libs/client/src/link/relay-address.js';

/** As createNodeClient makes one over the platform of Node. */
export async function clientOver(platform: Platform, relayUrl: string): Promise<NodeClient> {
  const client = await createClient(platform, {
    relayUrl,
    relayPublicKey: null,
    fetchRelayKey: () => relayKeyOfDeployment(relayUrl, async (url) => (await fetch(url)).text()),
    fetchRelayTime: () => relayTimeOf(relayUrl, async (url) => (await fetch(url)).headers.get('date')),
  });
  const ends = client.close.bind(client);
  return Object.assign(client, {
    async close(): Promise<void> {
      await ends();
      await platform.storage.close();
    },
  });
}
