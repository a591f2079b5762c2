import { describe, expect, test } from '@jest/globals';
import { LIMITS, toBase64Url, type MemberId } from '@0fc/protocol';
import type { FeedEntry } from '../port/room-store.js';
import { isShared } from './shared-entries.js';

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
  test('is one event for all', () => {
    const entries = [entry(1), entry(2), entry(3, { kind: 'roster' })];
    expect(isShared(entries)).toBe(true);
  });

  test('is each member’s own with a rotation among it, whose wraps nobody else is sent', () => {
    const wraps = new Map([[SENDER, new Uint8Array(9)]]);
    const entries = [entry(1), entry(2, { kind: 'rotation', wraps })];
    expect(isShared(entries)).toBe(false);
    expect(isShared([entry(2, { kind: 'rotation' })])).toBe(false);
  });

  test('is not one event with a hole in it, or beyond what one may hold', () => {
    expect(isShared([])).toBe(false);
    expect(isShared([entry(1), entry(3)])).toBe(false);
    expect(isShared([entry(1), entry(2, { position: { g: 2, s: 2 } })])).toBe(false);
    const many = Array.from({ length: LIMITS.pageEntries + 1 }, (_, s) => entry(s));
    expect(isShared(many)).toBe(false);
    expect(isShared(many.slice(1))).toBe(true);
    const payload = new Uint8Array(LIMITS.pageBytes / 2);
    expect(isShared([entry(1, { payload }), entry(2, { payload })])).toBe(false);
  });
});
