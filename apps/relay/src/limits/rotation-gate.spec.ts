import { describe, expect, test } from '@jest/globals';
import { LIMITS, type RoomId } from '@0fc/protocol';
import { rotationGate } from './rotation-gate.js';

const ROOM = 'room' as RoomId;

describe('rotations that no message made room for', () => {
  test.each([
    [false, LIMITS.idleRotations, LIMITS.idleRotationMs],
    [true, LIMITS.restoredRotations, LIMITS.restoredRotationMs],
  ])(
    'are bounded in a room (of which something was lost: %s), and come back with time',
    (lost, burst, ms) => {
      let now = 0;
      const gate = rotationGate({ now: () => now });
      for (let n = 0; n < burst; n++) expect(gate(ROOM, lost)).toBe(0);
      expect(gate(ROOM, lost)).toBeGreaterThan(0);
      expect(gate(ROOM, !lost)).toBe(0);
      expect(gate('another' as RoomId, lost)).toBe(0);
      now += ms;
      expect(gate(ROOM, lost)).toBe(0);
      expect(gate(ROOM, lost)).toBeGreaterThan(0);
    },
  );
});
