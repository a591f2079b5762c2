/**
 * Records that are still sealed under an earlier vault key (docs/protocol.md section 9): after a change of the passphrase, or in
 * a vault of an older version. They are sealed again under the key of today, some at a time and over as many sessions as it
 * takes; what is written meanwhile is under it already.
 */
import * as v from 'valibot';
import { asVaultKey, exposeSecret, type VaultKey } from '@0fc/crypto/keys';
import { bytes, decodeAs, encodeAs, ERROR_CODES, text, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import { KEY_PAGES, type RecordPlace, type StorageChange, type StoragePort } from '../contract/ports.js';
import { OWN_STORE, RENEWAL, RENEWED_TO } from './own-store.js';
import type { SealedStorage } from './sealed-storage.js';
import type { SerialQueue } from './serial-queue.js';

/** Youngest first. Written once, in the write that makes another key the vault's, and deleted at the end. */
const earlierKeys = v.array(bytes(32, 32));
/** Everything up to here is done; without it all of it is done again. */
const place = v.strictObject({ store: text(1, 32), key: text(0, 256) });

export interface Renewal {
  readonly earlier: readonly VaultKey[];
  readonly done: RecordPlace | null;
}

/** Sealed as any record, and so under the key of today. */
export const renewalRecords = (earlier: readonly VaultKey[]): readonly StorageChange[] => [
  { store: OWN_STORE, key: RENEWAL, value: encodeAs(earlierKeys, earlier.map(exposeSecret)) },
  { store: OWN_STORE, key: RENEWED_TO, value: null },
];

const doneTo = ({ store, key }: RecordPlace): StorageChange => ({
  store: OWN_STORE,
  key: RENEWED_TO,
  value: encodeAs(place, { store, key }),
});

/** Every record is under the key of today; the earlier ones go with these records. */
const END: readonly StorageChange[] = [RENEWAL, RENEWED_TO].map((key) => ({
  store: OWN_STORE,
  key,
  value: null,
}));

/** What is under way in a vault; nothing where every record is under the key of today. Rejects with VAULT_DAMAGED, MALFORMED. */
export async function renewalIn(storage: StoragePort, sealed: SealedStorage): Promise<Renewal> {
  const [value = null, done = null] = await storage.readEach(
    [RENEWAL, RENEWED_TO].map((key) => ({ store: OWN_STORE, key })),
  );
  if (value === null) return { earlier: [], done: null };
  const { value: keys } = sealed.open(OWN_STORE, { key: RENEWAL, value });
  const to = done === null ? null : sealed.openOrNull(OWN_STORE, { key: RENEWED_TO, value: done });
  return { earlier: earlierKeysOf(keys), done: to === null ? null : decodeAs(place, to.value) };
}

/** Throws MALFORMED. */
export const earlierKeysOf = (value: Bytes): readonly VaultKey[] =>
  decodeAs(earlierKeys, value).map(asVaultKey);

/** Records that are sealed again in one write, between which others go on: with their place, as many as are spare in the key table. */
const AT_ONCE = 62;
/** Not sealed again: the vault's own records are made by each change, and pages of keys are not sealed. */
const APART: ReadonlySet<string> = new Set([OWN_STORE, KEY_PAGES]);
/** Ends until the next unlock: whatever else is written meets the same. */
const STOPS: ReadonlySet<string> = new Set([
  ERROR_CODES.VAULT_LOCKED,
  ERROR_CODES.VAULT_FULL,
  ERROR_CODES.VAULT_UNAVAILABLE,
]);

export class KeyRenewal {
  readonly #storage: StoragePort;
  readonly #writing: SerialQueue;
  readonly #today: () => SealedStorage | null;
  #ended: Promise<void> = Promise.resolve();

  /** @param today null once the vault is closed */
  constructor(storage: StoragePort, writing: SerialQueue, today: () => SealedStorage | null) {
    this.#storage = storage;
    this.#writing = writing;
    this.#today = today;
  }

  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Seals again what lies behind `done`, until there is another key of today or the vault is closed. */
  begin(sealed: SealedStorage, done: RecordPlace | null): void {
    this.#ended = Promise.all([this.#ended, this.#go(sealed, done)]).then(
      () => undefined,
      (error: unknown) => {
        if (!STOPS.has(ClientError.from(error).code)) throw error;
      },
    );
    // Who waits for it hears of it. Nobody has to: it goes on at the next unlock, and what is read meets the same.
    this.#ended.catch(() => undefined);
  }

  async #go(sealed: SealedStorage, done: RecordPlace | null): Promise<void> {
    let place: RecordPlace | null = done;
    for (;;) {
      const behind: RecordPlace | null = place;
      const next = await this.#writing.enqueue(() => this.#some(sealed, behind));
      if (next === null) return;
      place = next;
    }
  }

  /** Where it has come to; null: there is no more, or nothing is to be done any more. */
  async #some(sealed: SealedStorage, done: RecordPlace | null): Promise<RecordPlace | null> {
    if (this.#today() !== sealed) return null;
    const found = await this.#storage.listAfter(done, AT_ONCE);
    const last = found.at(-1);
    if (last === undefined) {
      await sealed.write(END);
      sealed.forgetEarlier();
      return null;
    }
    const changes = found.flatMap(({ store, key, value }) => {
      if (APART.has(store) || sealed.isCurrent(store, { key, value })) return [];
      // What does not open stays as it is: it is damaged, and is told where it is read.
      const opened = sealed.openOrNull(store, { key, value });
      return opened === null ? [] : [{ store, key, value: opened.value }];
    });
    await sealed.write([...changes, doneTo(last)]);
    return { store: last.store, key: last.key };
  }
}
