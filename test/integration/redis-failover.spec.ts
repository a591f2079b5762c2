/** Another Redis becomes the master, behind sentinels: relays follow, and members only see that it took a while. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { comparePositions } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { until } from '../support/wait.js';
import { Peer, Refused } from './relay-peer.js';
import { message, TestRoom } from './relay-room.js';

let redis: RunningRedis;
let relays: RunningRelay[];
beforeAll(async () => {
  await loadThemis();
  redis = await startRedis({ kind: 'sentinel', password: 'of-its-own' });
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    SERVE_WEB: 'false',
    HANDSHAKE_MS: '60000',
    RELAY_PRIVATE_KEY: writeKey(generateKeyPair()),
    REDIS_WAIT_REPLICAS: '1',
    ...redis.environment,
  };
  relays = await Promise.all([1, 2].map(() => startRelay({ environment, inMemory: true })));
});
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await redis.stop();
});

const green = async (relay: RunningRelay): Promise<boolean> =>
  (await fetch(`${relay.url}/health/ready`)).status === 200;

test('what was acknowledged stays, and the room goes on in a new generation', async () => {
  const [a, b] = relays as [RunningRelay, RunningRelay];
  const room = await TestRoom.create(a);
  const guest = await Peer.connect(b);
  await room.join(guest);
  const { placed } = await room.owner.request('append', { messages: [message(), message()] });
  const before = placed.at(-1)!.position;
  await until('the guest to have them', () => guest.entries.at(-1)?.position.s === before.s);

  await redis.kill(0);
  await until('readiness to turn red', async () => !(await green(a)) && !(await green(b)));
  await until('the relays to have followed', async () => (await green(a)) && (await green(b)));

  // Waiting for a replica cannot succeed: there is none left, and nothing is acknowledged that it lacks.
  expect(await room.owner.refusal('append', { messages: [message()] })).toBe('TRY_AGAIN');
  await redis.restart(0);
  const said = await until('an acknowledgement', async () => {
    const answer = await room.owner.refusal('append', { messages: [message()] });
    if (answer !== null && answer !== 'TRY_AGAIN') throw new Error(answer);
    return answer === null;
  });
  expect(said).toBe(true);
  for (const peer of [room.owner, guest]) {
    await until(
      'what follows',
      () => peer.told('generation').length > 0 && (peer.entries.at(-1)?.position.g ?? 1) > 1,
    );
    const positions = peer.entries.map(({ position }) => position);
    // One order, no repetition, and no number left out across the change.
    expect(positions.toSorted(comparePositions)).toEqual(positions);
    const own = positions.filter((position) => comparePositions(position, before) >= 0);
    expect(own.map(({ s }) => s)).toEqual(own.map((_, n) => before.s + n));
    expect(peer.told('generation')[0]?.from).toEqual(before);
    expect(peer.closed).toBeNull();
    peer.leave();
  }
});

test('a planned failover takes nothing that anybody has seen', async () => {
  const [a, b] = relays as [RunningRelay, RunningRelay];
  // The replica may have yet to follow: it has just come back.
  const { owner, guest } = await until('a room of two', async () => {
    const guest = await Peer.connect(b);
    try {
      const room = await TestRoom.create(a);
      await room.join(guest);
      return { owner: room.owner, guest };
    } catch (error) {
      guest.leave();
      if (error instanceof Refused && error.code === 'TRY_AGAIN') return null;
      throw error;
    }
  });
  const members = [owner, guest];
  const sentinel = redis.connect(redis.nodes.findIndex(({ role }) => role === 'sentinel'));
  try {
    await sentinel.call('SENTINEL', 'failover', redis.environment.REDIS_MASTER_NAME ?? '');
  } finally {
    sentinel.disconnect();
  }
  // Both talk all the time, over one relay each.
  const moved = (): boolean => members.every((peer) => peer.told('generation').length > 0);
  for (let n = 0; n < 20 || !moved(); n++) {
    const answers = await Promise.all(
      members.map((peer) => peer.refusal('append', { messages: [message()] })),
    );
    expect(answers.filter((answer) => answer !== null && answer !== 'TRY_AGAIN')).toEqual([]);
  }
  for (const peer of members) {
    // Entries that had been seen, behind where the next generation goes on from.
    const seen = peer.entries.map(({ position }) => position);
    const lost = peer
      .told('generation')
      .flatMap(({ from }) => seen.filter(({ g, s }) => g === from.g && s > from.s));
    expect(lost).toEqual([]);
    expect(peer.closed).toBeNull();
    peer.leave();
  }
});
