/**
 * What lies on a disk that somebody else could write to (docs/protocol.md section 9; G14): records, the
 * header, exports. Nothing opens that was not sealed for its place, and a failure changes nothing on the disk.
 */
import { decodeCbor, encodeCbor, toHex, utf8, type Bytes, type CborValue } from '@0fc/protocol';
import {
  newVaultKey,
  passphrasesOf,
  type PassphraseSeal,
  sealExport,
  sealRecord,
  type VaultKey,
} from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { earlierExportKey } from '../../support/earlier-vault.js';
import { memoryStorage, RoomLog } from '../../../libs/client/src/room/log/log.spec-support.js';
import { extendChain, set } from '../../../libs/client/src/room/state/draft.js';
import { STORES } from '../../../libs/client/src/vault/records.js';
import { decodeHeader } from '../../../libs/client/src/vault/header.js';
import { asNewInstance, type ClearRecord } from '../../../libs/client/src/account/vault-instance.js';
import { fileOf } from '../../../libs/client/src/account/vault-transfer.spec-support.js';
import { importVault } from '../../../libs/client/src/account/vault-import.js';
import { Vault, type VaultPlatform } from '../../../libs/client/src/vault/vault.js';
import type { StoragePort } from '../../../libs/client/src/contract/ports.js';
import type { Dice } from '../../support/random.js';
import { mutate } from '../mutate.js';
import { expectThat, judged, judgedLater, type Outcome, type Target } from '../target.js';
import { randomText, varied } from '../values.js';
import { staticShapes } from './schemas.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
export const passphrases = passphrasesOf(nodeRandom);
export const PASSPHRASE = 'a passphrase that is long enough';
export const device = (storage: StoragePort = memoryStorage()): VaultPlatform => ({
  crypto,
  passphrases,
  storage,
});
export const VAULT_CODES = /^(ok|VAULT_DAMAGED|UNSUPPORTED_VERSION|WRONG_PASSPHRASE|VAULT_ABSENT)/;
export const IMPORT_CODES = /^(ok|EXPORT_DAMAGED|UNSUPPORTED_VERSION|WRONG_PASSPHRASE|MALFORMED)/;

/** `CBOR[…fields, check]` as headers have it, with a check that is right: what a forger writes. */
async function withCheck(fields: readonly CborValue[], checked: readonly CborValue[]): Promise<Bytes> {
  return encodeCbor([...fields, (await nodeHash.sha256(encodeCbor(checked))).slice(0, 8)]);
}

export const recordsTarget = (): Target => ({
  name: 'records',
  share: 40_000,
  limitMs: 5_000,
  settleEvery: 5_000,
  prepare: async () => {
    const storage = memoryStorage();
    const vault = await Vault.create(device(storage), PASSPHRASE);
    const places = ['rooms', 'log', 'outbox'].flatMap((store) => ['a', 'b'].map((key) => ({ store, key })));
    const values = new Map(
      places.map(({ store, key }, at) => [`${store} ${key}`, utf8(`value ${String(at)}`)]),
    );
    await vault.write(
      places.map((place) => ({ ...place, value: values.get(`${place.store} ${place.key}`) ?? null })),
    );
    const sealed = await Promise.all(
      places.map(async ({ store, key }) => (await storage.read(store, key)) ?? utf8('')),
    );
    const header = (await storage.read('vault', 'header')) ?? utf8('');

    async function record(dice: Dice): Promise<Outcome> {
      const at = dice.below(places.length);
      const place = places[at] ?? { store: 'rooms', key: 'a' };
      const genuine = sealed[at] ?? utf8('');
      const planted = dice.once(4) ? dice.of(sealed) : mutate(dice, genuine, sealed);
      await storage.write([{ ...place, value: planted }]);
      const outcome = await judgedLater(async () => {
        const read = dice.once(3)
          ? (await vault.list(place.store)).find(({ key }) => key === place.key)?.value
          : await vault.get(place.store, place.key);
        const right =
          toHex(read ?? utf8('')) === toHex(values.get(`${place.store} ${place.key}`) ?? utf8(''));
        expectThat(right && toHex(planted) === toHex(genuine), 'something else was opened');
      });
      await storage.write([{ ...place, value: genuine }]);
      return outcome;
    }

    async function headed(dice: Dice): Promise<Outcome> {
      const input = dice.once(2) ? mutate(dice, header) : encodeCbor(varied(dice, decodeCbor(header)));
      return `header ${await judgedLater(() => decodeHeader(nodeHash, input))}`;
    }

    return {
      async run(dice) {
        const outcome = await (dice.once(3) ? headed(dice) : record(dice));
        expectThat(VAULT_CODES.test(outcome.replace('header ', '')), `refused with ${outcome}`);
        return outcome;
      },
    };
  },
});

/** A room of its owner, as an export holds it. */
export async function clearRecords(): Promise<readonly ClearRecord[]> {
  const log = await RoomLog.begin();
  const reader = await log.reader(log.owner);
  const { core } = reader;
  const draft = reader.fork();
  draft.apply(set(core), extendChain(log.genesis, reader.roster.head, reader.roster));
  const room = draft
    .records()
    .flatMap(({ value, ...place }) => (value === null ? [] : [{ ...place, value }]));
  const others = ['outboxItem', 'ownerInvite', 'logRecord', 'rotationRecord', 'joinRecord'].map(
    (name): ClearRecord => {
      const shape = staticShapes.find((one) => one.name === `record ${name}`);
      const store = {
        outboxItem: STORES.outbox,
        ownerInvite: STORES.invites,
        logRecord: STORES.log,
        rotationRecord: STORES.rotations,
        joinRecord: STORES.joins,
      }[name];
      return { store: store ?? STORES.app, key: `${core.roomId}/0000000001`, value: shape?.seed ?? utf8('') };
    },
  );
  return [...room, ...others, { store: STORES.app, key: 'instance', value: nodeRandom.bytes(16) }];
}

export function variedRecord(dice: Dice, record: ClearRecord): ClearRecord {
  switch (dice.below(5)) {
    case 0:
      return { ...record, store: dice.once(2) ? dice.of(Object.values(STORES)) : randomText(dice) };
    case 1:
      return { ...record, key: dice.once(2) ? mutateText(dice, record.key) : randomText(dice) };
    case 2:
      return { ...record, value: mutate(dice, record.value) };
    default:
      return judged(() => decodeCbor(record.value)) === 'ok'
        ? { ...record, value: encodeCbor(varied(dice, decodeCbor(record.value))) }
        : record;
  }
}

export const mutateText = (dice: Dice, text: string): string =>
  String.fromCharCode(...mutate(dice, utf8(text)));
export const exportsTarget = (): Target => ({
  name: 'exports',
  share: 18_000,
  limitMs: 5_000,
  settleEvery: 5_000,
  prepare: async () => {
    const records = await clearRecords();
    expectThat(
      (await judgedLater(() => asNewInstance(crypto, records))) === 'ok',
      'the records make no instance',
    );
    const files = await Promise.all(
      [exportFile, oldExportFile].map((make) => make(newVaultKey(nodeRandom), randomBlock(records))),
    );
    return {
      async run(dice) {
        if (dice.once(2)) {
          const list = records.map((record) => (dice.once(3) ? variedRecord(dice, record) : record));
          const twice = dice.once(4) ? [...list, ...list] : list;
          const outcome = await judgedLater(() => asNewInstance(crypto, twice));
          expectThat(IMPORT_CODES.test(outcome), `refused with ${outcome}`);
          return `instance ${outcome.replace(/: \S+ is not/, ': a field is not')}`;
        }
        // The check of the file is wrong in all of these: no passphrase is ever tried.
        const platform = device();
        const file = dice.of(files);
        const input = mutate(dice, file);
        const same = toHex(input) === toHex(file);
        const outcome = same
          ? 'same'
          : await judgedLater(() => importVault(platform, input, PASSPHRASE, PASSPHRASE));
        expectThat(same || /^(EXPORT_DAMAGED|UNSUPPORTED_VERSION)/.test(outcome), `refused with ${outcome}`);
        expectThat(
          (await Vault.state(platform.storage)) === 'absent',
          'an import that failed has left a vault',
        );
        return `file ${outcome}`;
      },
    };
  },
});

const randomBlock = (records: readonly ClearRecord[]): readonly Bytes[] => [
  encodeCbor(records.map(({ store, key, value }) => ({ store, key, value }))),
];

export const encodedSeal = ({ salt, cost, sealed }: PassphraseSeal): Bytes =>
  encodeCbor({ salt, cost: { ...cost }, sealed });

/** An export as the client writes it, around whatever the blocks say. */
export async function exportFile(
  key: VaultKey,
  plain: readonly Bytes[],
  seal?: PassphraseSeal,
): Promise<Bytes> {
  const sealedKey = encodedSeal(seal ?? (await sealExport(passphrases, PASSPHRASE, key)));
  const blocks = plain.map((block, at) =>
    sealRecord(key, '0fc-export', at === plain.length - 1 ? `${String(at)}/last` : String(at), block),
  );
  return fileOf({ sealedKey, blocks });
}

/** The same, as clients of versions 1 and 2 wrote it. */
export async function oldExportFile(
  key: VaultKey,
  plain: readonly Bytes[],
  sealedKey = earlierExportKey(PASSPHRASE, key),
): Promise<Bytes> {
  const blocks = plain.map((block, at) =>
    sealRecord(key, '0fc-export', `${String(at)}/${String(plain.length)}`, block),
  );
  const digests = await Promise.all(blocks.map((block) => nodeHash.sha256(block)));
  return withCheck(['0fc-export', 1, sealedKey, blocks], ['0fc-export', 1, sealedKey, digests]);
}
