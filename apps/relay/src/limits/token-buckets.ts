/** Token buckets in memory: a restart may forgive. */
import { LRUCache } from 'lru-cache';
import type { Rate } from '../rooms/port/room-store.js';

interface Level {
  tokens: number;
  at: number;
}

/** Buckets kept; the longest unused go first: those are full again, or nearly. */
const MOST = 20_000;

export interface TokenBucket {
  /** Takes one token; false: none is left. */
  take(): boolean;
  /** Milliseconds until there is one. */
  waitMs(): number;
  /** Takes so many, whatever is left: milliseconds until that is made up for, 0: nothing is owed. */
  spend(tokens: number): number;
}

export class TokenBuckets {
  readonly #levels = new LRUCache<string, Level>({ max: MOST });

  of(key: string, rate: Rate, now: number): TokenBucket {
    const known = this.#levels.get(key);
    const level: Level = known ?? { tokens: rate.burst, at: now };
    level.tokens = Math.min(rate.burst, level.tokens + (Math.max(0, now - level.at) / 1000) * rate.perSecond);
    level.at = now;
    if (known === undefined) this.#levels.set(key, level);
    const msUntil = (tokens: number): number => Math.ceil(((tokens - level.tokens) / rate.perSecond) * 1000);
    return {
      take: () => {
        if (level.tokens < 1) return false;
        level.tokens -= 1;
        return true;
      },
      waitMs: () => Math.max(1, msUntil(1)),
      spend: (tokens) => {
        level.tokens -= tokens;
        return Math.max(0, msUntil(0));
      },
    };
  }
}
