/** What the others are told beside lines: a choice that the vault keeps, and that holds from the first moment on. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import type { Sharing } from '../contract/api.js';
import { memoryStorage, newVault } from '../room/log/log.spec-support.js';
import { STORES } from '../vault/records.js';
import type { Vault } from '../vault/vault.js';
import { checkedSharing, SharingChoice } from './sharing.js';

let vault: Vault;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  vault = await newVault(memoryStorage());
});

async function opened(of = vault, chosen: Partial<Sharing> = {}): Promise<SharingChoice> {
  const choice = new SharingChoice(of);
  await choice.load(chosen);
  return choice;
}
const stored = async (): Promise<Sharing> => (await opened()).now;

test('is to share everything where nothing was chosen, and what was chosen after a restart', async () => {
  expect(await stored()).toEqual({ receipts: true, typing: true, presence: true });
  const choice = await opened();
  await Promise.all([choice.choose({ presence: false }), choice.choose({ typing: false })]);
  expect(choice.now).toEqual({ receipts: true, typing: false, presence: false });
  expect(await stored()).toEqual(choice.now);
  expect((await opened(vault, { typing: true })).now).toEqual({
    receipts: true,
    typing: true,
    presence: false,
  });
  expect((await stored()).typing).toBe(true);
});

test('that cannot be read shares nothing until there is another one', async () => {
  const choice = await opened();
  await choice.choose({ presence: false });
  await vault.write([{ store: STORES.app, key: 'sharing', value: Uint8Array.of(0xff) }]);
  expect(await stored()).toEqual({ receipts: false, typing: false, presence: false });
  const again = await opened();
  await again.choose({ receipts: true });
  expect(await stored()).toEqual({ receipts: true, typing: false, presence: false });
});

test('that cannot be stored changes nothing', async () => {
  const storage = memoryStorage();
  const full = { full: false };
  const narrow = await newVault({
    ...storage,
    write: (changes) => (full.full ? Promise.reject(new Error('no room')) : storage.write(changes)),
  });
  const choice = await opened(narrow);
  full.full = true;
  await expect(choice.choose({ presence: false })).rejects.toThrow();
  expect(choice.now.presence).toBe(true);
});

test.each([{ presence: 'off' }, { others: false }, null, 'presence'])('is not %j', (changes) => {
  expect(() => checkedSharing(changes)).toThrow('MALFORMED');
});
