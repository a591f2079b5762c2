/**
 * Rotations as checkpoints (docs/protocol.md section 6.5, G7): transcripts that differed meet again at the owner's own,
 * once the difference has been shown to both sides, so that the next one is shown too.
 */
import { ALARM_CODES, equalBytes, type Body, type Bytes } from '@0fc/protocol';
import { transcriptCheckpoint, transcriptHash, type Hash } from '@0fc/crypto/verify';
import { set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { EpochKey, RoomCore, StoredItem } from '../../vault/records.js';
import { LOSS_KNOWN_WITHIN_MS } from './fork.js';
import { alarm } from './items.js';

/** T where the current epoch began, as the owner signs it into the next rotation; null: it is not known here. */
export const checkpointBase = ({ current }: Pick<RoomSnapshot, 'current'>): Bytes | null =>
  current.t === null ? null : transcriptHash(current.t);

/**
 * Moves the transcript on over a rotation that has proved itself, whose entry it covers already. Whoever does not know
 * the transcript knows it again after the second rotation: the first one begins a segment that is known.
 */
export async function passCheckpoint(hash: Hash, draft: RoomDraft, base: Bytes | null): Promise<void> {
  const { t, provisional } = draft.core;
  draft.apply(
    set({
      t: await transcriptCheckpoint(hash, t, base),
      provisional: Math.max(0, provisional - 1),
    }),
  );
}

/** What of the key of an epoch is about its beginning, once its checkpoint was passed. */
export function beginningOf({ core }: RoomSnapshot): Pick<EpochKey, 't'> {
  return { t: core.provisional > 0 ? null : core.t };
}

/**
 * Compares the owner's T where the epoch before began with the one here. `differed`: the one here, where it is another;
 * what is sealed in the new epoch carries it.
 */
export function compareBase(
  snapshot: RoomSnapshot,
  { owner, newEpoch, base, signedAt }: Body<'rotation'>,
): { readonly items: readonly StoredItem[]; readonly differed?: Bytes } {
  const before = snapshot.key(newEpoch - 1);
  const known = before?.t ?? null;
  if (before === null || known === null) return { items: [] };
  if (base !== null && equalBytes(transcriptHash(known), base)) return { items: [] };
  // Signed before its owner knew of a loss which moved that beginning, or behind which it does not know its own T.
  const moved = snapshot.core.starts.some(
    ({ position, time }) => position.s < before.floor.s && signedAt <= time + LOSS_KNOWN_WITHIN_MS,
  );
  if (moved) return { items: [] };
  const { s } = snapshot.core.position;
  return {
    items: [alarm(ALARM_CODES.ALARM_FORK, owner, { position: s })],
    differed: transcriptHash(known),
  };
}

/**
 * Any new rotation is the one that a loss had called for. When it was: as its owner signed it, since whoever waits for the
 * next one is that owner, and the relay's times are the relay's word.
 */
export function afterLoss(
  { tookRotation = null }: RoomCore,
  { signedAt }: Body<'rotation'>,
): Partial<RoomCore> {
  return tookRotation === null ? {} : { tookRotation: null, freshAfterLoss: signedAt };
}
