/**
 * What the owner's client does besides talking (docs/protocol.md sections 4, 5, 7): one
 * roster or rotation command in flight, its bytes stored first and repeated exactly; on
 * return confirmed joins, then a due rotation, then new joins.
 */
import { equalBytes, ERROR_CODES, type ErrorCode, type EventBody, type InviteId } from '@0fc/protocol';
import { createInvite, openJoinConfirm, openJoinRequest } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../errors.js';
import { system } from './items.js';
import { makeAdmit, makeReply, makeRotationCommand } from './owner-make.js';
import type { OwnerInvite, PendingCommand } from './records.js';
import type { RoomHandle } from './handle.js';

const RETRY_MS = 1_500;
const PASSING: readonly ErrorCode[] = ['TRY_AGAIN', 'INTERNAL', 'RATE_LIMITED', 'STORE_FULL'];
const MOVED: readonly ErrorCode[] = ['STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD', 'BAD_WRAPS'];

interface Waiter {
  readonly epoch: number;
  readonly done: (error: ClientError | null) => void;
}

export class Owner {
  readonly #room: RoomHandle;
  #busy = false;
  /** the pending command has been sent in this session, and is waited for in the log */
  #sent = false;
  #waiters: Waiter[] = [];
  #timer: (() => void) | null = null;
  /** invites nobody here knows, refused once each (W1) */
  readonly #refused = new Set<string>();

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  newSession(): void {
    this.#sent = false;
  }

  stop(): void {
    this.#timer?.();
    this.#settleWaiters(new ClientError(ERROR_CODES.OFFLINE));
  }

  /** Registers an invite; its secrets are in the vault before the relay hears of it. */
  async invite(lifetimeMs: number): Promise<{ readonly inviteId: InviteId; readonly fragment: string; readonly expires: number }> {
    const { state, serial, platform, connection } = this.#room;
    this.#mustOwn();
    const made = platform.crypto.clock.now();
    const expires = made + lifetimeMs;
    const { core, roster } = state;
    const ownerKey = core.identity.publicKey;
    const relayKeyHash = await platform.crypto.hash.sha256(this.#room.relayKey);
    const invite = await createInvite(platform.crypto, { roomId: core.roomId, ownerKey, relayKeyHash, expires });
    if (roster.owner !== core.me) throw new ClientError(ERROR_CODES.NOT_OWNER);
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

  async revoke(inviteId: string): Promise<void> {
    const { state, serial, connection } = this.#room;
    this.#mustOwn();
    const known = state.invites.get(inviteId);
    if (known === undefined) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
    await connection.request('revoke', { inviteId: known.inviteId });
    await serial.run(async () => {
      // Who was answered holds the room key: the join ends in a rotation (G2).
      if (known.replies.length > 0) state.core.rotationWanted = true;
      state.dropInvite(inviteId);
      await this.#room.commit();
    });
    this.pump();
  }

  async decide(inviteId: string, admit: boolean): Promise<void> {
    const { state, serial } = this.#room;
    this.#mustOwn();
    await serial.run(async () => {
      const invite = state.invites.get(inviteId);
      if (invite?.stage !== 'asked') throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      state.putInvite(
        admit ? { ...invite, approved: true } : { ...invite, stage: 'dropping', dropReason: 'declined' },
      );
      await this.#room.commit();
    });
    this.pump();
  }

  /** Resolves when the log holds the rotation. */
  async rotateNow(): Promise<void> {
    const { state, serial, live } = this.#room;
    this.#mustOwn();
    if (!live) throw new ClientError(ERROR_CODES.OFFLINE);
    const epoch = state.core.epoch + 1;
    const done = new Promise<void>((resolve, reject) => {
      this.#waiters.push({
        epoch,
        done: (error) => {
          if (error === null) resolve();
          else reject(error);
        },
      });
    });
    await serial.run(async () => {
      state.core.rotationWanted = true;
      await this.#room.commit();
    });
    this.pump();
    await done;
  }

  /** A join as the relay holds it. Whatever it says is checked against the invite's own record. */
  onJoin(join: EventBody<'join'>): void {
    const { serial } = this.#room;
    void serial.run(() => this.#takeJoin(join)).then(
      () => {
        this.pump();
      },
      (error: unknown) => {
        this.#room.halt(failureOf(error));
      },
    );
  }

  pump(): void {
    this.#settleWaiters(null);
    const { state, live } = this.#room;
    if (this.#busy || !live || !state.isOwner || state.core.stage !== 'member') return;
    this.#busy = true;
    void this.#work().finally(() => {
      this.#busy = false;
    });
  }

  #mustOwn(): void {
    if (!this.#room.state.isOwner) throw new ClientError(ERROR_CODES.NOT_OWNER);
  }

  #settleWaiters(error: ClientError | null): void {
    const { epoch } = this.#room.state.core;
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => error === null && waiter.epoch > epoch);
    for (const waiter of waiting) if (error !== null || waiter.epoch <= epoch) waiter.done(error);
  }

  async #work(): Promise<void> {
    try {
      while (this.#room.live && (await this.#step()));
    } catch (error) {
      const failure = ClientError.from(error);
      if (failure.code === ERROR_CODES.OFFLINE) return;
      if (PASSING.includes(failure.code)) {
        this.#timer?.();
        this.#timer = this.#room.platform.timers.after(RETRY_MS, () => {
          this.pump();
        });
        return;
      }
      this.#settleWaiters(failure);
      this.#room.halt(failureOf(failure));
    }
  }

  /** One thing in the order of section 4; false: nothing to do now. */
  async #step(): Promise<boolean> {
    const { state, serial } = this.#room;
    const { core } = state;
    if (core.pending !== null) return this.#sent ? false : this.#send(core.pending);
    const invites = [...state.invites.values()];
    const dropping = invites.find((invite) => invite.stage === 'dropping');
    if (dropping !== undefined) return this.#drop(dropping);
    const overdue = invites.find((invite) => this.#overdue(invite));
    if (overdue !== undefined) return this.#begin(() => this.#markDropped(overdue, 'expired'));
    const hasKey = state.current.key !== null;
    const confirmed = invites.find((invite) => invite.stage === 'confirmed');
    if (confirmed !== undefined && hasKey) {
      return this.#begin(async () => {
        core.pending = await makeAdmit(this.#room, confirmed);
      });
    }
    if (hasKey && (core.rotationWanted || core.epochMessages >= state.roster.settings.rotateEvery)) {
      const { prekeys } = await this.#room.connection.request('prekeys', {});
      return this.#begin(async () => {
        core.pending = await makeRotationCommand(this.#room, prekeys);
      });
    }
    const asked = invites.find((invite) => invite.stage === 'asked' && (invite.approved || !state.roster.settings.approval));
    if (asked !== undefined && hasKey) {
      const burnt = await serial.run(() => this.#burn(asked));
      return this.#reply(burnt);
    }
    this.#watchDeadlines(invites);
    return false;
  }

  async #begin(change: () => Promise<void> | void): Promise<boolean> {
    await this.#room.serial.run(async () => {
      await change();
      this.#sent = false;
      await this.#room.commit();
    });
    return true;
  }

  async #send(pending: PendingCommand): Promise<boolean> {
    const { connection, state, serial } = this.#room;
    this.#sent = true;
    try {
      if (pending.entry !== null) {
        await connection.request('roster', {
          entry: pending.entry,
          ...(pending.rotation === null ? {} : { rotation: pending.rotation }),
          ...(pending.inviteId === null || pending.reply === null
            ? {}
            : { reply: { inviteId: pending.inviteId, ...pending.reply } }),
        });
      } else if (pending.rotation !== null) await connection.request('rotate', pending.rotation);
      return false; // what it did is read back from the log
    } catch (error) {
      const { code } = ClientError.from(error);
      if (PASSING.includes(code)) this.#sent = false;
      const lostInvite = code === ERROR_CODES.INVITE_UNKNOWN || code === ERROR_CODES.ROOM_FULL || code === ERROR_CODES.WAS_MEMBER;
      if (!MOVED.includes(code) && !lostInvite) throw error;
      // The log has moved since, or the join is gone: what was proposed on the old head is void.
      await serial.run(async () => {
        if (state.core.pending === null || !samePending(state.core.pending, pending)) return;
        state.core.pending = null;
        if (lostInvite && pending.inviteId !== null) {
          const invite = state.invites.get(pending.inviteId);
          if (invite !== undefined) this.#markDropped(invite, 'other');
        }
        await this.#room.commit();
      });
      void this.#room.catchUp();
      return false;
    }
  }

  async #drop(invite: OwnerInvite): Promise<boolean> {
    const { state, connection } = this.#room;
    const release = invite.dropReason === 'badProof';
    try {
      await connection.request('joinDrop', { inviteId: invite.inviteId, release, reason: invite.dropReason ?? 'other' });
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.INVITE_UNKNOWN) throw error;
    }
    return this.#begin(() => {
      // From the first reply on somebody may hold the key: the drop ends in a rotation (G2).
      if (invite.replies.length > 0) state.core.rotationWanted = true;
      if (release) state.putInvite({ ...invite, stage: 'open', joiner: null, dropReason: null });
      else state.dropInvite(invite.inviteId);
    });
  }

  #markDropped(invite: OwnerInvite, reason: NonNullable<OwnerInvite['dropReason']>): void {
    const { state, platform } = this.#room;
    state.putInvite({ ...invite, stage: 'dropping', dropReason: reason });
    if (reason === 'declined') return;
    state.append(null, platform.crypto.clock.now(), [system('inviteRefused', { text: invite.joiner?.name ?? '' })]);
  }

  #overdue(invite: OwnerInvite): boolean {
    const { state, platform } = this.#room;
    return (
      invite.stage === 'replied' &&
      invite.repliedAt !== null &&
      platform.crypto.clock.now() > invite.repliedAt + state.roster.settings.joinDeadline
    );
  }

  #watchDeadlines(invites: readonly OwnerInvite[]): void {
    const { state, platform } = this.#room;
    const deadlines = invites.flatMap((invite) =>
      invite.stage === 'replied' && invite.repliedAt !== null ? [invite.repliedAt + state.roster.settings.joinDeadline] : [],
    );
    this.#timer?.();
    this.#timer = null;
    if (deadlines.length === 0) return;
    const wait = Math.max(0, Math.min(...deadlines) - platform.crypto.clock.now()) + 1;
    this.#timer = platform.timers.after(Math.min(wait, 86_400_000), () => {
      this.pump();
    });
  }

  /** Section 5.5: burnt and stored, with the reply, before anything is answered. */
  async #burn(invite: OwnerInvite): Promise<OwnerInvite> {
    const { state, platform } = this.#room;
    const reply = await makeReply(this.#room, invite);
    const burnt: OwnerInvite = {
      ...invite, pair: null, stage: 'replied', replies: [reply], repliedAt: platform.crypto.clock.now(),
    }; // prettier-ignore
    state.putInvite(burnt);
    await this.#room.commit();
    return burnt;
  }

  async #reply(invite: OwnerInvite): Promise<boolean> {
    const reply = invite.replies.at(-1);
    if (reply === undefined) return true;
    try {
      await this.#room.connection.request('joinReply', { inviteId: invite.inviteId, ...reply });
      return true;
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code === ERROR_CODES.INVITE_UNKNOWN) return this.#begin(() => { this.#markDropped(invite, 'other'); });
      if (!MOVED.includes(code)) throw error;
      // The epoch moved: a fresh reply beside the old one, whose confirm still counts.
      await this.#begin(async () => {
        const fresh = await makeReply(this.#room, invite);
        this.#room.state.putInvite({ ...invite, replies: [...invite.replies, fresh] });
      });
      void this.#room.catchUp();
      return false;
    }
  }

  async #takeJoin(join: EventBody<'join'>): Promise<void> {
    const { state } = this.#room;
    if (!state.isOwner || state.core.stage !== 'member') return;
    const invite = state.invites.get(join.inviteId);
    if (invite === undefined) {
      this.#refuseUnknown(join.inviteId);
      return;
    }
    if (invite.stage === 'open') await this.#openRequest(invite, join);
    else if (invite.joiner !== null && equalBytes(invite.joiner.key, join.joinerKey)) {
      if (invite.stage === 'replied' && join.confirm !== undefined) await this.#takeConfirm(invite, join.confirm);
      else if (invite.stage === 'replied' && join.replied === 0) void this.#resend(invite);
    }
  }

  #refuseUnknown(inviteId: InviteId): void {
    if (this.#refused.has(inviteId)) return;
    this.#refused.add(inviteId);
    this.#room.connection.request('joinDrop', { inviteId, release: false, reason: 'other' }).catch((error: unknown) => {
      // Nothing was given away by silence either; it is refused again when the relay asks again.
      if (ClientError.from(error).code === ERROR_CODES.OFFLINE) this.#refused.delete(inviteId);
    });
  }

  async #openRequest(invite: OwnerInvite, join: EventBody<'join'>): Promise<void> {
    const { state, platform } = this.#room;
    if (invite.expires < platform.crypto.clock.now()) {
      this.#markDropped(invite, 'expired');
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
        this.#markDropped(invite, 'badProof');
      }
    }
    await this.#room.commit();
  }

  async #takeConfirm(invite: OwnerInvite, confirm: { readonly epoch: number; readonly payload: Uint8Array }): Promise<void> {
    const { state, platform } = this.#room;
    const roomKey = state.key(confirm.epoch)?.key ?? null;
    const replies = invite.replies.filter((reply) => reply.epoch === confirm.epoch).map((reply) => reply.payload);
    try {
      if (roomKey === null || invite.joiner === null) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
      await openJoinConfirm(platform.crypto.hash, {
        joinerKey: invite.joiner.key, roomId: state.core.roomId, epoch: confirm.epoch, roomKey, payload: confirm.payload,
        request: invite.joiner.request, replies,
      }); // prettier-ignore
      state.putInvite({ ...invite, stage: 'confirmed' });
    } catch (error) {
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
      this.#markDropped(invite, 'badConfirm');
    }
    await this.#room.commit();
  }

  async #resend(invite: OwnerInvite): Promise<void> {
    try {
      await this.#reply(invite);
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.OFFLINE) this.#room.halt(failureOf(error));
    }
  }
}

function samePending(a: PendingCommand, b: PendingCommand): boolean {
  const same = (x: Uint8Array | undefined | null, y: Uint8Array | undefined | null): boolean =>
    x == null || y == null ? x == y : equalBytes(x, y);
  return same(a.entry, b.entry) && same(a.rotation?.clear, b.rotation?.clear);
}
