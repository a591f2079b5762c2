/**
 * What a vault of version 1 of the protocol still holds once it has been opened by this code: no secret that served to take
 * part in its rooms (docs/decisions/0029, 0033). Asked of the bytes of every record, over vaults that earlier code made.
 */
import { describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { decodeCbor, toHex, type Bytes, type CborValue } from '@0fc/protocol';
import { openRecord } from '@0fc/crypto/keys';
import { createNodePlatform } from '@0fc/client/node';
import { decodeHeader, openHeader } from '../../libs/client/src/vault/header.js';
import { STORES } from '../../libs/client/src/vault/records.js';
import { Vault } from '../../libs/client/src/vault/vault.js';
import { copyOf, FIXTURES, fixtureFolder, readMade, type FixtureVault } from '../fixtures/fixture.js';

interface Found {
  readonly name: string;
  readonly bytes: Bytes;
}

const SECRET_NAMES = ['privateKey', 'token', 'joinKey'];
const ROOM_KEY_BYTES = 32;

/** Bytes of every field with the name of a secret, wherever it stands. */
function secretsIn(value: CborValue, name = ''): readonly Found[] {
  if (value instanceof Uint8Array) {
    const isRoomKey = name === 'key' && value.length === ROOM_KEY_BYTES;
    return SECRET_NAMES.includes(name) || isRoomKey ? [{ name, bytes: value }] : [];
  }
  if (value === null || typeof value !== 'object') return [];
  return Array.isArray(value)
    ? (value as readonly CborValue[]).flatMap((item) => secretsIn(item, name))
    : Object.entries(value as Readonly<Record<string, CborValue>>).flatMap(([field, inside]) =>
        secretsIn(inside, field),
      );
}

/** Of the records as the fixture has them; `kept`: who the member is in its rooms. */
async function secretsOf({ place, passphrase }: FixtureVault, root: string) {
  const folder = await copyOf(place, root);
  const { crypto, passphrases, storage } = await createNodePlatform({ folder });
  const header = await decodeHeader(crypto.hash, (await storage.read('vault', 'header')) ?? new Uint8Array());
  const key = await openHeader(passphrases, header, passphrase);
  const kept = new Set<string>();
  const secrets = new Map<string, Found>();
  for (const store of Object.values(STORES)) {
    // Texts and small values; signed entries, which the relay has too.
    if (store === STORES.app || store === STORES.chain) continue;
    for (const { key: at, value } of await storage.list(store)) {
      const record = decodeCbor(openRecord(key, store, at, value));
      for (const found of secretsIn(record)) secrets.set(toHex(found.bytes), found);
      if (store !== STORES.rooms) continue;
      const { identity } = record as { readonly identity: CborValue };
      for (const { bytes } of secretsIn(identity)) kept.add(toHex(bytes));
    }
  }
  const version = header.version;
  await storage.close();
  return {
    folder,
    version,
    kept,
    secrets: [...secrets].filter(([hex]) => !kept.has(hex)).map(([, found]) => found),
  };
}

async function recordsNow(folder: string, passphrase: string): Promise<readonly string[]> {
  const platform = await createNodePlatform({ folder });
  const vault = await Vault.unlock(platform, passphrase);
  const lists = await Promise.all(Object.values(STORES).map((store) => vault.list(store)));
  await vault.close();
  await platform.storage.close();
  return lists.flat().map(({ value }) => toHex(value));
}

describe.each(FIXTURES)('%s', (name) => {
  const root = fixtureFolder(name);
  const vaults = readMade(root).vaults.filter(({ place }) => !place.endsWith('.json'));

  test('no vault holds a secret of its rooms and joins any more, but who its member is', async () => {
    const kinds = new Set<string>();
    for (const vault of vaults) {
      const { folder, version, kept, secrets } = await secretsOf(vault, root);
      expect(version).toBeLessThan(4);
      for (const found of secrets) kinds.add(found.name);
      const now = (await recordsNow(folder, vault.passphrase)).join('\n');
      const left = secrets.filter(({ bytes }) => now.includes(toHex(bytes)));
      expect(left.map((found) => `${found.name} in ${vault.place}`)).toEqual([]);
      // The search finds what is there.
      for (const hex of kept) expect(now).toContain(hex);
      await rm(folder, { recursive: true });
    }
    expect([...kinds].sort()).toEqual(['joinKey', 'key', 'privateKey', 'token']);
  });
});
