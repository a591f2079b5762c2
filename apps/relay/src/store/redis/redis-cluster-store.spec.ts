import { afterAll, beforeAll } from '@jest/globals';
import { roomStoreContract } from '../../rooms/port/room-store.contract.spec-support.js';
import { RedisWorld } from './redis-world.spec-support.js';

let world: RedisWorld;
beforeAll(async () => {
  world = await RedisWorld.start('cluster', { appendonly: true });
});
afterAll(() => world.stop());

roomStoreContract('Redis Cluster', async (now) => ({
  store: await world.clocked(now),
  restart: async () => {
    world.disconnect();
    for (const [node] of world.running.nodes.entries()) await world.running.restart(node);
    return world.clocked(now);
  },
  dispose: () => world.clear(),
}));
