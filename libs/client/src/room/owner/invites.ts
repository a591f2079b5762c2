/**
 * Requests of the owner on invites and joins (docs/protocol.md section 5): registrations, revocations, replies and
 * drops. They have a lane of their own, so that a refused one holds no removal up.
 */
import { ERROR_CODES, type ErrorCode, type InviteId } from '@0fc/protocol';
import { createInvite } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, RefusalOutcome, Later, Part } from '../outgoing/part.js';
import { holdsKey, isFull, staysOpen } from './invite-stages.js';
import type { OwnerJoins } from './owner-joins.js';
import { makeReply } from './owner-commands.js';
import type { RelayLimits } from './relay-limits.js';
import { dropInvite, putInvite, set } from '../state/draft.js';
import type { OwnerInvite } from '../../vault/records.js';

const REFUSED_KEPT = 1_000;

export class OwnerInvites implements Part {
  readonly #room: RoomHandle;
  readonly #joins: OwnerJoins;
  readonly #limits: RelayLimits;
  readonly #busy: () => boolean;
  /** invites that were registered in this session: the relay's store may have lost them */
  #registered = new Set<InviteId>();
  /** invites beyond the limit of the relay: registered again once another one has ended */
  #beyond = new Set<InviteId>();
  /** invites whose join reply the relay has not received, or has lost */
  readonly #unanswered = new Set<InviteId>();
  /** invites that are being created, and the refusal of the relay for each */
  readonly #making = new Map<InviteId, ErrorCode | null>();
  /** unknown invites that this client refuses once each (W1), and whether the relay has accepted that */
  readonly #refused = new Map<InviteId, boolean>();

  /** `busy`: whether the owner has work that precedes new joins */
  constructor(room: RoomHandle, joins: OwnerJoins, limits: RelayLimits, busy: () => boolean) {
    this.#room = room;
    this.#joins = joins;
    this.#limits = limits;
    this.#busy = busy;
  }

  newSession(): void {
    this.#registered = new Set();
    this.#beyond = new Set();
  }

  /**
   * Creates an invite; its secrets are stored before the relay receives it. Resolves once the relay has registered it
   * or, where that takes longer, once it is stored to be registered: its joiner retries until then. Rejects with
   * NOT_OWNER, and with the refusal of the relay, without an invite.
   */
  async invite(
    lifetimeMs: number,
  ): Promise<{ readonly inviteId: InviteId; readonly fragment: string; readonly expires: number }> {
    const { state, platform } = this.#room;
    if (!state.isOwner) throw new ClientError(ERROR_CODES.NOT_OWNER);
    const made = platform.crypto.clock.now();
    const refusal = this.#limits.inviteRefusal([...state.invites.values()], made);
    if (refusal !== null) throw refusal;
    const expires = made + lifetimeMs;
    const { core } = state;
    const invite = await createInvite(platform.crypto, {
      roomId: core.roomId,
      ownerKey: core.identity.publicKey,
      relayKeyHash: await platform.crypto.hash.sha256(this.#room.relayKey),
      expires,
    });
    const { inviteId, fragment } = invite;
    this.#making.set(inviteId, null);
    try {
      await this.#room.write((draft) => {
        const record: OwnerInvite = {
          inviteId, made, expires, pair: invite.keyPair, token: invite.token, stage: 'open', joiner: null, approved: false,
          replies: [], repliedAt: null, dropReason: null,
        }; // prettier-ignore
        draft.apply(putInvite(record));
      });
      await this.#room.attempt(this);
      const refused = this.#making.get(inviteId) ?? null;
      if (refused !== null) throw new ClientError(refused);
    } finally {
      this.#making.delete(inviteId);
    }
    return { inviteId, fragment, expires };
  }

  /** The relay has an invite that this client does not know. It may invent any number: only a few are remembered. */
  refuse(inviteId: InviteId): void {
    if (this.#refused.has(inviteId)) return;
    if (this.#refused.size >= REFUSED_KEPT) this.#refused.clear();
    this.#refused.set(inviteId, false);
  }

  /** The relay has lost the reply of this invite. */
  replyAgain(inviteId: InviteId): void {
    this.#unanswered.add(inviteId);
  }

  async next(): Promise<Due | Later | null> {
    const { state } = this.#room;
    while (state.isOwner && state.core.stage === 'member') {
      const invites = [...state.invites.values()];
      const overdue = invites.find((invite) => this.#joins.overdue(invite));
      const full = isFull(state);
      const asked = invites.find(({ stage, approved }) => stage === 'asked' && (full || approved));
      if (overdue !== undefined) {
        await this.#room.write((draft) => {
          this.#joins.markDropped(draft, overdue.inviteId, 'expired');
        });
        this.#room.signal();
      } else if (asked !== undefined && state.current.key !== null && !this.#busy()) {
        await this.#acceptJoinRequest(asked.inviteId);
      } else return (await this.#due(invites)) ?? this.#nextDeadline();
    }
    return null;
  }

  async #due(invites: readonly OwnerInvite[]): Promise<Due | null> {
    const dropping = invites.find((invite) => invite.stage === 'dropping');
    if (dropping !== undefined) return this.#drop(dropping);
    const unanswered = invites.find(
      ({ inviteId, stage }) => stage === 'replied' && this.#unanswered.has(inviteId),
    );
    const reply = unanswered === undefined ? null : await this.#reply(unanswered);
    if (reply !== null) return reply;
    const unknown = invites.find(
      ({ stage, inviteId }) => stage === 'open' && !this.#registered.has(inviteId),
    );
    if (unknown !== undefined) return this.#register(unknown);
    const [refused] = [...this.#refused].find(([, taken]) => !taken) ?? [];
    return refused === undefined ? null : this.#refuseUnknown(refused);
  }

  #register({ inviteId, expires }: OwnerInvite): Due {
    const registered = this.#registered;
    return {
      kind: 'invite',
      body: { inviteId, expires },
      done: () => {
        registered.add(inviteId);
      },
      refused: async (code) => {
        if (this.#making.has(inviteId)) {
          this.#making.set(inviteId, code);
          await this.#room.write((draft) => {
            draft.apply(dropInvite(inviteId));
          });
          return 'settled';
        }
        if (code !== ERROR_CODES.BAD_ENTRY && code !== ERROR_CODES.INVITE_LIMIT)
          return this.#mayHaveGone(code);
        // Expired or ended at the relay already, or beyond its limit: it admits nobody, and is shown as it is.
        if (code === ERROR_CODES.INVITE_LIMIT) this.#beyond.add(inviteId);
        registered.add(inviteId);
        return 'settled';
      },
    };
  }

  /** Drops a join at the relay. A joiner with a join reply holds the key, so that a rotation follows (G2). */
  #drop(invite: OwnerInvite): Due {
    const { inviteId, dropReason } = invite;
    const release = staysOpen(invite);
    const done = async (): Promise<void> => {
      await this.#room.write((draft) => {
        const known = draft.invites.get(inviteId);
        if (known?.stage !== 'dropping') return;
        if (holdsKey(known, draft.core.epoch)) draft.apply(set({ rotationWanted: true }));
        if (release && staysOpen(known))
          draft.apply(
            putInvite({ ...known, stage: 'open', joiner: null, approved: false, dropReason: null }),
          );
        else draft.apply(dropInvite(inviteId));
      });
      this.#joins.dropped(inviteId);
      // An invite beyond the limit can be registered again.
      for (const beyond of this.#beyond) this.#registered.delete(beyond);
      this.#beyond.clear();
      this.#room.signal();
    };
    const refused = async (code: ErrorCode): Promise<RefusalOutcome> => {
      if (code !== ERROR_CODES.INVITE_UNKNOWN) return this.#mayHaveGone(code);
      await done();
      return 'settled';
    };
    return dropReason === 'revoked'
      ? { kind: 'revoke', body: { inviteId }, done, refused }
      : { kind: 'joinDrop', body: { inviteId, release, reason: dropReason ?? 'other' }, done, refused };
  }

  /** Section 5.5: the acceptance is stored, with the reply, before anything is sent. */
  async #acceptJoinRequest(inviteId: InviteId): Promise<void> {
    const { hash, clock } = this.#room.platform.crypto;
    await this.#room.write(async (draft) => {
      // Read inside the write: it may have been revoked while the vault was written.
      const invite = draft.invites.get(inviteId);
      if (invite?.stage !== 'asked') return;
      // Checked before the key is sealed: a refused joiner may use the same link once the room has a place.
      if (isFull(draft)) {
        this.#joins.markDropped(draft, inviteId, 'full');
        return;
      }
      if (!invite.approved) return;
      const replies = [await makeReply(hash, draft, invite)];
      draft.apply(putInvite({ ...invite, pair: null, stage: 'replied', replies, repliedAt: clock.now() }));
      this.#unanswered.add(inviteId);
    });
  }

  /** The newest reply of an answered join; null: there is no key for one now. */
  async #reply({ inviteId }: OwnerInvite): Promise<Due | null> {
    const { platform } = this.#room;
    const reply = await this.#room.write(async (draft) => {
      const known = draft.invites.get(inviteId);
      const newest = known?.replies.at(-1);
      if (known?.stage !== 'replied' || newest?.epoch === draft.core.epoch) return newest;
      if (draft.current.key === null) return undefined;
      // The epoch has changed: a new reply beside the old one, whose confirmation still counts.
      const fresh = await makeReply(platform.crypto.hash, draft, known);
      draft.apply(putInvite({ ...known, replies: [...known.replies, fresh] }));
      return fresh;
    });
    if (reply === undefined) return null;
    return {
      kind: 'joinReply',
      body: { inviteId, ...reply },
      done: () => {
        this.#unanswered.delete(inviteId);
      },
      refused: async (code) => {
        if (code !== ERROR_CODES.INVITE_UNKNOWN) return this.#mayHaveGone(code);
        this.#unanswered.delete(inviteId);
        await this.#room.write((draft) => {
          this.#joins.markDropped(draft, inviteId, 'other');
        });
        this.#room.signal();
        return 'settled';
      },
    };
  }

  #refuseUnknown(inviteId: InviteId): Due {
    const done = (): void => {
      this.#refused.set(inviteId, true);
    };
    const refused = (): RefusalOutcome => {
      // Nothing was given away by silence either.
      done();
      return 'settled';
    };
    return { kind: 'joinDrop', body: { inviteId, release: false, reason: 'other' }, done, refused };
  }

  /** With a transfer or a closing in flight the relay may be ahead of the log that was read: the log decides. */
  #mayHaveGone(code: ErrorCode): RefusalOutcome {
    const { state } = this.#room;
    if (!NOT_SERVED.includes(code)) return 'unexpected';
    if (!state.isOwner) return 'settled';
    return state.core.pending === null ? 'unexpected' : 'again';
  }

  /** When the next unconfirmed join is overdue; null for none. */
  #nextDeadline(): Later | null {
    const { state, platform } = this.#room;
    const end = Math.min(...[...state.invites.values()].map((invite) => this.#joins.endsAt(invite)));
    return end === Infinity ? null : { afterMs: Math.max(0, end - platform.crypto.clock.now()) + 1 };
  }
}

const NOT_SERVED: readonly ErrorCode[] = ['FORBIDDEN', 'ROOM_CLOSED', 'ROOM_UNKNOWN'];
