/** Export and import (docs/protocol.md section 9; G14): the way there and back. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { asInviteToken, asJoinKey, generateHybridKeyPair, generateKeyPair } from '@0fc/crypto/keys';
import { encodeRoster } from '@0fc/crypto/verify';
import {
  PROTOCOL_VERSION,
  toBase64Url,
  utf8,
  type InviteId,
  type MemberId,
  type Target,
} from '@0fc/protocol';
import { oldRoom, recordsOf } from '../vault/migrations/version-1.spec-support.js';
import { loadCore } from '../room/state/load.js';
import {
  decodeRecord, encodeRecord, joinRecord, keyOf, messageIndex, outboxItem, ownerInvite, STORES, type OutboxItem, type OwnerInvite,
  type RoomCore,
} from '../vault/records.js'; // prettier-ignore
import { IndexKeys } from '../vault/index-keys.js';
import { RoomState } from '../room/state/state.js';
import { importVault } from './vault-import.js';
import {
  codeOf, device, exportFile, FILE, fileWith, fillWith, inviteIn, NEW, OLD, random, roomOf, waitingIn, type ExportedRoom,
} from './vault-transfer.spec-support.js'; // prettier-ignore
import { Vault, type VaultPlatform } from '../vault/vault.js';

let room: ExportedRoom;
let core: RoomCore;
let old: VaultPlatform;
let vault: Vault;

beforeAll(async () => {
  await loadThemis();
  room = await roomOf();
  ({ core } = room);
});
beforeEach(async () => {
  old = device();
  vault = await Vault.create(old, OLD);
});

const waiting = (n: number): OutboxItem => waitingIn(room, n);

const fill = (
  change: Partial<RoomCore>,
  outbox: readonly OutboxItem[],
  invites: readonly OwnerInvite[],
): Promise<void> => fillWith(vault, { ...room, core: { ...core, ...change } }, outbox, invites);

async function moved(): Promise<{ readonly platform: VaultPlatform; readonly imported: Vault }> {
  const platform = device();
  const file = await exportFile(vault, old, FILE);
  return { platform, imported: await importVault(platform, file, FILE, NEW) };
}

async function coreIn(of: Vault): Promise<RoomCore> {
  const found = await loadCore(of, core.roomId);
  if (found === null) throw new Error('the vault has no such room');
  expect(found.roster).toEqual(encodeRoster(room.roster));
  return found.core;
}

describe('an import', () => {
  it('holds whatever an export held, and opens with its own passphrase alone', async () => {
    const place = fc.record({
      store: fc.constantFrom(STORES.app, STORES.chain, STORES.rotations, STORES.log, STORES.joins),
      key: fc.string({ maxLength: 40 }).filter((key) => key !== 'instance'),
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

  it('of a file of version 1 is that of its records as of this version', async () => {
    const older = await oldRoom();
    const imported = await importVault(device(), await fileWith(recordsOf(older), 1), FILE, NEW);
    const state = await RoomState.load(imported, older.roomId, nodeHash);
    const { me, position, keys, people, lastTime } = older.fields;
    expect(state?.core).toMatchObject({
      version: 2,
      me,
      position,
      keys: (keys as unknown as readonly object[]).map((key) => ({ ...key, key: null })),
      people,
      lastTime,
      imported: true,
      nextN: 3,
    });
    expect(state?.core.instance).not.toEqual(older.fields.instance);
    expect([...(state?.outbox.keys() ?? [])]).toEqual([1, 2]);
    expect([...(state?.senders.keys() ?? [])].sort()).toEqual([...older.senders].sort());
  });

  it('sends what waited, in its order, as the same messages under new counters, bound to the epoch of their seal', async () => {
    const outbox = [waiting(7), waiting(9), waiting(12)];
    await fill({ nextN: 13 }, outbox, []);
    const { imported } = await moved();
    const { instance, nextN } = await coreIn(imported);
    const records = await imported.list(STORES.outbox);
    expect(records.map(({ key }) => key)).toEqual([1, 2, 3].map((n) => keyOf(core.roomId, n)));
    expect(records.map(({ value }) => decodeRecord(outboxItem, value))).toEqual(
      outbox.map((item, at) => ({ ...item, n: at + 1, instance, sealed: null, only: 1 })),
    );
    expect(nextN).toBe(4);
  });

  it('sends what was on its way as if it had just been written', async () => {
    await fill({ nextN: 8 }, [{ ...waiting(7), made: Date.now() }], []);
    const { imported } = await moved();
    const [record] = await imported.list(STORES.outbox);
    expect(decodeRecord(outboxItem, record!.value)).toMatchObject({ n: 1, sealed: null, only: null });
  });

  it('does not send again what the log had and has lost: under a new counter it would be a second line', async () => {
    const outbox = [waiting(7), waiting(9)];
    await fill({ nextN: 10 }, outbox, []);
    const keys = await IndexKeys.of(nodeHash, core);
    const key = await keys.message({ sender: core.me, instance: core.instance, n: 7 });
    const value = encodeRecord(messageIndex, { index: 1, mid: waiting(7).mid });
    await vault.write([{ store: STORES.messages, key, value }]);
    const { imported } = await moved();
    const { instance, nextN } = await coreIn(imported);
    const waits = (await imported.list(STORES.outbox)).map(({ value: left }) =>
      decodeRecord(outboxItem, left),
    );
    expect(waits.map(({ n, mid }) => [n, mid])).toEqual([[1, outbox[1]?.mid]]);
    expect(waits[0]?.instance).toEqual(instance);
    expect(nextN).toBe(2);
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
    const [open, asked, replied, confirmed, dropping] = stages.map(inviteIn);
    await fill({}, [], [open!, asked!, replied!, confirmed!, dropping!]);
    const { imported } = await moved();
    const left = (await imported.list(STORES.invites)).map(({ value }) => decodeRecord(ownerInvite, value));
    const byId = (a: OwnerInvite, b: OwnerInvite): number => (a.inviteId < b.inviteId ? -1 : 1);
    expect(left.sort(byId)).toEqual(
      [
        ...[replied!, confirmed!].map((answered) => ({
          ...answered,
          stage: 'dropping' as const,
          dropReason: 'other' as const,
          token: null,
          joiner: { ...answered.joiner!, joinKey: null },
        })),
        dropping!,
      ].sort(byId),
    );
  });

  it('leaves alone the invite whose admission is signed and in flight', async () => {
    const confirmed = inviteIn('confirmed');
    const pending: RoomCore['pending'] = {
      kind: 'roster', entry: random(200), rotation: null, candidate: null, inviteId: confirmed.inviteId, reply: null,
    }; // prettier-ignore
    await fill({ pending }, [], [confirmed, inviteIn('confirmed')]);
    const { imported } = await moved();
    const left = (await imported.list(STORES.invites)).map(({ value }) => decodeRecord(ownerInvite, value));
    expect(left.map(({ stage }) => stage).sort()).toEqual(['confirmed', 'dropping']);
    expect(left.find(({ stage }) => stage === 'confirmed')).toEqual(confirmed);
    expect((await coreIn(imported)).pending).toEqual(pending);
  });

  it('goes on with a join, under the identity that has claimed the invite', async () => {
    const join = encodeRecord(joinRecord, {
      version: PROTOCOL_VERSION, roomId: core.roomId, inviteId: toBase64Url(random(16)) as InviteId,
      ownerKey: generateKeyPair().publicKey, relay: random(32), expires: 9, name: 'Noé', token: asInviteToken(random(32)),
      identity: generateKeyPair(), joinKey: asJoinKey(random(32)), prekey: generateHybridKeyPair(nodeRandom),
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
    const files = [await exportFile(vault, old, FILE), await exportFile(vault, old, FILE)];
    const texts = files.map((file) => Buffer.from(file).toString('latin1'));
    expect(texts[0]).not.toBe(texts[1]);
    for (const secret of [core.roomId, 'text 1', FILE, OLD])
      expect(texts[0]).not.toContain(Buffer.from(secret).toString('latin1'));
    expect(texts[0]).not.toContain(Buffer.from(core.identity.privateKey).toString('latin1'));
  });

  it('has a floor for its passphrase, and says when the vault is closed or damaged', async () => {
    await fill({}, [], []);
    expect(await codeOf(exportFile(vault, old, 'short'))).toBe('PASSPHRASE_WEAK');
    await old.storage.write([{ store: STORES.slices, key: 'torn', value: utf8('torn') }]);
    expect(await codeOf(exportFile(vault, old, FILE))).toBe('VAULT_DAMAGED');
    await vault.close();
    expect(await codeOf(exportFile(vault, old, FILE))).toBe('VAULT_LOCKED');
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
