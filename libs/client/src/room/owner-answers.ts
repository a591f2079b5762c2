/** The owner's answers to joins (docs/protocol.md section 5): replies, drops, and the deadline between. */
import { ERROR_CODES, type ErrorCode, type InviteId } from '@0fc/protocol';
import { ClientError } from '../errors.js';
import type { RoomHandle } from './handle.js';
import type { OwnerJoins } from './owner-joins.js';
import { makeReply } from './owner-make.js';
import { dropInvite, putInvite, set } from './state/changes.js';
import type { OwnerInvite } from './state/records.js';

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
    const { connection } = this.#room;
    const { inviteId, dropReason } = invite;
    const release = dropReason === 'badProof';
    try {
      if (dropReason === 'revoked') await connection.request('revoke', { inviteId });
      else await connection.request('joinDrop', { inviteId, release, reason: dropReason ?? 'other' });
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.INVITE_UNKNOWN) throw error;
    }
    await this.#room.write((draft) => {
      const known = draft.invites.get(inviteId);
      if (known?.stage !== 'dropping') return;
      if (known.replies.length > 0) draft.apply(set({ rotationWanted: true }));
      if (release && known.dropReason === 'badProof')
        draft.apply(putInvite({ ...known, stage: 'open', joiner: null, dropReason: null }));
      else draft.apply(dropInvite(inviteId));
    });
    this.#joins.dropped(inviteId);
  }

  /** Section 5.5: burnt and stored, with the reply, before anything is answered. */
  async burn(inviteId: InviteId): Promise<void> {
    const { hash, clock } = this.#room.platform.crypto;
    const burnt = await this.#room.write(async (draft) => {
      // Read in the turn that burns it: it may have been revoked while the vault was being written.
      const invite = draft.invites.get(inviteId);
      if (invite?.stage !== 'asked') return null;
      const replies = [await makeReply(hash, draft, invite)];
      const made: OwnerInvite = { ...invite, pair: null, stage: 'replied', replies, repliedAt: clock.now() };
      draft.apply(putInvite(made));
      return made;
    });
    if (burnt !== null) await this.reply(burnt);
  }

  /** Sends the newest reply of a join that was answered. Idempotent. */
  async reply(invite: OwnerInvite): Promise<void> {
    const { platform, connection } = this.#room;
    const reply = invite.replies.at(-1);
    if (reply === undefined) return;
    try {
      await connection.request('joinReply', { inviteId: invite.inviteId, ...reply });
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code !== ERROR_CODES.INVITE_UNKNOWN && !MOVED.includes(code)) throw error;
      await this.#room.write(async (draft) => {
        const known = draft.invites.get(invite.inviteId);
        if (known?.stage !== 'replied') return;
        if (code === ERROR_CODES.INVITE_UNKNOWN) this.#joins.markDropped(draft, invite.inviteId, 'other');
        else if (reply.epoch !== draft.core.epoch) {
          // The epoch moved: a fresh reply beside the old one, whose confirm still counts.
          const fresh = await makeReply(platform.crypto.hash, draft, known);
          draft.apply(putInvite({ ...known, replies: [...known.replies, fresh] }));
        }
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
