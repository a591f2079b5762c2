/** What replicas tell each other of connections: sent late, twice, and by clocks that differ. */
import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { MemberId, RoomId } from '@0fc/protocol';
import type { Server } from 'socket.io';
import { ReplicaMessages, type LiveConnection } from './replica-messages.js';

const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId;
const OTHER = 'AAAAAAAAAAAAAAAAAAAAAQ' as RoomId;
const ME = 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId;
const T = 1_800_000_000_000;

function setUp(serverCount: () => Promise<number> = async () => 2) {
  const sent: unknown[] = [];
  const server = Object.assign(new EventEmitter(), {
    serverSideEmit: (_: string, told: unknown) => sent.push(told),
    of: () => ({ adapter: { serverCount } }),
  });
  const cut: string[] = [];
  const across = new ReplicaMessages(server as unknown as Server, { replace: (id) => cut.push(id) });
  return { across, cut, sent, hear: (told: unknown) => server.emit('live', told) };
}
const live = (connectionId: string, since: number, roomId = ROOM): LiveConnection => ({
  roomId,
  memberId: ME,
  connectionId,
  since,
});

describe('a connection that another replica has', () => {
  test('cuts the one that was there long before, in its room and in no other', () => {
    const { across, cut, sent, hear } = setUp();
    across.announce(live('old', T));
    across.announce(live('elsewhere', T, OTHER));
    expect(sent).toHaveLength(2);
    hear(live('new', T + 60_000));
    expect(cut).toEqual(['old']);
  });

  test('cuts nothing that may be newer by another clock, or is gone', () => {
    const { across, cut, hear } = setUp();
    across.announce(live('mine', T));
    hear(live('late word of an older one', T - 60_000));
    hear(live('nearly at once', T + 3_000));
    hear(live('mine', T + 60_000));
    across.forget(live('mine', T));
    hear(live('new', T + 60_000));
    expect(cut).toEqual([]);
  });

  test('is not believed where it is not of this shape', () => {
    const { across, cut, hear } = setUp();
    across.announce(live('mine', T));
    for (const told of [null, 'x', {}, { ...live('new', T + 60_000), more: 1 }, live('new', NaN)]) hear(told);
    expect(cut).toEqual([]);
  });
});

test('replicas are counted, and it is one where nobody answers', async () => {
  expect(await setUp(async () => 3).across.replicas()).toBe(3);
  const failing = setUp(() => Promise.reject(new Error('down')));
  expect(await failing.across.replicas()).toBe(1);
  expect(await setUp(() => new Promise(() => undefined)).across.replicas()).toBe(1);
});
