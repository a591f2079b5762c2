/** A pool in front of the platform's generator (docs/protocol.md section 2 names no other source). */
export interface RandomSource {
  getRandomValues<T extends Uint8Array<ArrayBuffer>>(target: T): T;
}

/** Bytes fetched from the platform at a time. */
const POOL_BYTES = 4_096;

/** Same bytes, fewer calls: each byte is handed out once and wiped from the pool as it goes. */
export function pooledCrypto(source: RandomSource = globalThis.crypto): RandomSource {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    getRandomValues(target) {
      if (target.length > POOL_BYTES) return source.getRandomValues(target);
      if (used + target.length > POOL_BYTES) {
        source.getRandomValues(pool);
        used = 0;
      }
      for (let at = 0; at < target.length; at++) {
        target[at] = pool[used] ?? 0;
        pool[used++] = 0;
      }
      return target;
    },
  };
}
