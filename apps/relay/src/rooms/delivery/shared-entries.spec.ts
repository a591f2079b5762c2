import { describe, expect, test } from '@jest/globals';
import { LIMITS, toBase64Url, type MemberId } from '@0fc/protocol';
import type { FeedEntry } from '../port/room-store.js';
import { sharedBody } from './shared-entries.js';

const SENDER = toBase64Url(new Uint8Array(16)) as MemberId;
const entry = (s: number, over: Partial<FeedEntry> = {}): FeedEntry => ({
  position: { g: 1, s },
  kind: 'message',
  sender: SENDER,
  time: 1,
  clear: new Uint8Array(3),
  payload: new Uint8Array(100),
  ...over,
});

describe('what the feed brings', () => {
  test('is one event for all, made once', () => {
    const entries = [entry(1), entry(2), entry(3, { kind: 'roster' })];
    const body = sharedBody(entries);
    expect(body).toEqual({ entries });
    expect(sharedBody(entries)).toBe(body);
    expect(sharedBody([...entries])).not.toBe(body);
  });

  test('is each member’s own with a rotation among it, whose wraps nobody else is sent', () => {
    const wraps = new Map([[SENDER, new Uint8Array(9)]]);
    const entries = [entry(1), entry(2, { kind: 'rotation', wraps })];
    expect(sharedBody(entries)).toBeNull();
    expect(sharedBody([entry(2, { kind: 'rotation' })])).toBeNull();
  });

  test('is not one event with a hole in it, or beyond what one may hold', () => {
    expect(sharedBody([])).toBeNull();
    expect(sharedBody([entry(1), entry(3)])).toBeNull();
    expect(sharedBody([entry(1), entry(2, { position: { g: 2, s: 2 } })])).toBeNull();
    const many = Array.from({ length: LIMITS.pageEntries + 1 }, (_, s) => entry(s));
    expect(sharedBody(many)).toBeNull();
    expect(sharedBody(many.slice(1))).not.toBeNull();
    const payload = new Uint8Array(LIMITS.pageBytes / 2);
    expect(sharedBody([entry(1, { payload }), entry(2, { payload })])).toBeNull();
  });
});
