/**
 * The layout of an export's file (docs/protocol.md section 9), written as a stream and read whole.
 *
 * `"0fc-export" frame(CBOR[version, sealed key]) frame(block) … frame(check)`, where a frame is a length of four
 * bytes, big end first, and so many bytes. The sealed key is one byte string, as in version 3, so that an earlier client
 * finds the check in its place and says that the file is of a later version: since version 4 it is CBOR of a seal with its
 * salt and cost. Each block is sealed for its index, the last one as the last: blocks left
 * out, moved or added open nowhere. The check, over public bytes, distinguishes damage from a wrong passphrase.
 *
 * Versions 1 and 2 were one CBOR item, `["0fc-export", version, sealed key, [block, …], check]`, and are still read.
 */
import * as v from 'valibot';
import { openRecord, sealRecord, type Hash, type PassphraseSeal, type VaultKey } from '@0fc/crypto/keys';
import {
  bytes, concat, decodeAs, decodeCbor, encodeAs, encodeCbor, equalBytes, ERROR_CODES, text, utf8, type Bytes,
} from '@0fc/protocol'; // prettier-ignore
import { ClientError } from '../contract/errors.js';
import { passphraseSeal } from '../vault/header.js';
import { RECORDS_VERSION } from '../vault/migrations/run.js';
import type { StorageChange } from '../contract/ports.js';

const MAGIC = '0fc-export';
const MARK = utf8(MAGIC);
const CHECK_BYTES = 8;
const LENGTH_BYTES = 4;
/** The last version whose files are one CBOR item. */
const ONE_ITEM_LAST = 2;

/** The last version whose sealed key is one cell under the passphrase. */
const ONE_CELL_LAST = 3;

/** Most that one record holds: a room with its whole roster stays far below. */
const RECORD_BYTES = 67_108_864;

const block = v.array(
  v.strictObject({ store: text(1, 32), key: text(0, 256), value: v.nullable(bytes(0, RECORD_BYTES)) }),
);

interface SealedBlock {
  /** what it is sealed for */
  readonly place: string;
  readonly sealed: Bytes;
}

export interface ExportFile {
  /** of the records in it */
  readonly version: number;
  /** the key of its blocks, sealed under the file's passphrase; bytes up to version 3 */
  readonly sealedKey: Bytes | PassphraseSeal;
  readonly blocks: readonly SealedBlock[];
}

const placeOf = (index: number, last: boolean): string => (last ? `${String(index)}/last` : String(index));

/** The file's pieces, in their order: the head, each block, the end. */
export class ExportPieces {
  readonly #hash: Hash;
  readonly #key: VaultKey;
  readonly #sealedKey: Bytes;
  readonly #digests: Bytes[] = [];

  /** The caller wipes `key`. */
  constructor(hash: Hash, key: VaultKey, sealedKey: PassphraseSeal) {
    this.#hash = hash;
    this.#key = key;
    this.#sealedKey = encodeAs(passphraseSeal, sealedKey);
  }

  head(): Bytes {
    return concat(MARK, frame(encodeCbor([RECORDS_VERSION, this.#sealedKey])));
  }

  /** Throws MALFORMED for a record that no file can hold. */
  async block(records: readonly StorageChange[], last: boolean): Promise<Bytes> {
    const place = placeOf(this.#digests.length, last);
    const sealed = sealRecord(this.#key, MAGIC, place, encodeAs(block, records));
    this.#digests.push(await this.#hash.sha256(sealed));
    return frame(sealed);
  }

  async end(): Promise<Bytes> {
    return frame(await checkOf(this.#hash, RECORDS_VERSION, this.#sealedKey, this.#digests));
  }
}

/** Throws EXPORT_DAMAGED, also for what is no export; UNSUPPORTED_VERSION {version}; MALFORMED. */
export async function readExport(hash: Hash, file: Bytes): Promise<ExportFile> {
  const framed = equalBytes(file.subarray(0, MARK.length), MARK);
  const { blocks, check, ...head } = framed ? partsOfFrames(file) : partsOfItem(file);
  const digests = await Promise.all(blocks.map(({ sealed }) => hash.sha256(sealed)));
  if (!equalBytes(check, await checkOf(hash, head.version, head.sealedKey, digests))) throw damaged();
  const { version, sealedKey } = head;
  if (version > RECORDS_VERSION) throw later(version);
  return {
    version,
    sealedKey: version <= ONE_CELL_LAST ? sealedKey : decodeAs(passphraseSeal, sealedKey),
    blocks,
  };
}

/** What a block says; a null value: there is no such record. Throws VAULT_DAMAGED, MALFORMED. */
export const openBlock = (key: VaultKey, { place, sealed }: SealedBlock): readonly StorageChange[] =>
  decodeAs(block, openRecord(key, MAGIC, place, sealed));

interface Parts extends ExportFile {
  /** as it is in the file */
  readonly sealedKey: Bytes;
  readonly check: Bytes;
}

function partsOfFrames(file: Bytes): Parts {
  const [head, ...rest] = framesOf(file.subarray(MARK.length));
  const check = rest.pop();
  // Even an empty vault has one block: without any, nothing would prove where the file ends.
  if (head === undefined || check === undefined || rest.length === 0) throw damaged();
  const value: unknown = decodeCbor(head);
  if (!Array.isArray(value) || value.length !== 2) throw damaged();
  const [version, sealedKey] = value as readonly unknown[];
  const blocks = rest.map((sealed, index) => ({ place: placeOf(index, index === rest.length - 1), sealed }));
  return { version: versionOf(version), sealedKey: bytesOf(sealedKey), blocks, check };
}

function partsOfItem(file: Bytes): Parts {
  const value: unknown = decodeCbor(file);
  if (!Array.isArray(value) || value[0] !== MAGIC) throw damaged();
  const [, given, sealedKey, list, check] = value as readonly unknown[];
  const version = versionOf(given);
  if (version > ONE_ITEM_LAST) throw later(version);
  if (value.length !== 5 || !Array.isArray(list) || list.length === 0) throw damaged();
  const blocks = (list as readonly unknown[]).map((sealed, index) => ({
    place: `${String(index)}/${String(list.length)}`,
    sealed: bytesOf(sealed),
  }));
  return { version, sealedKey: bytesOf(sealedKey), blocks, check: bytesOf(check) };
}

function frame(content: Bytes): Bytes {
  const framed = new Uint8Array(LENGTH_BYTES + content.length);
  new DataView(framed.buffer).setUint32(0, content.length);
  framed.set(content, LENGTH_BYTES);
  return framed;
}

/** Views into the file: nothing of it is copied. */
function framesOf(content: Bytes): Bytes[] {
  const frames: Bytes[] = [];
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0; at < content.length;) {
    const from = at + LENGTH_BYTES;
    const to = from > content.length ? Infinity : from + view.getUint32(at);
    if (to > content.length) throw damaged();
    frames.push(content.subarray(from, to));
    at = to;
  }
  return frames;
}

// Against damage, not against a forger, whom the seals stop.
async function checkOf(
  hash: Hash,
  version: number,
  sealedKey: Bytes,
  digests: readonly Bytes[],
): Promise<Bytes> {
  return (await hash.sha256(encodeCbor([MAGIC, version, sealedKey, digests]))).slice(0, CHECK_BYTES);
}

function versionOf(value: unknown): number {
  if (typeof value !== 'number' || value < 1) throw damaged();
  return value;
}

function bytesOf(value: unknown): Bytes {
  if (!(value instanceof Uint8Array)) throw damaged();
  return value;
}

const damaged = (): ClientError => new ClientError(ERROR_CODES.EXPORT_DAMAGED);
const later = (version: number): ClientError => new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
