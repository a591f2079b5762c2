/**
 * The export of a vault (docs/protocol.md section 9, docs/decisions/0020): reads, seals and writes its records a
 * block at a time, while the rooms stay live. Records that change meanwhile are appended, and the later one counts.
 * No write runs while the last of them are read, so that the file holds the vault as it was at one moment.
 */
import { newVaultKey, sealExport } from '@0fc/crypto/keys';
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import type { ExportProgress, TakePiece } from '../contract/api.js';
import { ClientError } from '../contract/errors.js';
import { ExportPieces } from './export-file.js';
import { requireStrong } from '../vault/passphrase.js';
import type { RecordPlace, StorageChange } from '../contract/ports.js';
import { STORES } from '../vault/records.js';
import { KEYS_END, type Vault, type VaultPlatform } from '../vault/vault.js';

/** A block is closed once it holds this much: neither side ever seals or opens the whole at once. */
const BLOCK_BYTES = 1_048_576;
/** Records that are read at once. */
const PAGE = 256;
/**
 * Most records that are read while writes wait; only if writes are faster than the rounds that read them are there
 * more.
 */
const AT_REST_RECORDS = 100;
const ROUNDS = 5;
/** Stores of which a record costs only itself. */
const REPLACEABLE: ReadonlySet<string> = new Set([
  STORES.log, STORES.messages, STORES.effects, STORES.rotations,
]); // prettier-ignore

/**
 * Passes all records of the vault to `take`, as the pieces of one file under a passphrase of its own; each piece once
 * the previous call has resolved. Rejects with PASSPHRASE_WEAK {weakness}, VAULT_DAMAGED {store}, VAULT_LOCKED,
 * VAULT_UNAVAILABLE; with EXPORT_CANCELLED as soon as `take` resolves with false; as `take` does.
 */
export async function exportVault(
  vault: Vault,
  { crypto: { hash, random }, passphrases }: VaultPlatform,
  passphrase: string,
  take: TakePiece,
): Promise<void> {
  await requireStrong(passphrase);
  const stores = Object.values(STORES);
  const key = newVaultKey(random);
  try {
    const sealedKey = await sealExport(passphrases, passphrase, key);
    await vault.noting(async (notes) => {
      const counts = await Promise.all(stores.map((store) => vault.count(store)));
      const total = counts.reduce((sum, count) => sum + count, 0);
      const out = new Output(new ExportPieces(hash, key, sealedKey), take, total);
      await out.begin();
      for (const store of stores) await everyRecord(vault, store, (record) => out.put(record));
      for (let round = 0; round < ROUNDS && notes.size > AT_REST_RECORDS; round++)
        for (const place of notes.drain()) await out.put(await asItIs(vault, place));
      const last = await vault.atRest(() => Promise.all(notes.drain().map((place) => asItIs(vault, place))));
      for (const record of last) await out.put(record);
      await out.end();
    });
  } finally {
    key.fill(0);
  }
}

async function everyRecord(
  vault: Vault,
  store: string,
  put: (record: StorageChange) => Promise<void>,
): Promise<void> {
  let from = '';
  for (;;) {
    const page = await vault.listReadable(store, from, KEYS_END, PAGE);
    for (const { key, value } of page) {
      if (value !== null) await put({ store, key, value });
      // A line that cannot be read is missing here as it is there; a room without one of its parts is no room.
      else if (!REPLACEABLE.has(store)) throw new ClientError(ERROR_CODES.VAULT_DAMAGED, { store });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    // The key that follows at once.
    from = `${last.key}\0`;
  }
}

async function asItIs(vault: Vault, { store, key }: RecordPlace): Promise<StorageChange> {
  return { store, key, value: await vault.get(store, key) };
}

/** Collects records into blocks and passes these to `take`. */
class Output {
  readonly #pieces: ExportPieces;
  readonly #take: TakePiece;
  readonly #total: number;
  #done = 0;
  #block: StorageChange[] = [];
  #bytes = 0;

  constructor(pieces: ExportPieces, take: TakePiece, total: number) {
    this.#pieces = pieces;
    this.#take = take;
    this.#total = total;
  }

  begin(): Promise<void> {
    return this.#hand(this.#pieces.head(), this.#progress());
  }

  async put(record: StorageChange): Promise<void> {
    if (this.#bytes >= BLOCK_BYTES) await this.#close(false, this.#progress());
    this.#block.push(record);
    this.#bytes += record.key.length + (record.value?.length ?? 0);
    this.#done += 1;
  }

  async end(): Promise<void> {
    await this.#close(true, this.#progress());
    await this.#hand(await this.#pieces.end(), { done: this.#done, total: this.#done });
  }

  /** What was written meanwhile comes on top of what was counted. */
  #progress(): ExportProgress {
    return { done: this.#done, total: Math.max(this.#done, this.#total) };
  }

  async #close(last: boolean, progress: ExportProgress): Promise<void> {
    const piece = await this.#pieces.block(this.#block, last);
    this.#block = [];
    this.#bytes = 0;
    await this.#hand(piece, progress);
  }

  async #hand(piece: Bytes, progress: ExportProgress): Promise<void> {
    if (!(await this.#take(piece, progress))) throw new ClientError(ERROR_CODES.EXPORT_CANCELLED);
  }
}
