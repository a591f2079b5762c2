/** The owner's answers to joins (docs/protocol.md section 5): replies, drops, and the deadline between. */
import { ERROR_CODES, type ErrorCode } from '@0fc/protocol';
import { ClientError, failureOf } from '../errors.js';
import type { RoomHandle } from './handle.js';
import type { OwnerJoins } from './owner-joins.js';
import { makeReply } from './owner-make.js';
import { isPassing } from './passing.js';
import type { OwnerInvite } from './records.js';

const MOVED: readonly ErrorCode[] = ['STALE_EPOCH', 'EPOCH_AHEAD'];

export class OwnerAnswers {
  readonly #room: RoomHandle;
  readonly #joins: OwnerJoins;

  constructor(room: RoomHandle, joins: OwnerJoins) {
    this.#room = room;
    this.#joins = joins;
  }

  /** Tells the relay that a join is over; who was answered holds the key, so that a rotation follows (G2). */
  async drop(invite: OwnerInvite): Promise<void> {
    const { state, serial, connection } = this.#room;
    const { inviteId, dropReason } = invite;
    const release = dropReason === 'badProof';
    try {
      if (dropReason === 'revoked') await connection.request('revoke', { inviteId });
      else await connection.request('joinDrop', { inviteId, release, reason: dropReason ?? 'other' });
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.INVITE_UNKNOWN) throw error;
    }
    await serial.run(async () => {
      if (state.invites.get(inviteId)?.stage !== 'dropping') return;
      if (invite.replies.length > 0) state.core.rotationWanted = true;
      if (release) state.putInvite({ ...invite, stage: 'open', joiner: null, dropReason: null });
      else state.dropInvite(inviteId);
      await this.#room.commit();
    });
    this.#joins.dropped(inviteId);
  }

  /** Section 5.5: burnt and stored, with the reply, before anything is answered. */
  async burn(invite: OwnerInvite): Promise<void> {
    const { state, serial, platform } = this.#room;
    const burnt = await serial.run(async () => {
      const made: OwnerInvite = {
        ...invite, pair: null, stage: 'replied', replies: [await makeReply(this.#room, invite)],
        repliedAt: platform.crypto.clock.now(),
      }; // prettier-ignore
      state.putInvite(made);
      await this.#room.commit();
      return made;
    });
    await this.#reply(burnt);
  }

  /** The relay has lost the reply: it is told again. */
  resend(invite: OwnerInvite): void {
    this.#reply(invite).catch((error: unknown) => {
      const { code } = ClientError.from(error);
      // Who may not answer any more has handed the room over meanwhile, and the join has gone with it.
      const unheard = code === ERROR_CODES.OFFLINE || code === ERROR_CODES.FORBIDDEN || isPassing(code);
      if (!unheard) this.#room.halt(failureOf(error));
    });
  }

  async #reply(invite: OwnerInvite): Promise<void> {
    const { state, serial, connection } = this.#room;
    const reply = invite.replies.at(-1);
    if (reply === undefined) return;
    try {
      await connection.request('joinReply', { inviteId: invite.inviteId, ...reply });
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code !== ERROR_CODES.INVITE_UNKNOWN && !MOVED.includes(code)) throw error;
      await serial.run(async () => {
        if (code === ERROR_CODES.INVITE_UNKNOWN) this.#joins.markDropped(invite, 'other');
        else if (reply.epoch !== state.core.epoch) {
          // The epoch moved: a fresh reply beside the old one, whose confirm still counts.
          const fresh = await makeReply(this.#room, invite);
          state.putInvite({ ...invite, replies: [...invite.replies, fresh] });
        }
        await this.#room.commit();
      });
      if (MOVED.includes(code)) this.#room.catchUp();
    }
  }

  /** When the next unconfirmed join is overdue: milliseconds from now, null for none. */
  nextDeadline(): number | null {
    const { state, platform } = this.#room;
    const deadlines = [...state.invites.values()]
      .map((invite) => this.#joins.endsAt(invite))
      .filter((end) => end !== Infinity);
    if (deadlines.length === 0) return null;
    return Math.max(0, Math.min(...deadlines) - platform.crypto.clock.now()) + 1;
  }
}
