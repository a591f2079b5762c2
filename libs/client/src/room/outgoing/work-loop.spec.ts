/** Work that is asked for while it runs runs once more, however often it was asked for. */
import { describe, expect, test } from '@jest/globals';
import { WorkLoop } from './lane.js';

describe('a loop of work', () => {
  test('works once more for a signal that comes while its work is ending', async () => {
    let works = 0;
    let release: () => void = () => undefined;
    const loop = new WorkLoop(() => {
      works += 1;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    let over = false;
    void loop.signal();
    release();
    void loop.signal();
    const last = loop.signal().then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([works, over]).toEqual([2, false]);
    release();
    // Whoever has asked is answered once the work was done for it.
    await last;
    expect(works).toBe(2);
  });
});
