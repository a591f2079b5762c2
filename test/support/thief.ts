/**
 * A thief of a device who comes late (docs/threat-model.md): it has every file of it, and every record that the database has
 * ever held, as if all of them could still be carved out of the files. What opens depends on the key file and the passphrases.
 */
import { passphrasesOf, type Passphrases } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import type { Bytes } from '@0fc/protocol';
import { ClientError } from '../../libs/client/src/contract/errors.js';
import type { KeyFile, RecordPlace } from '../../libs/client/src/contract/ports.js';
import { MemoryKeyFile } from '../../libs/client/src/node/key-file.js';
import { FileStorage, IN_MEMORY } from '../../libs/client/src/node/storage.js';
import { decodeHeader, openHeader } from '../../libs/client/src/vault/header.js';
import { KeyTable } from '../../libs/client/src/vault/key-table.js';
import { HEADER, OWN_STORE, RENEWAL } from '../../libs/client/src/vault/own-store.js';
import { earlierKeysOf } from '../../libs/client/src/vault/renewal.js';
import { SealedStorage } from '../../libs/client/src/vault/sealed-storage.js';

export interface SealedRecord extends RecordPlace {
  readonly value: Bytes;
}

/** A device as it is at a moment. */
export interface Taken {
  readonly records: readonly SealedRecord[];
  readonly keyFile: Bytes;
}

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const placeOf = ({ store, key, value }: SealedRecord): string =>
  `${store} ${key} ${Buffer.from(value).toString('base64')}`;

export class Thief {
  readonly #take: () => Promise<Taken>;
  readonly #passphrases: Passphrases;
  /** every record that was there at any moment that {@link watch} saw */
  readonly #carved = new Map<string, SealedRecord>();

  constructor(take: () => Promise<Taken>, passphrases: Passphrases = passphrasesOf(nodeRandom)) {
    this.#take = take;
    this.#passphrases = passphrases;
  }

  /** Remembers what is on the device now. */
  async watch(): Promise<Taken> {
    const taken = await this.#take();
    for (const record of taken.records) this.#carved.set(placeOf(record), record);
    return taken;
  }

  /** Of all that it remembers, what opens with the key file as it is now (or was `then`): in clear, by place. */
  async opens(
    passphrases: readonly string[],
    then?: Taken,
  ): Promise<readonly (RecordPlace & { readonly clear: Buffer })[]> {
    const { keyFile } = await this.watch();
    const file = await fileOf(then?.keyFile ?? keyFile);
    const opened: (RecordPlace & { readonly clear: Buffer })[] = [];
    for (const header of [...this.#carved.values()].filter(isHeader)) {
      for (const passphrase of passphrases) {
        const sealed = await this.#keysBehind(header, passphrase, file);
        if (sealed === null) continue;
        for (const record of this.#carved.values()) {
          const { store, key } = record;
          const clear = store === OWN_STORE && key !== RENEWAL ? null : sealed.openOrNull(store, record);
          if (clear !== null) opened.push({ store, key, clear: Buffer.from(clear.value) });
        }
      }
    }
    return opened;
  }

  /** How often each of the secrets stands in what opens. */
  async finds(
    secrets: Readonly<Record<string, Uint8Array | string>>,
    passphrases: readonly string[],
    then?: Taken,
  ) {
    const opened = await this.opens(passphrases, then);
    return Object.fromEntries(
      Object.entries(secrets).map(([name, secret]) => [
        name,
        opened.filter(({ clear }) => clear.includes(Buffer.from(secret))).length,
      ]),
    );
  }

  /** Null: this header opens to nobody by that passphrase. */
  async #keysBehind(
    record: SealedRecord,
    passphrase: string,
    keyFile: KeyFile,
  ): Promise<SealedStorage | null> {
    const header = await decodeHeader(nodeHash, record.value);
    const storage = FileStorage.open(IN_MEMORY);
    try {
      const { table: id, number } = header.device ?? { table: new Uint8Array(16), number: 0 };
      const table = await KeyTable.open({ crypto, keyFile }, id, null);
      const key = await openHeader(this.#passphrases, header, passphrase, table.key(number) ?? undefined);
      const alone = new SealedStorage(storage, table, key);
      // What waits to be sealed again is under the keys that are in here.
      const renewals = [...this.#carved.values()].filter(
        ({ store, key: at }) => store === OWN_STORE && at === RENEWAL,
      );
      const earlier = renewals.flatMap((renewal) => {
        const opened = alone.openOrNull(OWN_STORE, renewal);
        return opened === null ? [] : earlierKeysOf(opened.value);
      });
      return new SealedStorage(storage, table, key, earlier);
    } catch (error) {
      if (['WRONG_PASSPHRASE', 'VAULT_KEYS_LOST', 'VAULT_ABSENT'].includes(ClientError.from(error).code))
        return null;
      throw error;
    } finally {
      await storage.close();
    }
  }
}

const isHeader = ({ store, key }: SealedRecord): boolean => store === OWN_STORE && key === HEADER;

async function fileOf(bytes: Bytes): Promise<KeyFile> {
  const file = new MemoryKeyFile();
  await file.write(0, bytes);
  return file;
}
