/** An invite as people paste it: whole, wrapped, or as a mail program made it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LIMITS, toBase64Url, type RoomId } from '@0fc/protocol';
import { createInvite, generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { failureOf } from '../contract/errors.js';
import { previewOf, readInvite } from './invite-text.js';

const RELAY = 'https://chat.example';
const NOW = 1_800_000_000_000;
const MOST = NOW + LIMITS.inviteLifetimeMs + LIMITS.inviteClockMs;
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
  fragment = await made(NOW + 86_400_000);
});

const codeOf = (text: string): Promise<string | null> =>
  readInvite(nodeHash, text, RELAY, NOW).then(
    () => null,
    (error: unknown) => failureOf(error).code,
  );

describe('a pasted invite', () => {
  test.each(['#', '%23', '%2523', '%252523'])('is read with its %s', async (hash) => {
    expect(await codeOf(`${RELAY}/join${hash}${fragment}`)).toBeNull();
    expect(await codeOf(`https://other.example/join${hash}${fragment}`)).toBe('INVITE_OTHER_DEPLOYMENT');
    expect(await codeOf(`${RELAY}/join${hash}${fragment.slice(1)}`)).toBe('INVITE_MALFORMED');
  });

  test('is found in the text around it: in brackets, at the end of a sentence, in a mail, broken into lines', async () => {
    const link = `${RELAY}/join#${fragment}`;
    const broken = `${RELAY}/join#${fragment.slice(0, 40)}\r\n${fragment.slice(40, 90)}\n  ${fragment.slice(90)}`;
    const around = fc.constantFrom(
      ['(', ')'], ['[', ']'], ['<', '>'], ['« ', ' »'], ['"', '"'], ['', '.'], ['', ', see you'], ['', ' see you #soon'],
      ['Hello,\n\n', '\n\nSee you there\n-- \nAmina'], ['#1: ', '!'], ['*', '*'], ['', '\n> #5 '],
    ); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(around, around, fc.constantFrom(link, broken), async (outer, inner, invite) => {
        const text = outer[0] + inner[0] + invite + inner[1] + outer[1];
        const found = await readInvite(nodeHash, text, RELAY, NOW);
        expect(found).toEqual(await readInvite(nodeHash, fragment, RELAY, NOW));
      }),
    );
    for (const foreign of [
      `(https://other.example/join#${fragment})`,
      `${link.replace('chat', 'not')}. ${RELAY}`,
    ])
      expect(await codeOf(foreign)).toBe('INVITE_OTHER_DEPLOYMENT');
  });

  test('as a text whose address has no secret is read, for the deployment of that address alone', async () => {
    const copied = (origin: string): string =>
      `Ouvrez ${origin}/join et collez-y tout ce message\u00a0: #${fragment}`;
    expect(await codeOf(copied(RELAY))).toBeNull();
    expect(await codeOf(copied('https://other.example'))).toBe('INVITE_OTHER_DEPLOYMENT');
  });

  test('of any other text is refused by its code', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withFragments: true }));
    await fc.assert(
      fc.asyncProperty(text, async (pasted) => {
        expect(await codeOf(pasted)).toBe('INVITE_MALFORMED');
      }),
    );
  });

  test('that ends later than any owner’s client makes one is refused, whatever the number', async () => {
    const expires = fc.oneof(
      fc.integer({ min: MOST - 9, max: MOST + 9 }),
      fc.maxSafeNat(),
      fc.constantFrom(0, 2 ** 53 - 1, 8.64e15, 8.64e15 + 1),
    );
    await fc.assert(
      fc.asyncProperty(expires, async (ends) => {
        const text = await made(ends);
        expect(await codeOf(text)).toBe(ends > MOST ? 'INVITE_MALFORMED' : null);
        if (ends > MOST) return;
        const link = await readInvite(nodeHash, text, RELAY, NOW);
        const preview = await previewOf(nodeHash, link, { pin: null, matches: false }, null);
        expect(Number.isNaN(new Date(preview.expires).getTime())).toBe(false);
        for (const print of [preview.ownerFingerprint, preview.relayFingerprint])
          expect(print).toMatch(/^[0-9A-F]{16}$/);
      }),
    );
  });

  test('of another place is refused, whatever stands before its address', async () => {
    const here = ['', '#', `${RELAY}/join#`, `${RELAY.toUpperCase()}/join#`, `Here: ${RELAY}/join#`];
    for (const before of here) expect(await codeOf(before + fragment)).toBeNull();
    const elsewhere = [
      'https://other.example/join#', 'Here: https://other.example/#', `${RELAY}/ https://other.example/join#`,
      'ftp://chat.example/join#', 'https://chat.example.other.example/join#', 'https://chat.example@other.example/join#',
      'javascript:alert(1)#', 'https:/other.example/#',
    ]; // prettier-ignore
    for (const before of elsewhere) expect(await codeOf(before + fragment)).toBe('INVITE_OTHER_DEPLOYMENT');
  });

  test('with a character that is not seen, or turns the text, is refused', async () => {
    const unseen = [
      '\u0000',
      '\u001b',
      '\u007f',
      '\u00ad',
      '\u200b',
      '\u200f',
      '\u202e',
      '\u2066',
      '\u{e0041}',
    ];
    for (const letter of unseen) {
      expect(await codeOf(`${letter}${RELAY}/join#${fragment}`)).toBe('INVITE_MALFORMED');
      expect(await codeOf(`${RELAY}/join#${fragment}${letter}`)).toBe('INVITE_MALFORMED');
    }
    // What a mail program breaks a line with is none of them.
    expect(
      await codeOf(`\ufeff ${RELAY}/join#${fragment.slice(0, 70)}\r\n\t${fragment.slice(70)}`),
    ).toBeNull();
  });
});
