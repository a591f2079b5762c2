/**
 * A relay key that changes, as people see it: the real page in real browsers, one in English and one in French, served
 * apart from the relay. What the old key has signed for is followed and shown once; any other key waits for what is typed.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPair, type KeyPair } from '@0fc/crypto/keys';
import { signSuccession } from '@0fc/crypto/link';
import { nodeHash } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';
import type { Browser, Locator } from 'playwright-core';
import { LyingRelay } from '../hostile/relay/lying-relay.js';
import { until } from '../support/wait.js';
import { Front } from './front.js';
import { launch, Profile } from './profile.js';

let relay: LyingRelay;
let front: Front;
let browser: Browser;
/** in English */
let amina: Profile;
/** in French */
let lucie: Profile;

beforeAll(async () => {
  [relay, browser] = await Promise.all([LyingRelay.start(), launch()]);
  front = await Front.start(relay.url);
  amina = await Profile.create(browser, 'Amina', front.url);
  lucie = await Profile.create(browser, 'Lucie', front.url, 'fr-FR');
  await amina.open();
  await amina.firstPassphrase();
  await amina.createRoom('Rive', 100);
  await lucie.open(await amina.makeInvite());
  await lucie.firstPassphrase();
  await lucie.startJoin();
  await amina.admit();
  await lucie.enter();
});

afterAll(async () => {
  await browser.close();
  front.stop();
  await relay.stop();
});

const print = ({ publicKey }: KeyPair): Promise<string> => fingerprintOf(nodeHash, publicKey);
const bare = async (of: Locator): Promise<string> => (await of.innerText()).replace(/\s/g, '');

function answersAs(pair: KeyPair, succession: readonly string[]): void {
  relay.key = pair;
  relay.succession = succession;
  relay.cut();
}

describe('a relay that changes its key', () => {
  const words = [
    () => [amina, 'The relay has changed its key', 'Trust another relay key', 'Do this only if'] as const,
    () =>
      [
        lucie,
        'Le relais a changé de clé',
        'Accepter une autre clé du relais',
        'Ne le faites que si',
      ] as const,
  ];

  test('is followed in both languages, and shown once with both fingerprints', async () => {
    const [old, next] = [relay.key, generateKeyPair()];
    answersAs(next, [signSuccession(old, next, front.url)]);
    for (const [profile, followed] of words.map((of) => of())) {
      const shown = profile.at('relay-changed');
      await shown.waitFor();
      const text = await bare(shown);
      for (const part of [followed.replace(/\s/g, ''), await print(old), await print(next)])
        expect(text).toContain(part);
      await profile.picture('relay-changed');
    }
    await amina.say('under the new key');
    await lucie.has('under the new key');
    for (const profile of [amina, lucie]) {
      await profile.at('relay-changed-seen').click();
      await profile.at('relay-changed').waitFor({ state: 'detached' });
      await profile.page.reload();
      await profile.unlock();
      await profile.openRoom();
      expect(await profile.at('relay-changed').count()).toBe(0);
    }
  });

  test('and has nobody sign for it stops: the user types the fingerprint, beside both that are known', async () => {
    const [old, next] = [relay.key, generateKeyPair()];
    answersAs(next, []);
    for (const [profile, , open, warning] of words.map((of) => of())) {
      await profile.page.locator('[data-testid="room-stopped"][data-code="RELAY_KEY_MISMATCH"]').waitFor();
      expect(await profile.at('repin-relay').innerText()).toBe(open);
      await profile.at('repin-relay').click();
      await profile.at('repin-fingerprint').waitFor();
      const named = await print(next);
      await until('the key that is named', async () => (await bare(profile.at('repin-claimed'))) === named);
      expect(await bare(profile.at('repin-known'))).toBe(await print(old));
      expect(await profile.page.locator('dialog[open]').innerText()).toContain(warning);
      expect(await profile.at('repin-fingerprint').inputValue()).toBe('');
      await profile.at('repin-fingerprint').fill(await print(generateKeyPair()));
      await profile.at('repin-confirm').click();
      await profile.page.locator('dialog[open] [data-code="RELAY_KEY_MISMATCH"]').waitFor();
      await profile.picture('repin');
      await profile.at('repin-fingerprint').fill((named.match(/.{4}/g) ?? []).join(' '));
      await profile.at('repin-confirm').click();
      const done = await bare(profile.at('repin-done'));
      for (const part of [await print(old), named]) expect(done).toContain(part);
      await profile.at('relay-changed-seen').click();
    }
    await amina.say('under the key that was typed');
    await lucie.has('under the key that was typed');
    expect([amina, lucie].flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
