/** A room whose vault cannot be written: it stops and says so, and breaks nothing else. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import type { Platform } from '../contract/ports.js';
import { crypto, memoryStorage, newVault, RoomLog } from './log/log.spec-support.js';
import { Room } from './room.js';
import { WatchedStorage } from './state/storage.spec-support.js';
import { quickPassphrases } from '../vault/quick-passphrases.spec-support.js';

beforeAll(async () => {
  await loadThemis();
});

const platform: Platform = {
  crypto,
  passphrases: quickPassphrases,
  storage: memoryStorage(),
  timers: { after: () => () => undefined },
  // A relay that never answers: what is tested here happens before anything is sent.
  socket: { connect: () => ({ send: () => undefined, close: () => undefined }) },
  lock: { acquire: () => Promise.resolve(true), release: () => Promise.resolve() },
};

describe('a full vault', () => {
  test('refuses the message with its code and stops the room', async () => {
    const log = await RoomLog.begin();
    const storage = new WatchedStorage();
    const vault = await newVault(storage);
    const state = await log.reader(log.owner, vault);
    const room = new Room(
      {
        platform,
        url: 'http://localhost',
        relayKey: generateKeyPair().publicKey,
        blocked: null,
        sharesPresence: () => true,
        changed: () => undefined,
      },
      state,
    );
    storage.fails = { code: 'VAULT_FULL', stored: false };
    await expect(room.composer.sendText('kept nowhere')).rejects.toMatchObject({
      code: 'VAULT_FULL',
    });
    expect(room.stopped).toEqual({ code: 'VAULT_FULL', resumes: true });
    await room.stop();
  });
});
