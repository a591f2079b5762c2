/** The pin after many successions and re-pins: the user's own act always fits, and trusts nothing from before it. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Bytes } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { newVault } from '../room/log/log.spec-support.js';
import { FakeClock, fakePlatform } from '../room/outgoing/part.spec-support.js';
import type { Vault } from '../vault/vault.js';
import { RelayPin } from './relay-pin.js';

let vault: Vault;
let first: Bytes;

beforeAll(() => loadThemis());
beforeEach(async () => {
  vault = await newVault();
  first = generateKeyPair().publicKey;
});

const keys = (count: number): readonly Bytes[] =>
  Array.from({ length: count }, () => generateKeyPair().publicKey);
const hashOf = (key: Bytes): Promise<Bytes> => nodeHash.sha256(key);

/** As a client that starts over that vault has it. */
async function pinned(): Promise<RelayPin> {
  const deployment = {
    fetchRelayKey: () => Promise.resolve(first),
    fetchSuccession: () => Promise.resolve([]),
    relayUrl: 'https://chat.example.org',
  };
  const pin = new RelayPin(fakePlatform(new FakeClock(1_000)), deployment, () => undefined);
  await pin.load(vault, null);
  await pin.require(vault, null);
  return pin;
}

test('a relay that changes its key again and again is followed so far, and never takes away the user’s own act', async () => {
  const pin = await pinned();
  let followed = 0;
  const refused = await (async () => {
    for (;;) {
      try {
        await pin.follow(vault, keys(16));
        followed += 1;
      } catch (error) {
        return error;
      }
    }
  })();
  expect(refused).toMatchObject({ code: 'RELAY_KEY_LEFT' });
  expect(followed).toBe(4);
  for (const key of keys(1_200)) await pin.replace(vault, key);
  const [mine] = keys(1);
  await pin.replace(vault, mine!);
  expect((await pinned()).key).toEqual(mine);
});

test('what led to a key before the user pinned another one leads to that one no more', async () => {
  const pin = await pinned();
  const [next, mine] = keys(2);
  await pin.follow(vault, [next!]);
  expect(pin.failure(await hashOf(first))).toBeNull();
  await pin.replace(vault, mine!);
  for (const again of [pin, await pinned()])
    for (const key of [first, next!]) {
      expect(again.failure(await hashOf(key))).toMatchObject({ code: 'RELAY_KEY_MISMATCH' });
      expect(again.hasLeft(key)).toBe(true);
    }
  expect(pin.failure(await hashOf(mine!))).toBeNull();
});
