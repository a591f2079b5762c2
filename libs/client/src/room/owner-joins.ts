/**
 * The owner's side of invites and joins (docs/protocol.md section 5): what the relay hands
 * on is checked against the invite's own record, and nothing is answered that does not
 * prove the token of a live invite (G2).
 */
import { equalBytes, ERROR_CODES, type EventBody, type InviteId } from '@0fc/protocol';
import { createInvite, openJoinConfirm, openJoinRequest } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../errors.js';
import type { RoomHandle } from './handle.js';
import { system } from './items.js';
import type { OwnerInvite } from './records.js';

const REFUSED_KEPT = 1_000;
/** How long the relay has, in a session, to tell of a confirmation that it took in time. */
const TELL_MS = 10_000;

export interface JoinEvents {
  /** something may be due: a reply, an admit, a drop */
  decided(): void;
  /** the relay has lost the reply of this invite */
  resend(invite: OwnerInvite): void;
}

export class OwnerJoins {
  readonly #room: RoomHandle;
  readonly #events: JoinEvents;
  /** invites nobody here knows, refused once each (W1) */
  readonly #refused = new Set<string>();
  /** invites of whose join the relay has told in this session, as far as it has come */
  #heard = new Set<string>();
  /** the last claim of each invite that came while one before it was still being dropped */
  readonly #next = new Map<InviteId, EventBody<'join'>>();
  #since = 0;

  constructor(room: RoomHandle, events: JoinEvents) {
    this.#room = room;
    this.#events = events;
  }

  newSession(): void {
    this.#heard = new Set();
    this.#next.clear();
    this.#since = this.#room.platform.crypto.clock.now();
  }

  /** Registers an invite; its secrets are in the vault before the relay hears of it. */
  async invite(
    lifetimeMs: number,
  ): Promise<{ readonly inviteId: InviteId; readonly fragment: string; readonly expires: number }> {
    const { state, serial, platform, connection } = this.#room;
    if (!this.#room.state.isOwner) throw new ClientError(ERROR_CODES.NOT_OWNER);
    const made = platform.crypto.clock.now();
    const expires = made + lifetimeMs;
    const { core } = state;
    const ownerKey = core.identity.publicKey;
    const relayKeyHash = await platform.crypto.hash.sha256(this.#room.relayKey);
    const invite = await createInvite(platform.crypto, {
      roomId: core.roomId,
      ownerKey,
      relayKeyHash,
      expires,
    });
    const { inviteId } = invite;
    await serial.run(async () => {
      state.putInvite({
        inviteId, made, expires, pair: invite.keyPair, token: invite.token, stage: 'open', joiner: null, approved: false,
        replies: [], repliedAt: null, dropReason: null,
      }); // prettier-ignore
      await this.#room.commit();
    });
    try {
      await connection.request('invite', { inviteId, expires });
    } catch (error) {
      await serial.run(async () => {
        state.dropInvite(inviteId);
        await this.#room.commit();
      });
      throw error;
    }
    return { inviteId, fragment: invite.fragment, expires };
  }

  /** A join as the relay holds it. Whatever it says is checked against the invite's own record. */
  onJoin(join: EventBody<'join'>): void {
    const { serial } = this.#room;
    void serial
      .run(() => this.#takeJoin(join))
      .then(
        () => {
          this.#events.decided();
        },
        (error: unknown) => {
          this.#room.halt(failureOf(error));
        },
      );
  }

  async #takeJoin(join: EventBody<'join'>): Promise<void> {
    const { state } = this.#room;
    if (!state.isOwner || state.core.stage !== 'member') return;
    this.#heard.add(join.inviteId);
    const invite = state.invites.get(join.inviteId);
    if (invite === undefined) {
      this.#refuseUnknown(join.inviteId);
      return;
    }
    if (invite.stage === 'dropping') this.#next.set(join.inviteId, join);
    else if (invite.stage === 'open') await this.#openRequest(invite, join);
    else if (invite.joiner !== null && equalBytes(invite.joiner.key, join.joinerKey)) {
      if (invite.stage === 'replied' && join.confirm !== undefined)
        await this.#takeConfirm(invite, join.confirm, join.confirmedAt ?? 0);
      else if (invite.stage === 'replied' && join.replied === 0) this.#events.resend(invite);
    }
  }

  /** A drop is done: whoever claimed the invite meanwhile is heard now. */
  dropped(inviteId: InviteId): void {
    const join = this.#next.get(inviteId);
    this.#next.delete(inviteId);
    if (join !== undefined) this.onJoin(join);
  }

  #refuseUnknown(inviteId: InviteId): void {
    if (this.#refused.has(inviteId)) return;
    // A relay may invent as many as it likes: they are refused again rather than remembered without end.
    if (this.#refused.size >= REFUSED_KEPT) this.#refused.clear();
    this.#refused.add(inviteId);
    this.#room.connection
      .request('joinDrop', { inviteId, release: false, reason: 'other' })
      .catch((error: unknown) => {
        // Nothing was given away by silence either; it is refused again when the relay asks again.
        if (ClientError.from(error).code === ERROR_CODES.OFFLINE) this.#refused.delete(inviteId);
      });
  }

  async #openRequest(invite: OwnerInvite, join: EventBody<'join'>): Promise<void> {
    const { state, platform } = this.#room;
    if (invite.expires < platform.crypto.clock.now()) {
      this.markDropped(invite, 'expired');
    } else if (invite.pair !== null && invite.token !== null) {
      const { core } = state;
      try {
        const opened = await openJoinRequest(platform.crypto, {
          roomId: core.roomId, inviteId: invite.inviteId, ownerKey: core.identity.publicKey, token: invite.token,
          inviteKeyPair: invite.pair, joinerKey: join.joinerKey, payload: join.request,
        }); // prettier-ignore
        const joiner = {
          key: join.joinerKey, name: opened.name, joinKey: opened.joinKey, prekey: opened.prekeyContainer, request: join.request,
        }; // prettier-ignore
        state.putInvite({ ...invite, stage: 'asked', joiner });
      } catch (error) {
        if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
        this.markDropped(invite, 'badProof');
      }
    }
    await this.#room.commit();
  }

  async #takeConfirm(
    invite: OwnerInvite,
    confirm: { readonly epoch: number; readonly payload: Uint8Array },
    receivedAt: number,
  ): Promise<void> {
    const { state, platform } = this.#room;
    if (receivedAt > this.deadline(invite)) {
      this.markDropped(invite, 'expired');
      await this.#room.commit();
      return;
    }
    const roomKey = state.key(confirm.epoch)?.key ?? null;
    const replies = invite.replies
      .filter((reply) => reply.epoch === confirm.epoch)
      .map((reply) => reply.payload);
    try {
      if (roomKey === null || invite.joiner === null) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
      await openJoinConfirm(platform.crypto.hash, {
        joinerKey: invite.joiner.key, roomId: state.core.roomId, epoch: confirm.epoch, roomKey, payload: confirm.payload,
        request: invite.joiner.request, replies,
      }); // prettier-ignore
      state.putInvite({ ...invite, stage: 'confirmed' });
    } catch (error) {
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
      this.markDropped(invite, 'badConfirm');
    }
    await this.#room.commit();
  }

  /** Marks a join to be dropped; the owner's pump tells the relay and rotates where it must. */
  markDropped(invite: OwnerInvite, reason: NonNullable<OwnerInvite['dropReason']>): void {
    const { state, platform } = this.#room;
    state.putInvite({ ...invite, stage: 'dropping', dropReason: reason });
    if (reason === 'declined' || reason === 'revoked') return;
    state.append(null, platform.crypto.clock.now(), [
      system('inviteRefused', { text: invite.joiner?.name ?? '' }),
    ]);
  }

  /** Until when a reply may be confirmed, Unix ms; later than any time where there is none. */
  deadline({ stage, repliedAt }: OwnerInvite): number {
    if (stage !== 'replied' || repliedAt === null) return Infinity;
    return repliedAt + this.#room.state.roster.settings.joinDeadline;
  }

  /**
   * When an answered join that is not confirmed ends, Unix ms: at its deadline, but not before the relay
   * has told of it. What was confirmed in time waits for its owner, however long that is away.
   */
  endsAt(invite: OwnerInvite): number {
    const told = this.#heard.has(invite.inviteId) ? 0 : this.#since + TELL_MS;
    return Math.max(this.deadline(invite), told);
  }

  /** Answered, and neither confirmed nor dropped within the room's deadline. */
  overdue(invite: OwnerInvite): boolean {
    return this.#room.platform.crypto.clock.now() > this.endsAt(invite);
  }
}
