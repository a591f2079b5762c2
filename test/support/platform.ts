/** A client on Node over a platform that is changed somewhere: its clock, its timers, its storage. */
import type { Platform } from '@0fc/client';
import { createNodePlatform, type createNodeClient } from '@0fc/client/node';
import { clientOver } from './client-over.js';

export type OpenClient = typeof createNodeClient;

/** Opens as createNodeClient does, over what `change` makes of each platform. */
export const openOver =
  (change: (platform: Platform) => Platform): OpenClient =>
  async ({ folder, relayUrl }) =>
    clientOver(change(await createNodePlatform({ folder })), relayUrl);

/** Every wait is so many times shorter: what a client tries again by itself is tried soon. */
export const hurried =
  (times: number) =>
  (platform: Platform): Platform => ({
    ...platform,
    timers: { after: (ms, run) => platform.timers.after(ms / times, run) },
  });

/** As on any day, but five times as soon: the relay of a test is cut more often than a network falls. */
export const openHurried: OpenClient = openOver(hurried(5));
