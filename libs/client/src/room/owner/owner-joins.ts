/**
 * The owner's side of invites and joins (docs/protocol.md section 5). Joins that the relay forwards are checked
 * against the stored invite, and only a proof of the token of a live invite is answered (G2).
 */
import { equalBytes, ERROR_CODES, type EventBody, type InviteId } from '@0fc/protocol';
import { openJoinConfirm, openJoinRequest } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../../contract/errors.js';
import type { RoomHandle } from '../outgoing/part.js';
import { BAD_PROOFS, dropping } from './invite-stages.js';
import { system } from '../log/items.js';
import { append, putInvite, replaceItems, type RoomDraft } from '../state/draft.js';
import type { OwnerInvite } from '../../vault/records.js';

/** How long the relay has, in a session, to report a confirmation that it received in time, in milliseconds. */
const TELL_MS = 10_000;

export interface JoinEvents {
  /** a reply, an admit or a drop may be due */
  decided(): void;
  /** the relay has lost the reply of this invite */
  replyAgain(inviteId: InviteId): void;
  /** the relay has an invite that this client does not know */
  refuse(inviteId: InviteId): void;
}

export class OwnerJoins {
  readonly #room: RoomHandle;
  readonly #events: JoinEvents;
  /** invites whose join the relay has reported in this session, with its state */
  #announced = new Set<string>();
  /** the last claim of each invite that arrived while an earlier one was still being dropped */
  readonly #next = new Map<InviteId, EventBody<'join'>>();
  #since = 0;

  constructor(room: RoomHandle, events: JoinEvents) {
    this.#room = room;
    this.#events = events;
  }

  newSession(): void {
    this.#announced = new Set();
    this.#next.clear();
    this.#since = this.#room.platform.crypto.clock.now();
  }

  /** Handles a join that the relay reports. It is checked against the stored invite. */
  onJoin(join: EventBody<'join'>): void {
    void this.#room
      .write((draft) => this.#applyJoin(draft, join))
      .then(
        () => {
          this.#events.decided();
        },
        (error: unknown) => {
          this.#room.halt(failureOf(error));
        },
      );
  }

  async #applyJoin(draft: RoomDraft, join: EventBody<'join'>): Promise<void> {
    if (!draft.isOwner || draft.core.stage !== 'member') return;
    this.#announced.add(join.inviteId);
    const invite = draft.invites.get(join.inviteId);
    if (invite === undefined) {
      this.#events.refuse(join.inviteId);
      return;
    }
    if (invite.stage === 'dropping') this.#next.set(join.inviteId, join);
    else if (invite.stage === 'open') await this.#openRequest(draft, invite, join);
    else if (invite.joiner !== null && equalBytes(invite.joiner.key, join.joinerKey)) {
      if (invite.stage === 'replied' && join.confirm !== undefined)
        await this.#applyConfirm(draft, invite, join.confirm, join.confirmedAt ?? 0);
      else if (invite.stage === 'replied' && join.replied === 0) this.#events.replyAgain(invite.inviteId);
    }
  }

  /** A drop is done: handles a claim of the same invite that arrived meanwhile. */
  dropped(inviteId: InviteId): void {
    const join = this.#next.get(inviteId);
    this.#next.delete(inviteId);
    if (join !== undefined) this.onJoin(join);
  }

  async #openRequest(draft: RoomDraft, invite: OwnerInvite, join: EventBody<'join'>): Promise<void> {
    const { platform } = this.#room;
    if (invite.expires < platform.crypto.clock.now()) {
      this.markDropped(draft, invite.inviteId, 'expired');
    } else if (invite.pair !== null && invite.token !== null) {
      const { core } = draft;
      try {
        const opened = await openJoinRequest(platform.crypto, {
          roomId: core.roomId, inviteId: invite.inviteId, ownerKey: core.identity.publicKey, token: invite.token,
          inviteKeyPair: invite.pair, joinerKey: join.joinerKey, payload: join.request,
        }); // prettier-ignore
        const joiner = {
          key: join.joinerKey, name: opened.name, joinKey: opened.joinKey, prekey: opened.prekey, ek: opened.ek,
          request: join.request,
        }; // prettier-ignore
        // Decided here: a change of the settings holds for later requests.
        const approved = !draft.roster.settings.approval && core.tasks.settings?.approval !== true;
        draft.apply(putInvite({ ...invite, stage: 'asked', joiner, approved }));
      } catch (error) {
        const { code } = ClientError.from(error);
        if (code === ERROR_CODES.INTERNAL) throw error;
        const altered = code === ERROR_CODES.INVITE_ALTERED;
        this.markDropped(draft, invite.inviteId, altered ? 'altered' : 'badProof');
      }
    }
  }

  async #applyConfirm(
    draft: RoomDraft,
    invite: OwnerInvite,
    confirm: { readonly epoch: number; readonly payload: Uint8Array },
    receivedAt: number,
  ): Promise<void> {
    const { platform } = this.#room;
    if (receivedAt > this.deadline(invite)) {
      this.markDropped(draft, invite.inviteId, 'expired');
      return;
    }
    const roomKey = draft.key(confirm.epoch)?.key ?? null;
    const replies = invite.replies
      .filter((reply) => reply.epoch === confirm.epoch)
      .map((reply) => reply.payload);
    try {
      if (roomKey === null || invite.joiner === null) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
      await openJoinConfirm(platform.crypto.hash, {
        joinerKey: invite.joiner.key, roomId: draft.core.roomId, epoch: confirm.epoch, roomKey, payload: confirm.payload,
        request: invite.joiner.request, replies,
      }); // prettier-ignore
      draft.apply(putInvite({ ...invite, stage: 'confirmed' }));
    } catch (error) {
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
      this.markDropped(draft, invite.inviteId, 'badConfirm');
    }
  }

  /** Marks a join to be dropped; the next requests of the owner drop it at the relay, and rotate where needed. */
  markDropped(draft: RoomDraft, inviteId: InviteId, reason: NonNullable<OwnerInvite['dropReason']>): void {
    const invite = draft.invites.get(inviteId);
    if (invite === undefined || invite.stage === 'dropping') return;
    const shown = this.#shown(draft, invite, reason);
    draft.apply(putInvite(dropping(shown, reason)));
  }

  /** A holder of the link can cause one line of each kind per invite, however often it tries. */
  #shown(draft: RoomDraft, invite: OwnerInvite, reason: NonNullable<OwnerInvite['dropReason']>): OwnerInvite {
    const text = invite.joiner?.name ?? '';
    const now = this.#room.platform.crypto.clock.now();
    switch (reason) {
      case 'declined':
      case 'revoked':
        return invite;
      case 'full': {
        if (invite.fullShown === true) return invite;
        const members = draft.roster.settings.maxMembers;
        draft.apply(append(null, now, [system('inviteFull', { text, numbers: { members } })]));
        return { ...invite, fullShown: true };
      }
      case 'badProof':
        return countBadProof(draft, invite, now);
      case 'altered':
        draft.apply(append(null, now, [system('inviteAltered')]));
        return invite;
      default:
        draft.apply(
          append(null, now, [system(invite.replies.length > 0 ? 'joinEnded' : 'inviteRefused', { text })]),
        );
        return invite;
    }
  }

  /** Until when a reply may be confirmed, Unix ms; later than any time where there is none. */
  deadline({ stage, repliedAt }: OwnerInvite): number {
    if (stage !== 'replied' || repliedAt === null) return Infinity;
    return repliedAt + this.#room.state.roster.settings.joinDeadline;
  }

  /**
   * When an answered join without confirmation ends, Unix ms: at its deadline, but not before the relay has reported
   * on it in this session. A confirmation in time waits for its owner without limit.
   */
  endsAt(invite: OwnerInvite): number {
    const announcedBy = this.#announced.has(invite.inviteId) ? 0 : this.#since + TELL_MS;
    return Math.max(this.deadline(invite), announcedBy);
  }

  /** Answered, and neither confirmed nor dropped within the room's deadline. */
  overdue(invite: OwnerInvite): boolean {
    return this.#room.platform.crypto.clock.now() > this.endsAt(invite);
  }
}

function countBadProof(draft: RoomDraft, invite: OwnerInvite, now: number): OwnerInvite {
  const { badProofs } = invite;
  const times = (badProofs?.times ?? 0) + 1;
  const item = system(times < BAD_PROOFS ? 'inviteRefused' : 'inviteBurnt', { numbers: { tries: times } });
  const line = badProofs?.line ?? draft.core.nextIndex;
  draft.apply(badProofs === undefined ? append(null, now, [item]) : replaceItems(line, [item]));
  return { ...invite, badProofs: { times, line } };
}
