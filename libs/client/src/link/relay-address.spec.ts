import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { toBase64Url } from '@0fc/protocol';
import {
  deploymentAt,
  relayBase,
  relayKeyFromText,
  relayKeyOfDeployment,
  shortText,
} from './relay-address.js';

beforeAll(() => loadThemis());

describe('where a relay is', () => {
  it('has no slash at its end, and may lie in a folder', () => {
    expect(relayBase('https://chat.example/')).toBe('https://chat.example');
    expect(relayBase('https://chat.example/relay//?x#y')).toBe('https://chat.example/relay');
    expect(relayBase('/', 'http://localhost:3000')).toBe('http://localhost:3000');
  });

  it.each(['', 'chat.example', 'ftp://chat.example', 'javascript:0'])('%s is nowhere', (url) => {
    expect(() => relayBase(url)).toThrow(expect.objectContaining({ code: 'RELAY_UNREACHABLE' }));
  });
});

describe('which key it says it has (section 3)', () => {
  const key = (): Uint8Array => generateKeyPair().publicKey;

  it('reads base64url, and nothing that is not a canonical key', () => {
    const good = key();
    expect(relayKeyFromText(` ${toBase64Url(good)}\n`)).toEqual(good);
    for (const bad of [
      '',
      'not base64!',
      toBase64Url(good.slice(1)),
      toBase64Url(Uint8Array.of(...good, 0)),
    ]) {
      expect(() => relayKeyFromText(bad)).toThrow(expect.objectContaining({ code: 'BAD_KEY' }));
    }
  });

  it('asks the deployment', async () => {
    const good = key();
    const asked: string[] = [];
    const read = async (url: string): Promise<string> => {
      asked.push(url);
      return JSON.stringify({ relayPublicKey: toBase64Url(good), more: 1 });
    };
    await expect(relayKeyOfDeployment('https://chat.example', read)).resolves.toEqual(good);
    expect(asked).toEqual(['https://chat.example/config.json']);
  });

  it('asks once for what is wanted at once, and anew for what is wanted later', async () => {
    const good = key();
    let asked = 0;
    let answers = true;
    const { fetchRelayKey, fetchSuccession } = deploymentAt('https://chat.example', () => {
      asked += 1;
      const text = JSON.stringify({ relayPublicKey: toBase64Url(good), succession: ['a'] });
      return Promise.resolve(new Response(text, { status: answers ? 200 : 503 }));
    });
    const both = () => Promise.all([fetchRelayKey(), fetchSuccession()]);
    expect(await both()).toEqual([good, ['a']]);
    expect(asked).toBe(1);
    answers = false;
    await expect(both()).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' });
    expect(asked).toBe(2);
    answers = true;
    expect(await both()).toEqual([good, ['a']]);
    expect(asked).toBe(3);
  });

  it.each([
    ['a page', '<!doctype html>', 'RELAY_UNREACHABLE'],
    ['no key', '{}', 'RELAY_UNREACHABLE'],
    ['nothing', 'null', 'RELAY_UNREACHABLE'],
    ['another thing', '{"relayPublicKey":"AAAA"}', 'BAD_KEY'],
  ])('%s is no key', async (_what, text, code) => {
    await expect(relayKeyOfDeployment('https://chat.example', async () => text)).rejects.toMatchObject({
      code,
    });
  });

  it('says when nobody answers', async () => {
    const read = (): Promise<string> => Promise.reject(new Error('offline'));
    await expect(relayKeyOfDeployment('https://chat.example', read)).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
    });
  });

  it('reads no answer that is longer than a config.json, and lets go of it', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(4_096));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(shortText(endless)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(cancelled).toBe(true);
    expect(await shortText(new Blob(['{"é":1}']).stream())).toBe('{"é":1}');
    expect(await shortText(null)).toBe('');
  });
});
