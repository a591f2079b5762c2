/** What the reading of a chain may come to, however promptly each page of it comes. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { applyRoster, startRoster, type Roster } from '@0fc/crypto/verify';
import { signBody } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import {
  ERROR_CODES,
  type Bytes,
  type Entry,
  type MemberId,
  type OpenReply,
  type RoomId,
} from '@0fc/protocol';
import type { Connection } from '../../link/connection.js';
import { ClientError } from '../../contract/errors.js';
import { FakeClock, fakePlatform } from './part.spec-support.js';
import { fetchChain, readFirstEntries } from './log-queries.js';
import { crypto, RoomLog } from '../log/log.spec-support.js';

const PAGES = 40;
const MINUTE = 60_000;

let genesis: Roster;
/** Each proves itself, and there are as many as an owner cares to sign. */
const chain: Bytes[] = [];

beforeAll(async () => {
  await loadThemis();
  const { genesis: first, owner } = await RoomLog.begin();
  genesis = await startRoster(crypto.hash, first);
  chain.push(first);
  let roster = genesis;
  for (let n = 1; n < PAGES; n++) {
    const { roomId, head, settings } = roster;
    const body = { roomId, epoch: 1, head, owner: owner.id, settings: { ...settings, rotateEvery: n } };
    const container = signBody(owner.identity, 'settings', body);
    ({ roster } = await applyRoster(crypto.hash, roster, container));
    chain.push(container);
  }
});

/** A relay that answers every request for the chain with one entry after `ms` milliseconds, and always has more. */
function slow(clock: FakeClock, ms: number, served: number[], more = true): Pick<Connection, 'request'> {
  const request = (_: 'chain', { from }: { readonly from: number }) => {
    served.push(from);
    clock.advance(ms);
    return Promise.resolve({ entries: chain.slice(from, from + 1), more: more || from + 1 < PAGES });
  };
  return { request } as unknown as Connection;
}

const read = (connection: Pick<Connection, 'request'>, clock: FakeClock, from: Roster | null = null) =>
  fetchChain(connection, fakePlatform(clock), { roomId: genesis.roomId, roster: from });

test.each(['a joiner', 'a member'])(
  'a chain that comes in time, all but its end, does not hold %s for long',
  async (who) => {
    const clock = new FakeClock(0);
    const served: number[] = [];
    const began = read(slow(clock, MINUTE / 2, served), clock, who === 'a member' ? genesis : null);
    const failed = await began.then(() => null, ClientError.from);
    expect(failed?.code).toBe(ERROR_CODES.RELAY_UNREACHABLE);
    expect(clock.now()).toBeLessThanOrEqual(6 * MINUTE);
    expect(clock.pending).toBe(0);
  },
);

test('a chain whose end comes before that is read, and leaves no timer behind', async () => {
  const clock = new FakeClock(0);
  const served: number[] = [];
  const { entries, roster } = await read(slow(clock, 100, served, false), clock);
  expect(entries).toEqual(chain);
  expect(roster.length).toBe(PAGES);
  expect(served).toEqual(chain.map((_, at) => at));
  expect(clock.pending).toBe(0);
});

test('of a chain with an entry that does not prove itself nothing behind that is asked for', async () => {
  const clock = new FakeClock(0);
  const served: number[] = [];
  const honest = slow(clock, 0, served);
  const request = async (kind: 'chain', body: { readonly from: number }) => {
    const page = await honest.request(kind, body);
    return body.from === 3 ? { ...page, entries: chain.slice(7, 8) } : page;
  };
  const failed = await read({ request } as unknown as Connection, clock).then(() => null, ClientError.from);
  expect(failed?.code).toBe(ERROR_CODES.RELAY_LIED);
  expect(served).toEqual([0, 1, 2, 3]);
  expect(clock.pending).toBe(0);
});

const G = 1_000;
const asked = { roomId: '' as RoomId, floor: { g: G, s: 0 }, admission: new Uint8Array(32) };
const platform = fakePlatform(new FakeClock(1_000_000));

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
  const code = await readFirstEntries(connection, platform, asked).then(
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
