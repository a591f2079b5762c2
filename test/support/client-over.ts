/** A client over a platform of a test's own: another clock, another storage. */
import { createClient, type Platform } from '@0fc/client';
import type { NodeClient } from '@0fc/client/node';
import type { Bytes } from '@0fc/protocol';
import { relayKeyOfDeployment, relayTimeOf } from '../../libs/client/src/link/relay-address.js';

type FetchKey = () => Promise<Bytes>;

/** As createNodeClient makes one over the platform of Node; `keyOf` stands between it and what the deployment serves. */
export async function clientOver(
  platform: Platform,
  relayUrl: string,
  keyOf = (served: FetchKey): FetchKey => served,
): Promise<NodeClient> {
  const client = await createClient(platform, {
    relayUrl,
    relayPublicKey: null,
    fetchRelayKey: keyOf(() => relayKeyOfDeployment(relayUrl, async (url) => (await fetch(url)).text())),
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
