/** An invite as people paste it: whole, wrapped, or as a mail program made it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toBase64Url, type RoomId } from '@0fc/protocol';
import { createInvite, generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { failureOf } from './errors.js';
import { previewOf, readInvite } from './invite-text.js';

const RELAY = 'https://chat.example';
const ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };
let fragment: string;
const made = async (expires: number): Promise<string> => {
  const roomId = toBase64Url(nodeRandom.bytes(16)) as RoomId;
  const options = {
    roomId,
    ownerKey: generateKeyPair().publicKey,
    relayKeyHash: nodeRandom.bytes(32),
    expires,
  };
  return (await createInvite(ports, options)).fragment;
};

beforeAll(async () => {
  await loadThemis();
  fragment = await made(1_800_000_000_000);
});

const codeOf = (text: string): Promise<string | null> =>
  readInvite(nodeHash, text, RELAY).then(
    () => null,
    (error: unknown) => failureOf(error).code,
  );

describe('a pasted invite', () => {
  test.each(['#', '%23', '%2523', '%252523'])('is read with its %s', async (hash) => {
    expect(await codeOf(`${RELAY}/join${hash}${fragment}`)).toBeNull();
    expect(await codeOf(`https://other.example/join${hash}${fragment}`)).toBe('INVITE_OTHER_DEPLOYMENT');
    expect(await codeOf(`${RELAY}/join${hash}${fragment.slice(1)}`)).toBe('INVITE_MALFORMED');
  });

  test('of any other text is refused by its code', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withFragments: true }));
    await fc.assert(
      fc.asyncProperty(text, async (pasted) => {
        expect(await codeOf(pasted)).toBe('INVITE_MALFORMED');
      }),
    );
  });

  test('that never expires is shown to expire by 2100', async () => {
    const link = await readInvite(nodeHash, await made(2 ** 53 - 1), RELAY);
    expect((await previewOf(nodeHash, link, null, null)).expires).toBe(Date.UTC(2100, 0, 1));
  });
});
