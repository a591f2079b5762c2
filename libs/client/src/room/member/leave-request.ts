/**
 * Leaving a room (docs/protocol.md section 4): a signed leave request, stored first, and sent until the log holds it.
 * A hand-over that this member takes part in comes first (docs/decisions/0026).
 */
import { decodeBody, ERROR_CODES, ROSTER_KINDS, type Bytes } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { containerBody } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { set, type RoomSnapshot } from '../state/draft.js';

export class LeaveRequest implements Part {
  readonly #room: RoomHandle;
  /** requests that were sent in this session; their effect is read back from the log */
  #sent = new Set<Bytes>();

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  /** Resolves once the request is stored. Idempotent. */
  async leave(): Promise<void> {
    await this.#room.write((draft) => {
      const { core, roster } = draft;
      const me = roster.members.get(core.me);
      if (core.stage !== 'member' || me === undefined) throw new ClientError(ERROR_CODES.NOT_MEMBER);
      if (draft.isOwner) throw new ClientError(ERROR_CODES.OWNER_MUST_HAND_OVER);
      if (core.leaveRequest !== null) return;
      const fields = { roomId: core.roomId, member: core.me, admit: me.admit };
      const leaveRequest = signBody(core.identity, 'leaveRequest', fields);
      // An acceptance stands until a transfer or a rotation is read: whoever holds it may use it.
      draft.apply(set(hasAccepted(draft) ? { leaveRequest } : { leaveRequest, ownershipTransfer: null }));
    });
    this.#room.signal();
  }

  newSession(): void {
    this.#sent = new Set();
  }

  next(): Promise<Due | null> {
    const { state } = this.#room;
    const { leaveRequest: request, stage } = state.core;
    if (state.isOwner || hasAccepted(state) || hasJustHandedOver(state)) return Promise.resolve(null);
    const sent = this.#sent;
    if (stage !== 'member' || request === null || sent.has(request)) return Promise.resolve(null);
    return Promise.resolve({
      kind: 'leaveRequest',
      body: { request },
      done: () => {
        sent.add(request);
      },
      // A departed member learns the reason when it opens the log.
      refused: (code) => {
        sent.add(request);
        return code === ERROR_CODES.FORBIDDEN ? 'settled' : 'unexpected';
      },
    });
  }
}

/** Whether this member is about to own the room. A leaver is gone once it reads its request, and nobody could act. */
const hasAccepted = ({ core, isOwner }: RoomSnapshot): boolean =>
  !isOwner && core.ownershipTransfer !== null && core.ownershipTransfer.acceptance !== null;

/**
 * Whether the transfer by this member is the last thing that it has read. The new owner may not know of it; after a loss
 * nobody else could bring it back. The new owner's first rotation proves that it holds it.
 */
function hasJustHandedOver({ core, chain }: RoomSnapshot): boolean {
  const last = chain.get(chain.size - 1);
  if (last === undefined) return false;
  const signed = decodeBody(containerBody(last), ...ROSTER_KINDS);
  return signed.kind === 'transfer' && signed.body.owner === core.me && signed.body.epoch === core.epoch;
}
