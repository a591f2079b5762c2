import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { toBase64Url } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { ClientLink, RelayLink } from '@0fc/crypto/link';
import { readConfig } from './environment.js';
import { readKey, relayKeyPair, writeKey } from './key-pair.js';

let folder: string;
beforeAll(() => loadThemis());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-key-'));
});
afterEach(() => rm(folder, { recursive: true }));
const configOf = (environment: Record<string, string>) =>
  readConfig({ DATA_DIR: folder, ...environment }, { webDir: 'web' });

describe('the relay’s key pair', () => {
  test('made here, a client shakes hands with it', () => {
    const relay = readKey(writeKey(generateKeyPair()))!;
    const [client, server] = [
      ClientLink.open({ identity: generateKeyPair(), relayKey: relay.publicKey }),
      RelayLink.accept({ relay }),
    ];
    for (let frame: Uint8Array | null = client.start(); frame !== null;) {
      const answer: Uint8Array | null = server.receive(frame).reply;
      frame = answer === null ? null : client.receive(answer).reply;
    }
    expect(client.established).toBe(true);
    client.destroy();
    server.destroy();
  });

  test('is read as it was written', () => {
    for (let n = 0; n < 20; n++) {
      const made = generateKeyPair();
      expect(readKey(writeKey(made))).toEqual(made);
    }
  });

  // Written by the relay of 0.1.0, whose number Node drew; the second begins with two zero bytes.
  test.each([
    [
      'UkVDMgAAAC27iZuaAALQRVa_bbXBnJ4c7DztIDZQMNtJiT2Dz6ckqP3GpL3I',
      'VUVDMgAAAC37IlH2A-EVIyTD0JBlvW66igazl_qd8g6QZcU2T5ioYlt84EHE',
    ],
    [
      'UkVDMgAAAC08XPwtAAAAxgb849a3WDfFqcPBAg9ssTKj8xVoVGj19KGxBYPb',
      'VUVDMgAAAC0TOBM4A4shstINCHRcsP6APAFw_foxN0X4hCYXY-dD9085RtkL',
    ],
  ])('of an earlier relay goes on with the public half that clients have pinned', (written, pinned) => {
    const pair = readKey(`${written}\n`);
    expect(pair === null ? null : toBase64Url(pair.publicKey)).toBe(pinned);
    expect(pair === null ? null : writeKey(pair)).toBe(written);
  });

  test.each(['', 'not a key', toBase64Url(new Uint8Array(45)), toBase64Url(new Uint8Array(90))])(
    '%j is none',
    (text) => {
      expect(readKey(text)).toBeNull();
    },
  );

  test('is made once, for its owner’s eyes, and kept', async () => {
    const first = await relayKeyPair(configOf({}));
    const path = join(folder, 'relay.key');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await relayKeyPair(configOf({}))).toEqual(first);
    await writeFile(path, 'damaged');
    await expect(relayKeyPair(configOf({}))).rejects.toThrow('damaged key');
    expect(await readFile(path, 'utf8')).toBe('damaged');
  });

  test.each(['"', "'"])(
    'is read within %s, as an environment file may leave it, and not within half of them',
    (quote) => {
      const made = generateKeyPair();
      expect(readKey(` ${quote}${writeKey(made)}${quote}\n`)).toEqual(made);
      expect(readKey(`${quote}${writeKey(made)}`)).toBeNull();
    },
  );

  test('that is a link that leads nowhere is not made anew, nor is one where nothing can be written', async () => {
    const path = join(folder, 'relay.key');
    await symlink(join(folder, 'elsewhere'), path);
    await expect(relayKeyPair(configOf({}))).rejects.toThrow(
      /a link that leads nowhere: .*Put back what it leads to/,
    );
    await expect(readFile(join(folder, 'elsewhere'))).rejects.toThrow('ENOENT');
    const below = configOf({ DATA_DIR: join(folder, 'absent') });
    await expect(relayKeyPair(below)).rejects.toThrow(/DATA_DIR cannot hold the relay's key \(ENOENT\)/);
  });

  test('may be given, by value or by file', async () => {
    const made = generateKeyPair();
    const path = join(folder, 'given');
    await writeFile(path, `${writeKey(made)}\n`);
    expect(await relayKeyPair(configOf({ RELAY_PRIVATE_KEY: writeKey(made) }))).toEqual(made);
    expect(await relayKeyPair(configOf({ RELAY_PRIVATE_KEY_FILE: path }))).toEqual(made);
    await expect(relayKeyPair(configOf({ RELAY_PRIVATE_KEY_FILE: join(folder, 'absent') }))).rejects.toThrow(
      /RELAY_PRIVATE_KEY_FILE is .*ENOENT/,
    );
    await expect(relayKeyPair(configOf({ RELAY_PRIVATE_KEY: 'secret words' }))).rejects.toThrow(
      'holds no private key',
    );
    await expect(relayKeyPair(configOf({ RELAY_PRIVATE_KEY: 'secret words' }))).rejects.not.toThrow(
      'secret words',
    );
  });
});
