import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { createHash, webcrypto } from 'node:crypto';

import { READ_CLAIMED_RELAY } from './claimed-relay';

const key = Uint8Array.from({ length: 45 }, (_, n) => 255 - n * 3);
const asked: string[] = [];

function answer(body: string, status = 200): void {
  globalThis.fetch = (url) => {
    asked.push(url as string);
    return Promise.resolve({ ok: status === 200, json: () => Promise.resolve(JSON.parse(body)) } as Response);
  };
}

const read = (): Promise<string | null> => TestBed.inject(READ_CLAIMED_RELAY)();

describe('the relay key that the deployment names', () => {
  const { fetch, crypto } = globalThis;
  beforeAll(() => {
    Object.defineProperty(globalThis, 'crypto', { value: webcrypto, configurable: true });
  });
  afterAll(() => {
    Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true });
  });
  afterEach(() => {
    globalThis.fetch = fetch;
  });

  it('is shown as the fingerprint of its hash', async () => {
    answer(JSON.stringify({ relayPublicKey: Buffer.from(key).toString('base64url'), version: '1' }));
    const hash = createHash('sha256').update(key).digest('hex');
    expect(await read()).toBe(hash.slice(0, 16).toUpperCase());
    expect(asked).toEqual(['/config.json']);
  });

  it.each([
    ['no file', '{}', 404],
    ['a page in its place', '<!doctype html>', 200],
    ['no key', '{"version":"1"}', 200],
    ['not a key', '{"relayPublicKey":7}', 200],
    ['no base64url', '{"relayPublicKey":"***"}', 200],
    ['nothing', 'null', 200],
  ])('is none where there is %s', async (_, body, status) => {
    answer(body, status);
    expect(await read()).toBeNull();
  });
});
