/**
 * How many rotations that no message made room for a room may have (docs/protocol.md section 7): an owner can make keys
 * without end, and each is every member's to keep.
 */
import { LIMITS, type RoomId } from '@0fc/protocol';
import type { Clock } from '@0fc/crypto/verify';
import { TokenBuckets } from './token-buckets.js';

const every = (burst: number, ms: number) => ({
  buckets: new TokenBuckets(),
  rate: { burst, perSecond: 1_000 / ms },
});

/** As `mayRotate` of the rooms' context. */
export function rotationGate(clock: Clock): (roomId: RoomId, lost: boolean) => number {
  const idle = every(LIMITS.idleRotations, LIMITS.idleRotationMs);
  const afterLoss = every(LIMITS.restoredRotations, LIMITS.restoredRotationMs);
  return (roomId, lost) => {
    const { buckets, rate } = lost ? afterLoss : idle;
    const bucket = buckets.of(roomId, rate, clock.now());
    return bucket.take() ? 0 : bucket.waitMs();
  };
}
