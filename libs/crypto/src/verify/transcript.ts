/**
 * The transcript of a log: what stands for everything up to a position (docs/protocol.md section 6.5).
 *
 * A value is 64 bytes: the hash T, which members compare, and the hash of the segment, of the entries since the
 * rotation that began the epoch. A rotation is a checkpoint: T goes on there from the T that the owner had at the
 * beginning of the epoch, with the reader's own segment. So transcripts that differed before that epoch meet again,
 * and those that differ within it do not before the next rotation.
 */
import {
  concat,
  ctx,
  decodeBody,
  type Bytes,
  type EntryKind,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import type { Hash } from '../ports.js';
import { bodyHash, containerBody } from './container.js';

/** The parts of an entry that the transcript covers: all but the relay's time and the reader's wrap. */
export interface TranscriptEntry {
  readonly position: Position;
  readonly kind: EntryKind;
  readonly sender: MemberId;
  readonly clear: Bytes;
  readonly payload: Bytes;
}

const HASH_BYTES = 32;

/** The segment where an epoch begins: nothing came since. */
const NOTHING_SINCE = new Uint8Array(HASH_BYTES);

/** T of a value: what `seen` names. */
export const transcriptHash = (value: Bytes): Bytes => value.slice(0, HASH_BYTES);
const segmentOf = (value: Bytes): Bytes => value.subarray(HASH_BYTES);

/** The value where an epoch begins, from its T: at genesis, and at the floor of a new member. */
export const transcriptAtFloor = (t: Bytes): Bytes => concat(t, NOTHING_SINCE);

/** `T[(1,0)] = SHA-256(genesis body)`. Throws MALFORMED. */
export const transcriptStart = async (hash: Hash, genesisContainer: Bytes): Promise<Bytes> =>
  transcriptAtFloor(await bodyHash(hash, genesisContainer));

/** Both hashes of a value, one on. */
async function extend(value: Bytes, next: (before: Bytes) => Promise<Bytes>): Promise<Bytes> {
  return concat(...(await Promise.all([next(transcriptHash(value)), next(segmentOf(value))])));
}

/** The value at an entry, from the one before it. Hashes the bytes that travel. Of a rotation: before its checkpoint. */
export async function transcriptNext(hash: Hash, before: Bytes, entry: TranscriptEntry): Promise<Bytes> {
  const { position, kind, sender } = entry;
  const [payload, clear] = await Promise.all([hash.sha256(entry.payload), hash.sha256(entry.clear)]);
  return extend(before, (value) =>
    hash.sha256(ctx('transcript', position.g, position.s, kind, sender, payload, clear, value)),
  );
}

/** The value at the start of a generation, from the one at the position that it goes on from. */
export const transcriptGeneration = (hash: Hash, before: Bytes, generation: number): Promise<Bytes> =>
  extend(before, (value) => hash.sha256(ctx('generation', value, generation)));

/**
 * The value at a rotation that has proved itself, from what {@link transcriptNext} made of its entry. `base`: T where the
 * epoch before began, as the owner signed it; null: the owner did not know it.
 */
export const transcriptCheckpoint = async (hash: Hash, value: Bytes, base: Bytes | null): Promise<Bytes> =>
  transcriptAtFloor(await hash.sha256(ctx('checkpoint', base, segmentOf(value))));

/**
 * The value at an entry of a log that holds no rotation but one that has proved itself, as a relay's does. Throws
 * MALFORMED for an entry called a rotation that is none.
 */
export async function transcriptOver(hash: Hash, before: Bytes, entry: TranscriptEntry): Promise<Bytes> {
  const value = await transcriptNext(hash, before, entry);
  if (entry.kind !== 'rotation') return value;
  const { base } = decodeBody(containerBody(entry.clear), 'rotation').body;
  return transcriptCheckpoint(hash, value, base);
}
