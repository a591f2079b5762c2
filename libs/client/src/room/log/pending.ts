/** The owner's one command in flight (docs/protocol.md section 4): stored first, repeated byte for byte. */
import { decodeBody, equalBytes, type Bytes } from '@0fc/protocol';
import { bodyHash, containerBody, type Hash } from '@0fc/crypto/verify';
import { set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { PendingCommand } from '../../vault/records.js';

/** Clears the command once its last part has been read back from the log. */
export function settlePending(draft: RoomDraft, entry: Bytes | null, clear: Bytes | null): void {
  const { pending } = draft.core;
  if (pending === null) return;
  const done =
    pending.rotation === null
      ? entry !== null && pending.entry !== null && equalBytes(pending.entry, entry)
      : clear !== null && equalBytes(pending.rotation.clear, clear);
  if (done) draft.apply(set({ pending: null }));
}

/**
 * True: by what this client has verified, the command can no longer be applied: its head or epoch has passed, or
 * another member owns the room. The word of the relay alone never voids a command, nor does a leave request of the next
 * owner: a second entry on the same head would be proof against the owner.
 */
export async function isVoid(hash: Hash, snapshot: RoomSnapshot, pending: PendingCommand): Promise<boolean> {
  const { core, roster } = snapshot;
  if (!snapshot.isOwner || core.stage !== 'member') return true;
  if (pending.candidate !== null && pending.candidate.epoch <= core.epoch) return true;
  if (pending.entry === null) {
    if (pending.rotation === null) return true;
    const { head } = decodeBody(containerBody(pending.rotation.clear), 'rotation').body;
    return !equalBytes(head, roster.head);
  }
  if (snapshot.chainIndex(await bodyHash(hash, pending.entry)) !== null) return pending.rotation === null;
  const { body } = decodeBody(
    containerBody(pending.entry),
    'admit', 'remove', 'leave', 'transfer', 'settings', 'close',
  ); // prettier-ignore
  return body.epoch !== core.epoch || !equalBytes(body.head, roster.head);
}
