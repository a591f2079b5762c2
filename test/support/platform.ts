/** A client on Node over a platform that is changed somewhere: its clock, its timers, its storage. */
import type { Platform } from '@0fc/client';
import {
  createNodePlatform,
  deploymentOf,
  nodeClientOver,
  type createNodeClient,
  type NodeClient,
} from '@0fc/client/node';
import { relayKeyFromText } from '../../libs/client/src/link/relay-address.js';
import { quickPassphrases } from '../../libs/client/src/vault/quick-passphrases.spec-support.js';

export type OpenClient = typeof createNodeClient;

/** Opens as createNodeClient does, over what `change` makes of each platform, whose vaults open at once. */
export const openOver =
  (change: (platform: Platform) => Platform): OpenClient =>
  async ({ folder, relayUrl, relayPublicKey }) => {
    const platform = await createNodePlatform({ folder });
    return clientOver(change({ ...platform, passphrases: quickPassphrases }), relayUrl, relayPublicKey);
  };

/** As createNodeClient makes one over the platform of Node. `relayPublicKey`: base64url; without it none is pinned. */
export const clientOver = (
  platform: Platform,
  relayUrl: string,
  relayPublicKey?: string,
): Promise<NodeClient> =>
  nodeClientOver(platform, {
    relayUrl,
    relayPublicKey: relayPublicKey === undefined ? null : relayKeyFromText(relayPublicKey),
    ...deploymentOf(relayUrl),
  });

/** As createNodeClient, but for the price of a guess: it is most of a member's whole work. */
export const openQuick: OpenClient = openOver((platform) => platform);

/**
 * The least that a longer wait becomes, in milliseconds: it may be a deadline, and on two busy cores an answer takes a
 * second or two, while other members of the same process derive the keys of their vaults.
 */
const LEAST_MS = 3_000;

/** Every wait is up to so many times shorter: what a client tries again by itself is tried soon. */
export const hurried =
  (times: number) =>
  (platform: Platform): Platform => ({
    ...platform,
    timers: {
      after: (ms, run) =>
        platform.timers.after(ms > LEAST_MS ? Math.max(ms / times, LEAST_MS) : ms / times, run),
    },
  });

/** As on any day, but five times as soon: the relay of a test is cut more often than a network falls. */
export const openHurried: OpenClient = openOver(hurried(5));
