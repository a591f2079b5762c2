import { afterAll, beforeAll } from '@jest/globals';
import { roomStoreContract } from '../../rooms/port/room-store.contract.spec-support.js';
import { RedisWorld } from './redis-world.spec-support.js';

let world: RedisWorld;
beforeAll(async () => {
  // On disk, so that a restart is one.
  world = await RedisWorld.start('standalone', { appendonly: true });
});
afterAll(() => world.stop());

roomStoreContract('Redis', async (now) => ({
  store: await world.clocked(now),
  restart: async () => {
    world.disconnect();
    await world.running.restart(0);
    return world.clocked(now);
  },
  dispose: () => world.clear(),
}));
