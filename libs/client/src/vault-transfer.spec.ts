/** Export and import (docs/protocol.md section 9; G14): the way there and back, and every way it fails. */
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { createGenesis, generateKeyPair, newVaultKey, sealExport } from '@0fc/crypto/keys';
import {
  decodeCbor, encodeCbor, toBase64Url, utf8, type Bytes, type InviteId, type MemberId, type Target,
} from '@0fc/protocol'; // prettier-ignore
import { encodeRoster, memberIdOf, startRoster } from '@0fc/crypto/verify';
import { memoryStorage } from './room/log.spec-support.js';
import {
  decodeRecord, encodeRecord, joinRecord, keyOf, outboxItem, ownerInvite, prefixOf, roomCore, STORES,
  type OutboxItem, type OwnerInvite, type RoomCore,
} from './room/records.js'; // prettier-ignore
import type { StoragePort } from './ports.js';
import { exportVault, importVault } from './vault-transfer.js';
import { Vault, type VaultPlatform } from './vault.js';

jest.setTimeout(120_000);

const FILE = 'the passphrase of the file';
const OLD = 'the passphrase of the old vault';
const NEW = 'the passphrase of the new vault';
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const random = (n: number): Bytes => crypto.random.bytes(n);

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'fulfilled';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const device = (): VaultPlatform => ({ crypto, storage: memoryStorage() });
const everything = (storage: StoragePort): Promise<unknown> =>
  Promise.all(['vault', ...Object.values(STORES)].map((store) => storage.list(store)));

let core: RoomCore;
let old: VaultPlatform;
let vault: Vault;

beforeAll(async () => {
  await loadThemis();
  core = await roomOf();
});
beforeEach(async () => {
  old = device();
  vault = await Vault.create(old, OLD);
});

/** A room that its owner has just made. */
async function roomOf(): Promise<RoomCore> {
  const settings = {
    rotateEvery: 100,
    maxMembers: 10,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const made = await createGenesis(crypto, { settings });
  const roster = await startRoster(nodeHash, made.container);
  const position = { g: 1, s: 0 };
  const t = random(32);
  return {
    version: 1, roomId: made.roomId, me: await memberIdOf(nodeHash, made.identity.publicKey), stage: 'member',
    identity: made.identity, roster: encodeRoster(roster), epoch: 1,
    keys: [
      { epoch: 1, key: made.roomKey, keyHash: roster.genesisKeyHash, rotation: null, floor: position, t, counters: [], since: 1 },
    ],
    position, t, nextIndex: 1, readIndex: 1, instance: random(16), nextN: 1, prekeys: [{ k: 1, pair: made.prekey }],
    usedK: 0, counters: [], retired: [], seen: [], epochMessages: 0, paused: false, rotationWanted: false,
    mustRotate: false, pending: null, tasks: { removals: [], settings: null, close: false }, handOver: null,
    leaving: [], declined: null, leaveRequest: null, logEpoch: 1,
    logLength: 1, chainShown: 1, losses: [], lost: null, skipped: false,
    publishedK: 1, publishedThen: 1, needKey: null, wrappedTo: [], imported: false, verified: [], told: null, relayKeyShown: false,
    people: [], roomName: null, forked: [], lastTime: 1,
  }; // prettier-ignore
}

const invite = (stage: OwnerInvite['stage']): OwnerInvite => ({
  inviteId: toBase64Url(random(16)) as InviteId,
  made: 1,
  expires: 2,
  pair: stage === 'open' || stage === 'asked' ? generateKeyPair() : null,
  token: random(32),
  stage,
  joiner:
    stage === 'open'
      ? null
      : {
          key: generateKeyPair().publicKey,
          name: 'Noé',
          joinKey: random(32),
          prekey: random(100),
          request: random(100),
        },
  approved: false,
  replies: [],
  repliedAt: null,
  dropReason: stage === 'dropping' ? 'declined' : null,
});

const waiting = (n: number): OutboxItem => ({
  n,
  instance: core.instance,
  mid: random(16),
  made: 5,
  content: { type: 'text', text: `text ${String(n)}` },
  sealed: { epoch: 1, clear: random(3), payload: random(600) },
});

async function fill(
  change: Partial<RoomCore>,
  outbox: readonly OutboxItem[],
  invites: readonly OwnerInvite[],
): Promise<void> {
  const { roomId } = core;
  await vault.write([
    { store: STORES.app, key: 'instance', value: core.instance },
    { store: STORES.rooms, key: roomId, value: encodeRecord(roomCore, { ...core, ...change }) },
    { store: STORES.chain, key: keyOf(roomId, 0), value: random(300) },
    { store: STORES.log, key: keyOf(roomId, 0), value: random(300) },
    ...outbox.map((item) => ({
      store: STORES.outbox,
      key: keyOf(roomId, item.n),
      value: encodeRecord(outboxItem, item),
    })),
    ...invites.map((item) => ({
      store: STORES.invites,
      key: prefixOf(roomId) + item.inviteId,
      value: encodeRecord(ownerInvite, item),
    })),
  ]);
}

async function moved(): Promise<{ readonly platform: VaultPlatform; readonly imported: Vault }> {
  const platform = device();
  const file = await exportVault(vault, old, FILE);
  return { platform, imported: await importVault(platform, file, FILE, NEW) };
}

const coreIn = async (of: Vault): Promise<RoomCore> =>
  decodeRecord(roomCore, (await of.get(STORES.rooms, core.roomId)) ?? new Uint8Array());

const MAGIC = '0fc-export';

function partsOf(file: Bytes): { readonly sealedKey: Bytes; readonly blocks: readonly Bytes[] } {
  const [, , sealedKey, blocks] = decodeCbor(file) as [string, number, Bytes, Bytes[], Bytes];
  return { sealedKey, blocks };
}

/** A file with a check of its own, as whoever changes one would make it. */
async function fileOf(sealedKey: Bytes, blocks: readonly Bytes[]): Promise<Bytes> {
  const digests = await Promise.all(blocks.map((sealed) => crypto.hash.sha256(sealed)));
  const check = await crypto.hash.sha256(encodeCbor([MAGIC, 1, sealedKey, digests]));
  return encodeCbor([MAGIC, 1, sealedKey, blocks, check.slice(0, 8)]);
}

describe('an import', () => {
  it('holds whatever an export held, and opens with its own passphrase alone', async () => {
    const place = fc.record({
      store: fc.constantFrom(STORES.app, STORES.chain, STORES.rotations, STORES.log, STORES.joins),
      key: fc.string({ maxLength: 40, unit: 'grapheme' }).filter((key) => key !== 'instance'),
    });
    const record = fc.tuple(place, fc.uint8Array({ maxLength: 2_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 20 }), async (records) => {
        old = device();
        const changes = records.map(([where, value]) => ({ ...where, value: Uint8Array.from(value) }));
        vault = await Vault.create(old, OLD, changes);
        const { platform, imported } = await moved();
        for (const { store } of changes)
          expect(await imported.list(store)).toEqual(
            store === STORES.app
              ? expect.arrayContaining([...(await vault.list(store))])
              : await vault.list(store),
          );
        expect(await codeOf(Vault.unlock(platform, FILE))).toBe('WRONG_PASSPHRASE');
        expect(await codeOf(Vault.unlock(platform, NEW))).toBe('fulfilled');
      }),
      { numRuns: 6 },
    );
  });

  it('is a new instance of its member, in the app and in every room', async () => {
    await fill({ nextN: 42, imported: false }, [], []);
    const { imported } = await moved();
    const now = await coreIn(imported);
    expect(now.instance).not.toEqual(core.instance);
    expect(await imported.get(STORES.app, 'instance')).toEqual(now.instance);
    expect(now).toEqual({ ...core, instance: now.instance, nextN: 1, imported: true });
    const again = await moved();
    expect((await coreIn(again.imported)).instance).not.toEqual(now.instance);
    expect((await coreIn(vault)).instance).toEqual(core.instance);
  });

  it('sends what waited, in its order, as the same messages under new counters', async () => {
    const outbox = [waiting(7), waiting(9), waiting(12)];
    await fill({ nextN: 13 }, outbox, []);
    const { imported } = await moved();
    const { instance, nextN } = await coreIn(imported);
    const records = await imported.list(STORES.outbox);
    expect(records.map(({ key }) => key)).toEqual([1, 2, 3].map((n) => keyOf(core.roomId, n)));
    expect(records.map(({ value }) => decodeRecord(outboxItem, value))).toEqual(
      outbox.map((item, at) => ({ ...item, n: at + 1, instance, sealed: null })),
    );
    expect(nextN).toBe(4);
  });

  it('keeps an edit of what waits too on its message, and leaves other targets alone', async () => {
    const of = (n: number, sender = core.me): Target => ({ sender, instance: core.instance, n });
    const other = { sender: toBase64Url(random(16)) as MemberId, instance: random(16), n: 7 };
    const outbox: OutboxItem[] = [
      waiting(7),
      { ...waiting(9), content: { type: 'edit', to: of(7), text: 'better' } },
      { ...waiting(12), content: { type: 'delete', to: of(3) } },
      { ...waiting(13), content: { type: 'reaction', to: other, emoji: '👍', on: true } },
      { ...waiting(14), content: { type: 'of a later version', to: 7 } },
    ];
    await fill({ nextN: 15 }, outbox, []);
    const { imported } = await moved();
    const { instance } = await coreIn(imported);
    const contents = (await imported.list(STORES.outbox)).map(
      ({ value }) => decodeRecord(outboxItem, value).content,
    );
    expect(contents).toEqual([
      outbox[0]?.content,
      { type: 'edit', to: { sender: core.me, instance, n: 1 }, text: 'better' },
      ...outbox.slice(2).map(({ content }) => content),
    ]);
  });

  it('voids the invites: what was answered is dropped, the rest is gone', async () => {
    const stages = ['open', 'asked', 'replied', 'confirmed', 'dropping'] as const;
    const [open, asked, replied, confirmed, dropping] = stages.map(invite);
    await fill({}, [], [open!, asked!, replied!, confirmed!, dropping!]);
    const { imported } = await moved();
    const left = (await imported.list(STORES.invites)).map(({ value }) => decodeRecord(ownerInvite, value));
    const byId = (a: OwnerInvite, b: OwnerInvite): number => (a.inviteId < b.inviteId ? -1 : 1);
    expect(left.sort(byId)).toEqual(
      [
        { ...replied!, stage: 'dropping' as const, dropReason: 'other' as const },
        { ...confirmed!, stage: 'dropping' as const, dropReason: 'other' as const },
        dropping!,
      ].sort(byId),
    );
  });

  it('leaves alone the invite whose admission is signed and in flight', async () => {
    const confirmed = invite('confirmed');
    const pending: RoomCore['pending'] = {
      kind: 'roster', entry: random(200), rotation: null, candidate: null, inviteId: confirmed.inviteId, reply: null,
    }; // prettier-ignore
    await fill({ pending }, [], [confirmed, invite('confirmed')]);
    const { imported } = await moved();
    const left = (await imported.list(STORES.invites)).map(({ value }) => decodeRecord(ownerInvite, value));
    expect(left.map(({ stage }) => stage).sort()).toEqual(['confirmed', 'dropping']);
    expect(left.find(({ stage }) => stage === 'confirmed')).toEqual(confirmed);
    expect((await coreIn(imported)).pending).toEqual(pending);
  });

  it('goes on with a join, under the identity that has claimed the invite', async () => {
    const join = encodeRecord(joinRecord, {
      version: 1, roomId: core.roomId, inviteId: toBase64Url(random(16)) as InviteId,
      ownerKey: generateKeyPair().publicKey, relay: random(32), expires: 9, name: 'Noé', token: random(32),
      identity: generateKeyPair(), joinKey: random(32), prekey: { pair: generateKeyPair(), container: random(90) },
      request: random(90), reply: null, confirm: null, done: [{ step: 'claim', time: 3 }], failure: null,
    }); // prettier-ignore
    await vault.write([{ store: STORES.joins, key: core.roomId, value: join }]);
    const { imported } = await moved();
    expect(await imported.get(STORES.joins, core.roomId)).toEqual(join);
  });
});

describe('an export', () => {
  it('takes another random key and nothing in clear', async () => {
    await fill({}, [waiting(1)], []);
    const files = [await exportVault(vault, old, FILE), await exportVault(vault, old, FILE)];
    const texts = files.map((file) => Buffer.from(file).toString('latin1'));
    expect(texts[0]).not.toBe(texts[1]);
    for (const secret of [core.roomId, 'text 1', FILE, OLD])
      expect(texts[0]).not.toContain(Buffer.from(secret).toString('latin1'));
    expect(texts[0]).not.toContain(Buffer.from(core.identity.privateKey).toString('latin1'));
  });

  it('has a floor for its passphrase, and says when the vault is closed or damaged', async () => {
    await fill({}, [], []);
    expect(await codeOf(exportVault(vault, old, 'short'))).toBe('PASSPHRASE_WEAK');
    await old.storage.write([{ store: STORES.log, key: 'torn', value: utf8('torn') }]);
    expect(await codeOf(exportVault(vault, old, FILE))).toBe('VAULT_DAMAGED');
    await vault.close();
    expect(await codeOf(exportVault(vault, old, FILE))).toBe('VAULT_LOCKED');
  });

  it('of many blocks comes back whole', async () => {
    const RECORDS = 5_000;
    const value = random(2_000);
    await vault.write(
      Array.from({ length: RECORDS }, (_, at) => ({ store: STORES.log, key: keyOf('room', at), value })),
    );
    const { imported } = await moved();
    const records = await imported.list(STORES.log);
    expect(records).toHaveLength(RECORDS);
    expect(records.every((record) => Buffer.compare(record.value, value) === 0)).toBe(true);
  });
});

describe('an import that is refused', () => {
  it('is of another passphrase, or too weak a new one, or on a device that has a vault', async () => {
    await fill({}, [], []);
    const file = await exportVault(vault, old, FILE);
    const platform = device();
    expect(await codeOf(importVault(platform, file, OLD, NEW))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(importVault(platform, file, '', NEW))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(importVault(platform, file, FILE, 'short'))).toBe('PASSPHRASE_WEAK');
    expect(await Vault.state(platform.storage)).toBe('absent');
    const before = await everything(old.storage);
    expect(await codeOf(importVault(old, file, FILE, NEW))).toBe('VAULT_EXISTS');
    expect(await everything(old.storage)).toEqual(before);
    expect(await codeOf(Vault.unlock(old, OLD))).toBe('fulfilled');
  });

  it('is of a file changed at any byte, or cut short anywhere', async () => {
    await fill({}, [waiting(1)], [invite('open')]);
    const file = await exportVault(vault, old, FILE);
    const platform = device();
    const codes = new Set<string>();
    for (let at = 0; at < file.length; at += 97) {
      codes.add(
        await codeOf(
          importVault(
            platform,
            Uint8Array.from(file, (byte, index) => (index === at ? byte ^ 1 : byte)),
            FILE,
            NEW,
          ),
        ),
      );
      codes.add(await codeOf(importVault(platform, file.slice(0, at), FILE, NEW)));
    }
    codes.add(await codeOf(importVault(platform, Uint8Array.of(...file, 0), FILE, NEW)));
    expect([...codes]).toEqual(['EXPORT_DAMAGED']);
    expect(await everything(platform.storage)).toEqual(await everything(memoryStorage()));
    expect(await codeOf(importVault(platform, file, FILE, NEW))).toBe('fulfilled');
  });

  it('is of a file that is none, or of a later version', async () => {
    const platform = device();
    for (const file of [
      new Uint8Array(),
      utf8('a text, by mistake'),
      encodeCbor(['0fc-vault', 1]),
      random(5_000),
    ])
      expect(await codeOf(importVault(platform, file, FILE, NEW))).toBe('EXPORT_DAMAGED');
    const later = importVault(platform, encodeCbor(['0fc-export', 2, 'whatever']), FILE, NEW);
    await expect(later).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION', params: { version: 2 } });
  });

  it('is of blocks left out, doubled, in another order, or of another file, under a check that fits', async () => {
    const value = random(700_000);
    await vault.write([1, 2, 3].map((at) => ({ store: STORES.log, key: keyOf('room', at), value })));
    const parts = partsOf(await exportVault(vault, old, FILE));
    const other = partsOf(await exportVault(vault, old, FILE));
    const [first, second] = parts.blocks;
    expect(parts.blocks).toHaveLength(2);
    const forged = [
      [first!],
      [second!],
      [first!, first!],
      [second!, first!],
      [first!, second!, second!],
      [first!, other.blocks[1]!],
      [],
    ];
    for (const blocks of forged) {
      const file = await fileOf(parts.sealedKey, blocks);
      expect(await codeOf(importVault(device(), file, FILE, NEW))).toBe('EXPORT_DAMAGED');
    }
    expect(await codeOf(importVault(device(), await fileOf(parts.sealedKey, parts.blocks), FILE, NEW))).toBe(
      'fulfilled',
    );
    const elsewhere = await fileOf(sealExport(FILE, newVaultKey(crypto.random)), parts.blocks);
    expect(await codeOf(importVault(device(), elsewhere, FILE, NEW))).toBe('EXPORT_DAMAGED');
  });

  it('fails as a whole on a device that cannot hold it', async () => {
    await fill({}, [waiting(1)], []);
    const file = await exportVault(vault, old, FILE);
    const storage = memoryStorage();
    const full: StoragePort = {
      ...storage,
      write: () => Promise.reject(Object.assign(new Error('full'), { code: 'VAULT_FULL' })),
    };
    expect(await codeOf(importVault({ crypto, storage: full }, file, FILE, NEW))).toBe('VAULT_FULL');
    expect(await Vault.state(storage)).toBe('absent');
  });
});
