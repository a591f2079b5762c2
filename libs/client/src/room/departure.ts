/** Leaving a room (docs/protocol.md section 4): a signed request, stored first, sent until the log holds it. */
import { ERROR_CODES } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../errors.js';
import type { RoomHandle } from './handle.js';
import { isPassing } from './passing.js';
import { Pump } from './pump.js';

export class Departure {
  readonly #room: RoomHandle;
  readonly #pump = new Pump(() => this.#send());

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  /** Resolves once the request is stored. Asking twice changes nothing. */
  async leave(): Promise<void> {
    const { state, serial } = this.#room;
    await serial.run(async () => {
      const { core, roster } = state;
      const me = roster.members.get(core.me);
      if (core.stage !== 'member' || me === undefined) throw new ClientError(ERROR_CODES.NOT_MEMBER);
      if (state.isOwner) throw new ClientError(ERROR_CODES.OWNER_MUST_HAND_OVER);
      if (core.leaveRequest !== null) return;
      const fields = { roomId: core.roomId, member: core.me, admit: me.admit };
      core.leaveRequest = signBody(core.identity, 'leaveRequest', fields);
      core.handOver = null;
      await this.#room.commit();
    });
    this.pump();
  }

  pump(): void {
    const { state, live } = this.#room;
    if (live && state.core.stage === 'member' && state.core.leaveRequest !== null) this.#pump.wake();
  }

  async #send(): Promise<void> {
    const { state, connection } = this.#room;
    const request = state.core.leaveRequest;
    if (request === null || !this.#room.live) return;
    try {
      // What it does is read back from the log: only then has this member left.
      await connection.request('leaveRequest', { request });
    } catch (error) {
      const { code } = ClientError.from(error);
      // The next session sends it again. One who is not served any more learns why when it opens.
      if (code === ERROR_CODES.OFFLINE || code === ERROR_CODES.FORBIDDEN || isPassing(code)) return;
      this.#room.halt(failureOf(error));
    }
  }
}
