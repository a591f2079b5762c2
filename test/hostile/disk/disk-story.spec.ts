/**
 * A room's whole life over disks that fail now and then (G6, G14, G16): nothing is lost, nothing is shown twice, and
 * memory is what the disks have.
 *
 * `SEED=…` repeats a run's choices; `DISK_STORY=all` (npm run long -- disk) fails every write of the story in turn.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Dice, seedOfRun } from '../../support/random.js';
import { openHurried } from '../../support/platform.js';
import { DiskStory, type Writes } from '../members/disk-story.js';
import { Stage } from '../stage.js';

const WHOLE = process.env.DISK_STORY === 'all';
/** How many writes in a row fail, at most: the last of them are attempts by itself, with growing delays. */
const MOST_FAILED = 4;
/** One write in so many begins a time without room. */
const SELDOM = 12;

jest.setTimeout(WHOLE ? 3_600_000 : 240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Somebody writes this often in every run. */
const SURELY_ASKED = 60;
/** Stories that run at the same time: most of each is waiting. */
const AT_ONCE = 3;

const seed = seedOfRun();
const dice = new Dice(seed);
process.stdout.write(`disk story: SEED=${String(seed)}\n`);

const failedOf = (writes: Writes): readonly number[] => [...writes.values()].map(({ failed }) => failed);
const told = (writes: Writes): string =>
  [...writes].map(([name, { asked, failed }]) => `${name} ${String(failed)} of ${String(asked)}`).join(', ');

describe('disks that are full for a while', () => {
  test('G6 G14 G16 at random writes of everybody cost nothing over a room’s whole life', async () => {
    const writes = await DiskStory.run(stage, () => {
      let left = 0;
      return () => {
        if (left > 0) left -= 1;
        else if (dice.once(SELDOM)) left = 1 + dice.below(MOST_FAILED);
        return left > 0;
      };
    });
    process.stdout.write(`disk story: writes that failed: ${told(writes)}\n`);
    expect(Math.max(...failedOf(writes))).toBeGreaterThan(0);
  });

  test('G6 G14 G16 at one write of everybody cost nothing, whichever it is', async () => {
    const runOf = async (n: number): Promise<number> => {
      const times = 1 + dice.below(MOST_FAILED);
      const fails = (write: number): boolean => write >= n && write < n + times;
      const writes = await DiskStory.run(stage, () => fails).catch((error: unknown) => {
        const again = `write ${String(n)} and ${String(times - 1)} after it, SEED=${String(seed)}`;
        throw new Error(`${again}: ${String(error)}`, { cause: error });
      });
      return Math.max(...failedOf(writes));
    };
    if (!WHOLE) {
      expect(await runOf(1 + dice.below(SURELY_ASKED))).toBeGreaterThan(0);
      return;
    }
    let next = 1;
    let most = Infinity;
    const walk = async (): Promise<void> => {
      while (next < most) {
        const n = next++;
        if ((await runOf(n)) === 0) most = Math.min(most, n);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, walk));
    process.stdout.write(`disk story: every write from 1 to ${String(most - 1)}\n`);
    expect(most).toBeGreaterThan(SURELY_ASKED);
  });
});
