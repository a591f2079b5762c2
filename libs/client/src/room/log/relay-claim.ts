/**
 * Positions only ascend, so a forged position far ahead would block this member for good. Claims that no honest relay
 * can make are refused before any state changes (docs/protocol.md section 6).
 */
import { ERROR_CODES, type Entry, type GenerationStart, type Position } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';

/** A generation is numbered by the relay's clock, in Unix ms; two clocks may be this far apart. */
const AHEAD_MS = 86_400_000;

export interface RelayClaim {
  readonly generations?: readonly GenerationStart[];
  readonly trimmed?: Position;
  readonly entries?: readonly Entry[];
}

/** Throws RELAY_LIED where a relay names a generation more than a day after `now` (Unix ms). */
export function checkRelayClaim({ generations = [], trimmed, entries = [] }: RelayClaim, now: number): void {
  const numbers = [
    ...generations.map(({ generation }) => generation),
    ...(trimmed === undefined ? [] : [trimmed.g]),
    ...entries.map(({ position }) => position.g),
  ];
  if (numbers.some((g) => g > now + AHEAD_MS)) throw new ClientError(ERROR_CODES.RELAY_LIED);
}
