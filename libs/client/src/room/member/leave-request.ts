/** Leaving a room (docs/protocol.md section 4): a signed request, stored first, sent until the log holds it. */
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { set } from '../state/changes.js';

export class LeaveRequest implements Part {
  readonly #room: RoomHandle;
  /** the requests that were sent in this session: what they do is read back from the log */
  #sent = new Set<Bytes>();

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  /** Resolves once the request is stored. Asking twice changes nothing. */
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
      // One who is not served any more learns why when it opens.
      refused: (code) => {
        sent.add(request);
        return code === ERROR_CODES.FORBIDDEN ? 'settled' : 'unexpected';
      },
    });
  }
}
