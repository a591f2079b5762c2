/** How long the owner waits for prekeys that a relay has lost (docs/protocol.md section 7). */
import { describe, expect, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import type { RoomSnapshot } from '../state/draft.js';
import { LostPrekeys } from './lost-prekeys.js';

type Known = Pick<RoomSnapshot, 'core' | 'roster'>;

const [TOMAS, INES] = ['BBBBBBBBBBBBBBBBBBBBBA', 'CCCCCCCCCCCCCCCCCCCCCA'] as MemberId[] as [
  MemberId,
  MemberId,
];
const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

/** A rotation has used the third prekey of both. */
const room = (lossAt: number | null, epoch = 7, there: readonly MemberId[] = [TOMAS, INES]): Known =>
  ({
    core: {
      epoch,
      starts: lossAt === null ? [] : [{ position: { g: 2, s: 1 }, time: lossAt }],
      wrappedTo: [TOMAS, INES].map((memberId) => ({ memberId, k: 3, again: false })),
    },
    roster: { members: new Map(there.map((memberId) => [memberId, {}])) },
  }) as unknown as Known;
const offered = (...ks: readonly number[]): ReadonlyMap<MemberId, { readonly k: number }> =>
  new Map(ks.map((k, at) => [[TOMAS, INES][at]!, { k }]));

describe('a rotation that is due by its count', () => {
  test.each([
    ['waits for an older prekey than was used', NOW, offered(3, 2), true],
    ['waits for one that is not there', NOW, offered(4), true],
    ['does not wait where all are there, used or new', NOW, offered(3, 4), false],
    ['does not wait without a loss', null, offered(3, 2), false],
    ['does not wait a minute after the loss', NOW - MINUTE_MS, offered(3, 2), false],
  ] as const)('%s', (_, lossAt, prekeys, waits) => {
    expect(new LostPrekeys().holds(room(lossAt), prekeys, NOW)).toBe(waits);
  });

  test('does not wait for whom the room has lost', () => {
    expect(new LostPrekeys().holds(room(NOW, 7, [TOMAS]), offered(3, 2), NOW)).toBe(false);
  });

  test('is asked about again in two seconds, and until then does not come up', () => {
    const lost = new LostPrekeys();
    expect(lost.wait(room(NOW), NOW)).toBe(0);
    lost.holds(room(NOW), offered(3, 2), NOW);
    expect([0, 1_500, 2_000].map((ms) => lost.wait(room(NOW), NOW + ms))).toEqual([2_000, 500, 0]);
    // Another epoch has begun meanwhile: nothing is held any more.
    expect(lost.wait(room(NOW, 8), NOW)).toBe(0);
    // A clock that was set right does not hold it for as long as it was wrong.
    expect(lost.wait(room(NOW), NOW - 3_600_000)).toBe(0);
  });

  test('waits a minute in an epoch, however many losses a relay makes up; in the next one anew', () => {
    const lost = new LostPrekeys();
    const held: number[] = [];
    for (let ms = 0; ms <= 5 * MINUTE_MS; ms += 10_000) {
      if (lost.holds(room(NOW + ms), offered(3, 2), NOW + ms)) held.push(ms);
    }
    expect(held).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
    expect(lost.holds(room(NOW, 8), offered(3, 2), NOW)).toBe(true);
  });
});
