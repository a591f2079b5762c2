/** The ports of this library on Node. */
import { createHash, randomFillSync } from 'node:crypto';
import type { Clock, Hash, Random } from '../ports.js';

export const nodeHash: Hash = {
  async sha256(data) {
    // A plain copy: a Buffer may be a view over memory that it shares with others.
    return Uint8Array.from(createHash('sha256').update(data).digest());
  },
};

export const nodeRandom: Random = {
  bytes: (n) => randomFillSync(new Uint8Array(n)),
};

export const systemClock: Clock = { now: () => Date.now() };
