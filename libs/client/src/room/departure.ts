/** Leaving a room (docs/protocol.md section 4): a signed request, stored first, sent until the log holds it. */
import { ERROR_CODES, type Bytes, type ErrorCode } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import type { RoomHandle } from './handle.js';
import type { Part } from './outgoing/outgoing.js';
import { set } from './state/changes.js';

export class Departure implements Part {
  readonly #room: RoomHandle;
  /** the request that was sent in this session: what it does is read back from the log */
  #sent: Bytes | null = null;

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
    this.#sent = null;
  }

  async step(): Promise<boolean> {
    const { state, connection } = this.#room;
    const { leaveRequest: request, stage } = state.core;
    if (stage !== 'member' || request === null || this.#sent === request) return false;
    await connection.request('leaveRequest', { request });
    this.#sent = request;
    return true;
  }

  /** One who is not served any more learns why when it opens. */
  refused(code: ErrorCode): boolean {
    this.#sent = this.#room.state.core.leaveRequest;
    return code === ERROR_CODES.FORBIDDEN;
  }
}
