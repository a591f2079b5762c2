/**
 * What the owner's client does besides talking (docs/protocol.md sections 4, 5, 7): one
 * roster or rotation command in flight, its bytes stored first and repeated exactly; on
 * return confirmed joins, then a due rotation, then new joins.
 */
import { equalBytes, ERROR_CODES, type Bytes, type ErrorCode } from '@0fc/protocol';
import { ClientError, failureOf } from '../errors.js';
import { OwnerJoins } from './owner-joins.js';
import { makeAdmit, makeReply, makeRotationCommand } from './owner-make.js';
import type { OwnerInvite, PendingCommand } from './records.js';
import type { RoomHandle } from './handle.js';
import { Pump } from './pump.js';

const RETRY_MS = 1_500;
const PASSING: readonly ErrorCode[] = ['TRY_AGAIN', 'INTERNAL', 'RATE_LIMITED', 'STORE_FULL'];
const MOVED: readonly ErrorCode[] = ['STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD', 'BAD_WRAPS'];

interface Waiter {
  readonly epoch: number;
  readonly done: (error: ClientError | null) => void;
}

export class Owner {
  readonly #room: RoomHandle;
  readonly #pump = new Pump(() => this.#work());
  /** the pending command has been sent in this session, and is waited for in the log */
  #sent = false;
  #waiters: Waiter[] = [];
  #timer: (() => void) | null = null;
  readonly joins: OwnerJoins;

  constructor(room: RoomHandle) {
    this.#room = room;
    this.joins = new OwnerJoins(room, {
      decided: () => {
        this.pump();
      },
      resend: (invite) => {
        void this.#resend(invite);
      },
    });
  }

  newSession(): void {
    this.#sent = false;
  }

  stop(): void {
    this.#timer?.();
    this.#settleWaiters(new ClientError(ERROR_CODES.OFFLINE));
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

  pump(): void {
    this.#settleWaiters(null);
    const { state, live } = this.#room;
    if (live && state.isOwner && state.core.stage === 'member') this.#pump.wake();
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
    const overdue = invites.find((invite) => this.joins.overdue(invite));
    if (overdue !== undefined) return this.#begin(() => this.joins.markDropped(overdue, 'expired'));
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
    const asked = invites.find(
      (invite) => invite.stage === 'asked' && (invite.approved || !state.roster.settings.approval),
    );
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
      const lostInvite =
        code === ERROR_CODES.INVITE_UNKNOWN ||
        code === ERROR_CODES.ROOM_FULL ||
        code === ERROR_CODES.WAS_MEMBER;
      if (!MOVED.includes(code) && !lostInvite) throw error;
      // The log has moved since, or the join is gone: what was proposed on the old head is void.
      await serial.run(async () => {
        if (state.core.pending === null || !samePending(state.core.pending, pending)) return;
        state.core.pending = null;
        if (lostInvite && pending.inviteId !== null) {
          const invite = state.invites.get(pending.inviteId);
          if (invite !== undefined) this.joins.markDropped(invite, 'other');
        }
        await this.#room.commit();
      });
      this.#room.catchUp();
      return false;
    }
  }

  async #drop(invite: OwnerInvite): Promise<boolean> {
    const { state, connection } = this.#room;
    const release = invite.dropReason === 'badProof';
    try {
      await connection.request('joinDrop', {
        inviteId: invite.inviteId,
        release,
        reason: invite.dropReason ?? 'other',
      });
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

  #watchDeadlines(invites: readonly OwnerInvite[]): void {
    const { state, platform } = this.#room;
    const deadlines = invites.flatMap((invite) =>
      invite.stage === 'replied' && invite.repliedAt !== null
        ? [invite.repliedAt + state.roster.settings.joinDeadline]
        : [],
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
      if (code === ERROR_CODES.INVITE_UNKNOWN)
        return this.#begin(() => {
          this.joins.markDropped(invite, 'other');
        });
      if (!MOVED.includes(code)) throw error;
      // The epoch moved: a fresh reply beside the old one, whose confirm still counts.
      await this.#begin(async () => {
        const fresh = await makeReply(this.#room, invite);
        this.#room.state.putInvite({ ...invite, replies: [...invite.replies, fresh] });
      });
      this.#room.catchUp();
      return false;
    }
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
  const same = (x: Bytes | null, y: Bytes | null): boolean =>
    x === null || y === null ? x === y : equalBytes(x, y);
  return same(a.entry, b.entry) && same(a.rotation?.clear ?? null, b.rotation?.clear ?? null);
}
