/** Work that is asked for while it runs runs once more, however often it was asked for. */
import { describe, expect, test } from '@jest/globals';
import { WorkLoop } from './work-loop.js';

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
    loop.signal();
    release();
    loop.signal();
    loop.signal();
    await new Promise((resolve) => setImmediate(resolve));
    expect(works).toBe(2);
    release();
  });
});
