/** The transcript of a log: one hash that stands for everything up to a position (docs/protocol.md section 6.5). */
import { ctx, type Bytes, type EntryKind, type MemberId, type Position } from '@0fc/protocol';
import type { Hash } from '../ports.js';
import { bodyHash } from './container.js';

/** The parts of an entry that the transcript covers: all but the relay's time and the reader's wrap. */
export interface TranscriptEntry {
  readonly position: Position;
  readonly kind: EntryKind;
  readonly sender: MemberId;
  readonly clear: Bytes;
  readonly payload: Bytes;
}

/** `T[(1,0)] = SHA-256(genesis body)`. Throws MALFORMED. */
export const transcriptStart = (hash: Hash, genesisContainer: Bytes): Promise<Bytes> =>
  bodyHash(hash, genesisContainer);

/** `T` at an entry, from `T` at the one before it. Hashes the bytes that travel. */
export async function transcriptNext(hash: Hash, before: Bytes, entry: TranscriptEntry): Promise<Bytes> {
  const { position, kind, sender } = entry;
  const [payload, clear] = await Promise.all([hash.sha256(entry.payload), hash.sha256(entry.clear)]);
  return hash.sha256(ctx('transcript', position.g, position.s, kind, sender, payload, clear, before));
}

/** `T` at the start of a generation, from `T` at the position that it goes on from. */
export const transcriptGeneration = (hash: Hash, before: Bytes, generation: number): Promise<Bytes> =>
  hash.sha256(ctx('generation', before, generation));
