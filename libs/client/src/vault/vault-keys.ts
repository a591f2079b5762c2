/**
 * The keys of an open vault (docs/protocol.md section 9): how they are made, opened and changed, and the queue in which everything
 * under them is written.
 */
import { equalSecrets, newVaultKey } from '@0fc/crypto/keys';
import { ERROR_CODES, equalBytes, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { Platform, RecordPlace, StorageChange, StoragePort } from '../contract/ports.js';
import { assertProof, decodeHeader, openHeader, ownRecords, type VaultHeader } from './header.js';
import { KeyTable } from './key-table.js';
import type { RecordSource } from './migrations/migration.js';
import { migrated, RECORDS_VERSION } from './migrations/run.js';
import { HEADER, LEDGER, OWN_STORE, PROOF } from './own-store.js';
import { requireStrong } from './passphrase.js';
import { KeyRenewal, renewalIn, renewalRecords } from './renewal.js';
import { SealedStorage, type DeviceKey, type OwnWrite } from './sealed-storage.js';
import { SerialQueue } from './serial-queue.js';

/** What the vault needs of its platform. */
export type VaultPlatform = Pick<Platform, 'crypto' | 'passphrases' | 'storage'>;

const HEADER_AND_PROOF: readonly RecordPlace[] = [
  { store: OWN_STORE, key: HEADER },
  { store: OWN_STORE, key: PROOF },
];

/** Storages in which a vault is being created: the second of two concurrent calls finds it here. */
const creating = new WeakSet<StoragePort>();

export class VaultKeys {
  /** Serializes writes: a waiter here runs while no write does. */
  readonly writing = new SerialQueue();
  readonly #platform: VaultPlatform;
  /** Under the vault key of today. */
  #sealed: SealedStorage;
  #closing: Promise<void> | null = null;
  /** A change of the passphrase has failed, and the header could not be read: the renewal waits for the next unlock. */
  #doubtful = false;
  readonly #renewal: KeyRenewal;
  /** Serializes changes of the passphrase. */
  readonly #changing = new SerialQueue();

  private constructor(platform: VaultPlatform, sealed: SealedStorage) {
    this.#platform = platform;
    this.#sealed = sealed;
    this.#renewal = new KeyRenewal(platform.storage, this.writing, () =>
      this.#closing === null && !this.#doubtful ? this.#sealed : null,
    );
  }

  /** Whether this device has a vault. Opens nothing. */
  static async state(storage: StoragePort): Promise<'absent' | 'locked'> {
    const [header, proof] = await storage.readEach(HEADER_AND_PROOF);
    return header === null && proof === null ? 'absent' : 'locked';
  }

  /** As {@link Vault.create}. */
  static async create(
    platform: VaultPlatform,
    passphrase: string,
    records: readonly StorageChange[] = [],
  ): Promise<VaultKeys> {
    await requireStrong(passphrase);
    const { storage, crypto } = platform;
    if (creating.has(storage)) throw new ClientError(ERROR_CODES.VAULT_EXISTS);
    creating.add(storage);
    try {
      if ((await VaultKeys.state(storage)) !== 'absent') throw new ClientError(ERROR_CODES.VAULT_EXISTS);
      const table = await KeyTable.create(tablesOf(platform), records.length + 1);
      return await closingUnless(table, async () => {
        const sealed = new SealedStorage(storage, table, newVaultKey(crypto.random));
        const keys = new VaultKeys(platform, sealed);
        await sealed.write(records, keys.#ownWrite(sealed, passphrase, null));
        return keys;
      });
    } finally {
      creating.delete(storage);
    }
  }

  static async unlock(platform: VaultPlatform, passphrase: string): Promise<VaultKeys> {
    const { storage, crypto } = platform;
    const [header = null, proof = null, ledger = null] = await storage.readEach([
      ...HEADER_AND_PROOF,
      { store: OWN_STORE, key: LEDGER },
    ]);
    if (header === null && proof === null) throw new ClientError(ERROR_CODES.VAULT_ABSENT);
    if (header === null || proof === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
    const found = await decodeHeader(crypto.hash, header);
    if (found.device === null) return VaultKeys.#unlockEarlier(platform, found, proof, passphrase);
    const { table: id, number } = found.device;
    const table = await erasedUnless(storage, () => KeyTable.open(tablesOf(platform), id, ledger));
    return closingUnless(table, async () => {
      const device = table.key(number);
      if (device === null) throw new ClientError(ERROR_CODES.VAULT_KEYS_LOST);
      const key = await openHeader(platform.passphrases, found, passphrase, device).finally(() =>
        device.fill(0),
      );
      assertProof(key, found, proof);
      const { earlier, done } = await renewalIn(storage, new SealedStorage(storage, table, key));
      const sealed = new SealedStorage(storage, table, key, earlier);
      const keys = new VaultKeys(platform, sealed);
      if (found.version < RECORDS_VERSION) await keys.#migrate(found, passphrase);
      else if (earlier.length > 0) keys.#renewal.begin(sealed, done);
      return keys;
    });
  }

  /** One of version 5 or before, which has no key table: it gets one. */
  static async #unlockEarlier(
    platform: VaultPlatform,
    found: VaultHeader,
    proof: Bytes,
    passphrase: string,
  ): Promise<VaultKeys> {
    const { storage, crypto } = platform;
    const key = await openHeader(platform.passphrases, found, passphrase);
    assertProof(key, found, proof);
    const table = await KeyTable.create(tablesOf(platform), 0);
    return closingUnless(table, async () => {
      // Nothing is ever written under the first key, which only opens what there is.
      const sealed = new SealedStorage(storage, table, newVaultKey(crypto.random), [key]);
      const keys = new VaultKeys(platform, sealed);
      await keys.#migrate(found, passphrase);
      return keys;
    });
  }

  /** In one write with header and proof: whenever it is cut short, the vault is of one version or of the other. */
  async #migrate(found: VaultHeader, passphrase: string): Promise<void> {
    const changes = await migrated(found.version, this.#readable(), this.#platform.crypto.hash);
    await this.#renew(found, passphrase, changes);
  }

  /** What can be read of it: one damaged record must not keep a whole vault in its old form. */
  #readable(): RecordSource {
    return {
      list: (store) =>
        this.#sealed.read(
          (storage) => storage.list(store),
          (records) => records.flatMap((record) => this.#sealed.openOrNull(store, record) ?? []),
        ),
    };
  }

  changePassphrase(current: string, next: string): Promise<void> {
    return this.#changing.enqueue(async () => {
      await requireStrong(next);
      this.held();
      const header = await this.#platform.storage.read(OWN_STORE, HEADER);
      if (header === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
      const found = await decodeHeader(this.#platform.crypto.hash, header);
      await this.#assertOwn(found, current);
      await this.writing.enqueue(() => this.#renew(found, next, []));
    });
  }

  renewed(): Promise<void> {
    return this.#renewal.ended;
  }

  /** A header that opens and holds another key belongs to other records. */
  async #assertOwn(found: VaultHeader, passphrase: string): Promise<void> {
    const { table, current } = this.held();
    const device = found.device !== null && equalBytes(found.device.table, table.id) ? found.device : null;
    const beside = device === null ? null : table.key(device.number);
    // An open vault is of today's version.
    if (beside === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
    const known = await openHeader(this.#platform.passphrases, found, passphrase, beside);
    const isOwn = equalSecrets(known, current);
    for (const secret of [known, beside]) secret.fill(0);
    if (!isOwn) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
  }

  /** `changes`, a new vault key and a new entry beside the passphrase, in one write; the records follow. */
  async #renew(found: VaultHeader, passphrase: string, changes: readonly StorageChange[]): Promise<void> {
    // A vault without a key table has got its new key with the table.
    const renewed =
      found.device === null ? this.#sealed : this.#sealed.under(newVaultKey(this.#platform.crypto.random));
    const own = this.#ownWrite(renewed, passphrase, found.device?.number ?? null);
    const headers: Bytes[] = [];
    const records = async (device: DeviceKey): Promise<readonly StorageChange[]> => {
      const made = await own.records(device);
      headers.push(...made.flatMap(({ key, value }) => (key === HEADER && value !== null ? [value] : [])));
      return made;
    };
    try {
      const renewal = renewalRecords(renewed.earlier);
      await renewed.write([...changes, ...renewal], { ...own, records });
    } catch (error) {
      // Which of the two keys is the vault's now, the header says. Until it does, nothing earlier is let go of.
      this.#doubtful = true;
      const stored = await this.#platform.storage.read(OWN_STORE, HEADER);
      this.#doubtful = false;
      if (stored === null || !headers.some((made) => equalBytes(stored, made))) throw error;
    }
    this.#sealed = renewed;
    this.#renewal.begin(renewed, null);
  }

  #ownWrite(sealed: SealedStorage, passphrase: string, before: number | null): OwnWrite {
    return {
      records: (device) => ownRecords(this.#platform, sealed.current, passphrase, sealed.table.id, device),
      before,
    };
  }

  /** Throws VAULT_LOCKED once closed. */
  held(): SealedStorage {
    if (this.#closing !== null) throw new ClientError(ERROR_CODES.VAULT_LOCKED);
    return this.#sealed;
  }

  /** For what was asked for before the vault was closed: the keys are wiped behind it. */
  get last(): SealedStorage {
    return this.#sealed;
  }

  close(): Promise<void> {
    this.#closing ??= this.writing.enqueue(() => this.#sealed.close());
    return this.#closing;
  }
}

const tablesOf = ({ crypto, storage }: VaultPlatform) => ({ crypto, keyFile: storage.keyFile });

async function closingUnless<T>(table: KeyTable, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await table.close();
    throw error;
  }
}

/** An erasure that was cut short behind the keys is brought to its end. */
async function erasedUnless<T>(storage: StoragePort, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.VAULT_ABSENT) await storage.erase();
    throw error;
  }
}
