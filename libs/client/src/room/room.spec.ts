/** A room whose vault cannot be written: it stops and says so, and breaks nothing else. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import type { Platform } from '../ports.js';
import { crypto, memoryStorage, RoomLog } from './log.spec-support.js';
import { Pump } from './pump.js';
import { Room } from './room.js';

beforeAll(async () => {
  await loadThemis();
});

const platform: Platform = {
  crypto,
  storage: memoryStorage(),
  timers: { after: () => () => undefined },
  // A relay that never answers: what is tested here happens before anything is sent.
  socket: { connect: () => ({ send: () => undefined, close: () => undefined }) },
  lock: { acquire: () => Promise.resolve(true), release: () => Promise.resolve() },
};

describe('a full vault', () => {
  test('refuses the message with its code and stops the room', async () => {
    const log = await RoomLog.begin();
    const state = await log.reader(log.owner);
    const room = new Room(
      { platform, url: 'http://localhost', relayKey: generateKeyPair().publicKey, changed: () => undefined },
      state,
    );
    state.commit = () => Promise.reject(new ClientError('VAULT_FULL'));
    await expect(room.send({ type: 'text', text: 'kept nowhere' })).rejects.toMatchObject({
      code: 'VAULT_FULL',
    });
    expect(room.stopped).toEqual({ code: 'VAULT_FULL' });
    await room.stop();
  });
});

describe('a pump', () => {
  test('works once more for a wake-up that comes while its work is ending', async () => {
    let works = 0;
    let release: () => void = () => undefined;
    const pump = new Pump(() => {
      works += 1;
      return new Promise((resolve) => {
        release = resolve;
      });
    });
    pump.wake();
    release();
    pump.wake();
    pump.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(works).toBe(2);
    release();
  });
});
