/** The key of a relay that is found out late, by whoever asks: one attempt at a time, and one key. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Bytes } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { DeferredPin } from './deferred-pin.js';
import type { Platform, StorageChange } from '../contract/ports.js';
import { RelayPin } from './relay-pin.js';
import type { Vault } from '../vault/vault.js';

beforeAll(() => loadThemis());

/** Timers that never fire: what is done here is done by who asks. */
const platform = {
  crypto: { hash: nodeHash, random: nodeRandom },
  timers: { after: () => () => undefined },
} as unknown as Platform;

describe('attempts at once', () => {
  test('are one: rooms and joins are started once', async () => {
    const done: string[] = [];
    const pin = new DeferredPin(
      platform,
      async () => {
        done.push('pin');
        await Promise.resolve();
      },
      async () => {
        done.push('start');
        await Promise.resolve();
        done.push('started');
      },
    );
    await Promise.all([pin.attempt(), pin.attempt(), pin.attempt()]);
    expect(done).toEqual(['pin', 'start', 'started']);
    await pin.attempt();
    expect(done).toHaveLength(6);
  });
});

describe('a key that is asked for by several at once', () => {
  /** A relay that answers each who asks with another key, and a vault of one record. */
  function world(answers: readonly (Bytes | Error)[]) {
    const written: StorageChange[] = [];
    const vault = {
      write: (changes: readonly StorageChange[]) => Promise.resolve(void written.push(...changes)),
    } as unknown as Vault;
    let asked = 0;
    let pinned = 0;
    const fetchKey = (): Promise<Bytes> => {
      const answer = answers[asked++]!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    const deployment = {
      fetchRelayKey: fetchKey,
      fetchSuccession: () => Promise.resolve([]),
      relayUrl: 'https://chat.example.org',
    };
    const pin = new RelayPin(platform, deployment, () => {
      pinned += 1;
    });
    return { pin, vault, written, counts: () => ({ asked, pinned }) };
  }
  const key = (): Bytes => generateKeyPair().publicKey;

  test('is the first that came: a later one replaces nothing, and is had by nobody', async () => {
    const keys = [key(), key(), key()];
    const { pin, vault, written, counts } = world(keys);
    const had = await Promise.all(keys.map(() => pin.require(vault, null)));
    expect(had.map((one) => one.fingerprint)).toEqual(keys.map(() => had[0]!.fingerprint));
    expect(had[0]!.key).toEqual(keys[0]);
    expect(pin.pin).toBe(had[0]);
    expect(written).toHaveLength(1);
    expect(counts()).toEqual({ asked: 1, pinned: 1 });
  });

  test('is asked for again by the next where it did not come, or was not the one of an invite', async () => {
    const right = key();
    const { pin, vault, written } = world([new Error('no answer'), key(), right]);
    const invite = await nodeHash.sha256(right);
    const outcomes = await Promise.allSettled([
      pin.require(vault, null),
      pin.require(vault, invite),
      pin.require(vault, invite),
      pin.require(vault, null),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'RELAY_KEY_MISMATCH' } });
    expect(pin.pin?.key).toEqual(right);
    expect(written).toHaveLength(1);
  });
});
