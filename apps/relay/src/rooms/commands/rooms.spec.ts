/** Binding a connection to a room: whatever happens meanwhile, what was begun for it is ended. */
import { expect, test } from '@jest/globals';
import { nodeRandom } from '@0fc/crypto/node';
import type { RoomId } from '@0fc/protocol';
import { FanOuts } from '../delivery/fan-out.js';
import type { Peer } from '../delivery/peer.js';
import type { RelayContext } from './context.js';
import { bind } from './rooms.js';

const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId;

function setUp(gone: boolean) {
  const subscribed = { now: 0 };
  const fanOuts = new FanOuts(nodeRandom, () => undefined);
  const context = {
    fanOuts,
    store: {
      subscribe: async () => {
        subscribed.now += 1;
        return {
          unsubscribe: () => {
            subscribed.now -= 1;
          },
        };
      },
    },
  } as unknown as RelayContext;
  const peer = { subscription: null, gone } as unknown as Peer;
  return { context, peer, subscribed, fanOuts };
}

test('a connection that is there has its subscription', async () => {
  const { context, peer, subscribed } = setUp(false);
  expect(await bind(context, peer, ROOM, 'member')).toBe(peer.subscription);
  expect(subscribed.now).toBe(1);
  await bind(context, peer, ROOM, 'member');
  expect(subscribed.now).toBe(1);
  peer.subscription?.end();
  peer.subscription?.end();
  expect(subscribed.now).toBe(0);
});

test('one that has gone while its room was looked up leaves nothing behind', async () => {
  const { context, peer, subscribed, fanOuts } = setUp(true);
  const known = fanOuts.join(ROOM);
  await expect(bind(context, peer, ROOM, 'member')).rejects.toMatchObject({ code: 'TRY_AGAIN' });
  expect([subscribed.now, peer.subscription]).toEqual([0, null]);
  // Nobody but this test has a part in it.
  const { batch } = known.deliver({}, () => ({ e: 'signalled', body: {} }));
  fanOuts.leave(ROOM);
  expect(batch.feed.ended).toBe(true);
});
