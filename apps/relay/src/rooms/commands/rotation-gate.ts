/**
 * How many rotations that no message made room for a room may have (docs/protocol.md section 7): an owner can make keys
 * without end, and each is every member's to keep.
 */
import { LIMITS, type RoomId } from '@0fc/protocol';
import type { Clock } from '@0fc/crypto/verify';
import { Buckets } from '../../limits/token-buckets.js';

/** `lost`: the store has lost something of the room, and is given it back. Milliseconds to wait; 0: go on. */
export type RotationGate = (roomId: RoomId, lost: boolean) => number;

const every = (burst: number, ms: number) => ({
  buckets: new Buckets(),
  rate: { burst, perSecond: 1_000 / ms },
});

export function rotationGate(clock: Clock): RotationGate {
  const idle = every(LIMITS.idleRotations, LIMITS.idleRotationMs);
  const afterLoss = every(LIMITS.restoredRotations, LIMITS.restoredRotationMs);
  return (roomId, lost) => {
    const { buckets, rate } = lost ? afterLoss : idle;
    const bucket = buckets.of(roomId, rate, clock.now());
    return bucket.take() ? 0 : bucket.waitMs();
  };
}
