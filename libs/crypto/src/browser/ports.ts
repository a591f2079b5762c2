/** The ports of this library in a browser. */
import type { Clock, Hash, Random } from '../ports.js';

/** The most that one call of getRandomValues gives. */
const RANDOM_CHUNK = 65_536;

export const browserHash: Hash = {
  async sha256(data) {
    return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(data)));
  },
};

export const browserRandom: Random = {
  bytes(n) {
    const out = new Uint8Array(n);
    for (let at = 0; at < n; at += RANDOM_CHUNK) crypto.getRandomValues(out.subarray(at, at + RANDOM_CHUNK));
    return out;
  },
};

export const systemClock: Clock = { now: () => Date.now() };
