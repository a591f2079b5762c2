/** How far a relay is followed that has no end, on the way to a new member's own admission. */
import { describe, expect, test } from '@jest/globals';
import type { Entry, MemberId, OpenReply, RoomId } from '@0fc/protocol';
import type { Connection } from '../connection.js';
import { FakeClock, fakePlatform } from './handle.spec-support.js';
import { readBegin } from './log-end.js';

const G = 1_000;
const asked = { roomId: '' as RoomId, floor: { g: G, s: 0 }, admission: new Uint8Array(32) };
const crypto = fakePlatform(new FakeClock(1_000_000)).crypto;

/** A relay whose pages of messages never end. Resolves to what is read of it. */
async function endless(page: { readonly entries: number; readonly bytes: number }) {
  const payload = new Uint8Array(page.bytes);
  let pages = 0;
  const request = (_: string, { after }: { readonly after: { readonly s: number } | null }) => {
    pages += 1;
    const from = after?.s ?? 0;
    const entries = Array.from({ length: page.entries }, (_each, at): Entry => ({
      position: { g: G, s: from + at + 1 }, time: 1, kind: 'message', sender: '' as MemberId, clear: new Uint8Array(0), payload,
    })); // prettier-ignore
    const generations = page.entries > 0 ? [] : [{ generation: G, from: { g: G, s: from + 1 } }];
    const reply = { role: 'member', generations, trimmed: { g: 0, s: 0 }, entries, live: false };
    return Promise.resolve(reply as unknown as OpenReply);
  };
  const connection = { request } as unknown as Pick<Connection, 'request'>;
  const code = await readBegin(connection, crypto, asked).then(
    () => 'read',
    (error: unknown) => (error as { code?: string }).code,
  );
  return { code, bytes: pages * page.entries * page.bytes, pages };
}

describe('a log without an end in which one’s own admission is not', () => {
  test('of large entries is read for so many bytes', async () => {
    const { code, bytes } = await endless({ entries: 8, bytes: 32_768 });
    expect(code).toBe('RELAY_LIED');
    expect(bytes).toBeGreaterThanOrEqual(256 * 2 ** 20);
    expect(bytes).toBeLessThanOrEqual(257 * 2 ** 20);
  });

  test.each([[1], [0]])('of pages with %i small entries is read for so many pages', async (entries) => {
    const { code, pages } = await endless({ entries, bytes: 1 });
    expect([code, pages]).toEqual(['RELAY_LIED', 10_000]);
  });
});
