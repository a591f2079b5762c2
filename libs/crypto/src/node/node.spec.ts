/** The loader for Node: what it must not do to its process, and the pool in front of the generator. */
import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { toHex } from '@0fc/protocol';
import { attempt, CryptoError } from '../errors.js';
import { generateKeyPair, newVaultKey, openRecord, sealRecord } from '../keys/index.js';
import { loadThemis, nodeHash, nodeRandom, systemClock } from './index.js';
import { pooledCrypto } from './pool.js';

describe('loading', () => {
  it('before it, every operation is an internal error and never a verdict on its input', () => {
    const run = (): unknown => generateKeyPair();
    expect(run).toThrow(CryptoError);
    expect(run).toThrow(/^INTERNAL/);
  });

  it('leaves the process’s listeners and globals alone, and happens once', async () => {
    const events = ['uncaughtException', 'unhandledRejection'] as const;
    const before = events.map((event) => process.listenerCount(event));
    const getRandomValues = globalThis.crypto.getRandomValues;
    const first = loadThemis();
    expect(loadThemis({ pooledRandom: false })).toBe(first);
    await first;
    expect(events.map((event) => process.listenerCount(event))).toEqual(before);
    expect(globalThis.crypto.getRandomValues).toBe(getRandomValues);
    expect(generateKeyPair().publicKey).toHaveLength(45);
  });

  it('Themis’s refusal is a verdict, any other failure is not', () => {
    expect(() =>
      attempt('BAD_KEY', 'test', () => {
        throw new TypeError('test');
      }),
    ).toThrow(/^INTERNAL/);
    const record = sealRecord(newVaultKey(nodeRandom), 'a', 'b', new Uint8Array());
    expect(() => openRecord(newVaultKey(nodeRandom), 'a', 'b', record)).toThrow(/^VAULT_DAMAGED/);
  });
});

describe('the ports', () => {
  it('hash, randomness and clock', async () => {
    expect(toHex(await nodeHash.sha256(new Uint8Array()))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(nodeRandom.bytes(100_000)).toHaveLength(100_000);
    expect(nodeRandom.bytes(32)).not.toEqual(nodeRandom.bytes(32));
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });
});

describe('the pool', () => {
  it('hands out the source’s bytes in order, each once, however it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(700), { maxLength: 60 }), (sizes) => {
        let fills = 0;
        const seen = new Set<string>();
        const pool = pooledCrypto({
          getRandomValues(target) {
            fills++;
            return webcrypto.getRandomValues(target);
          },
        });
        for (const size of sizes.map((one) => one + 16)) {
          const text = toHex(pool.getRandomValues(new Uint8Array(size)));
          expect(text).toHaveLength(2 * size);
          expect(seen.has(text.slice(0, 32))).toBe(false);
          seen.add(text.slice(0, 32));
        }
        const total = sizes.reduce((sum, one) => sum + one + 16, 0);
        expect(fills).toBeLessThanOrEqual(Math.ceil(total / 3_300) + 1);
      }),
      { numRuns: 30 },
    );
  });

  it('asks the source for what is larger than itself, and gives single bytes without repeating a fill', () => {
    let asked: number[] = [];
    let next = 0;
    const pool = pooledCrypto({
      getRandomValues(target) {
        asked.push(target.length);
        for (let at = 0; at < target.length; at++) target[at] = next++ % 251;
        return target;
      },
    });
    const one = new Uint8Array(1);
    const bytes = Array.from({ length: 5_000 }, () => pool.getRandomValues(one)[0]);
    expect(bytes).toEqual(Array.from({ length: 5_000 }, (_, at) => at % 251));
    expect(asked).toEqual([4_096, 4_096]);
    asked = [];
    pool.getRandomValues(new Uint8Array(5_000));
    expect(asked).toEqual([5_000]);
  });
});
