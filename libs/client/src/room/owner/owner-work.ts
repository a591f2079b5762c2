/** What an owner's client signs next, as a value, and the command that it becomes (docs/protocol.md section 4). */
import type { Ports as CryptoPorts } from '@0fc/crypto/keys';
import type { Bytes, ErrorCode, InviteId, MemberId, RoomSettings } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import type { OwnerInvite, PendingCommand } from '../../vault/records.js';
import type { RoomDraft } from '../state/draft.js';
import {
  makeAdmit, makeDeparture, makeEntry, makeRotationCommand, type Offered,
} from './owner-commands.js'; // prettier-ignore

export type Work =
  | {
      readonly kind: 'rotate';
      /** due by its count alone: nobody reads on who should not */
      readonly mayWait?: boolean;
    }
  | { readonly kind: 'leave'; readonly member: MemberId; readonly request: Bytes }
  | { readonly kind: 'remove'; readonly member: MemberId }
  | { readonly kind: 'admit'; readonly invite: OwnerInvite }
  | { readonly kind: 'settings'; readonly settings: RoomSettings }
  | { readonly kind: 'transfer'; readonly to: MemberId; readonly acceptance: Bytes }
  | { readonly kind: 'close' };

export const mayWait = (work: Work): boolean => work.kind === 'rotate' && work.mayWait === true;

/** Work that makes a new key, for the newest prekey of every member. */
export const needsPrekeys = ({ kind }: Work): boolean =>
  kind === 'rotate' || kind === 'leave' || kind === 'remove';

/** Codes of an admit that every client would refuse: the join ends, and nothing is signed. */
const UNADMITTABLE: readonly ErrorCode[] = [
  'ROOM_FULL', 'WAS_MEMBER', 'ALREADY_MEMBER', 'BAD_ENTRY', 'BAD_KEY', 'BAD_SIGNATURE',
]; // prettier-ignore

/**
 * The command of this work; null: there is none, since every client would refuse it. `drop`: called with the invite of an
 * admission that ends so.
 */
export async function makeCommand(
  crypto: CryptoPorts,
  draft: RoomDraft,
  work: Work,
  prekeys: Offered,
  drop: (inviteId: InviteId) => void,
): Promise<PendingCommand | null> {
  switch (work.kind) {
    case 'rotate':
      return makeRotationCommand(crypto, draft, prekeys);
    case 'leave':
    case 'remove':
      return makeDeparture(crypto, draft, work, prekeys);
    case 'admit':
      try {
        return await makeAdmit(crypto.hash, draft, work.invite);
      } catch (error) {
        const { code } = ClientError.from(error);
        if (!UNADMITTABLE.includes(code)) throw error;
        // The joiner holds a key: its invite is used up, also where only a place is missing.
        drop(work.invite.inviteId);
        return null;
      }
    default:
      return makeEntry(crypto.hash, draft, work);
  }
}
