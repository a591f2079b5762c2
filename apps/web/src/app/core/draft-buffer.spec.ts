import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { DraftBuffer } from './draft-buffer';

describe('drafts', () => {
  let saved: string[];
  let drafts: DraftBuffer;

  beforeEach(() => {
    jest.useFakeTimers();
    saved = [];
    drafts = new DraftBuffer((roomId, text) => {
      saved.push(`${roomId}: ${text}`);
      return Promise.resolve();
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are at hand at once and stored once one pauses, each room by itself', () => {
    drafts.keep('a', 'on');
    drafts.keep('a', 'one');
    drafts.keep('b', 'two');
    expect([drafts.text('a', 'older'), drafts.text('c', 'older')]).toEqual(['one', 'older']);
    expect(saved).toEqual([]);
    jest.runAllTimers();
    expect(saved).toEqual(['a: one', 'b: two']);
  });

  it('are stored at once when asked, and only then', async () => {
    drafts.keep('a', 'one');
    await drafts.flush();
    expect(saved).toEqual(['a: one']);
    await drafts.flush();
    jest.runAllTimers();
    expect(saved).toEqual(['a: one']);
  });

  it('are stored empty once sent: an older one in the vault must not come back', async () => {
    drafts.keep('a', '');
    await drafts.flush();
    expect(saved).toEqual(['a: ']);
    expect(drafts.text('a', 'older')).toBe('');
  });

  it('are gone from memory when the page locks', () => {
    drafts.keep('a', 'one');
    drafts.clear();
    jest.runAllTimers();
    expect(saved).toEqual([]);
    expect(drafts.text('a')).toBe('');
  });
});
