/**
 * Leaving a room (docs/protocol.md section 4): a signed leave request, stored first, and sent until the log holds it.
 */
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { set } from '../state/draft.js';

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
      draft.apply(set({ leaveRequest: signBody(core.identity, 'leaveRequest', fields), handOver: null }));
    });
    this.#room.signal();
  }

  newSession(): void {
    this.#sent = new Set();
  }

  next(): Promise<Due | null> {
    const { leaveRequest: request, stage } = this.#room.state.core;
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
