/**
 * What the owner's client does besides talking (docs/protocol.md sections 4, 5, 7): one
 * roster or rotation command in flight, its bytes stored first and repeated exactly. What it
 * is asked to do is stored too, and done in this order: what is in flight, a new owner's first
 * rotation, leaves, removals, confirmed joins, a due rotation, the rest, new joins.
 */
import { ERROR_CODES, LIMITS, type ErrorCode } from '@0fc/protocol';
import { ClientError, failureOf } from '../errors.js';
import type { RoomSettingsView } from '../api.js';
import type { RoomHandle } from './handle.js';
import { OwnerAnswers } from './owner-answers.js';
import { OwnerJoins } from './owner-joins.js';
import { makeAdmit, makeDeparture, makeEntry, makeRotationCommand } from './owner-make.js';
import { sendPending } from './owner-send.js';
import { isPassing } from './passing.js';
import { isVoid } from './pending.js';
import { Pump } from './pump.js';
import type { OwnerInvite, PendingCommand } from './records.js';
import { OwnerWaiters } from './owner-waiters.js';

const RETRY_MS = 1_500;
const DAY_MS = 86_400_000;

/** A joiner that no client would take: its join ends, and nothing was signed. */
const UNADMITTABLE: readonly ErrorCode[] = [
  'ROOM_FULL', 'WAS_MEMBER', 'ALREADY_MEMBER', 'BAD_ENTRY', 'BAD_KEY', 'BAD_SIGNATURE',
]; // prettier-ignore

export class Owner {
  readonly #room: RoomHandle;
  readonly #pump = new Pump(() => this.#work());
  readonly #answers: OwnerAnswers;
  readonly #waiters = new OwnerWaiters();
  /** the pending command has been sent in this session, and is waited for in the log */
  #sent: PendingCommand | null = null;
  /** invites that the relay has been told of in this session: its store may have lost them */
  #registered = new Set<string>();
  /** the relay has said that the log is elsewhere, and it was not: not sent again before a while */
  #held = false;
  #timer: (() => void) | null = null;
  readonly joins: OwnerJoins;

  constructor(room: RoomHandle) {
    this.#room = room;
    this.joins = new OwnerJoins(room, {
      decided: () => {
        this.pump();
      },
      resend: (invite) => {
        this.#answers.resend(invite);
      },
    });
    this.#answers = new OwnerAnswers(room, this.joins);
  }

  newSession(): void {
    this.#sent = null;
    this.#registered = new Set();
    this.joins.newSession();
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#held = false;
    this.#waiters.fail(new ClientError(ERROR_CODES.OFFLINE));
  }

  /** Resolves once the relay knows or, out of its reach, once it is stored to be told. */
  async revoke(inviteId: string): Promise<void> {
    const { state } = this.#room;
    await this.#change(() => {
      const known = state.invites.get(inviteId);
      const inFlight = state.core.pending?.inviteId === inviteId;
      if (known === undefined || inFlight) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      state.putInvite({ ...known, stage: 'dropping', dropReason: 'revoked' });
    });
    const revoked = state.invites.get(inviteId);
    if (this.#room.live && revoked !== undefined) await this.#answers.drop(revoked);
  }

  async decide(inviteId: string, admit: boolean): Promise<void> {
    const { state } = this.#room;
    await this.#change(() => {
      const invite = state.invites.get(inviteId);
      if (invite?.stage !== 'asked') throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      state.putInvite(
        admit ? { ...invite, approved: true } : { ...invite, stage: 'dropping', dropReason: 'declined' },
      );
    });
  }

  /** Resolves once it is stored: the entry and the fresh key go out as soon as they can. */
  async remove(memberId: string): Promise<void> {
    const { state } = this.#room;
    await this.#change(() => {
      const { core, roster } = state;
      if (memberId === core.me) throw new ClientError(ERROR_CODES.CANNOT_REMOVE_SELF);
      const member = [...roster.members.keys()].find((known) => known === memberId);
      if (member === undefined) throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
      if (core.tasks.removals.includes(member)) return;
      core.tasks = { ...core.tasks, removals: [...core.tasks.removals, member] };
    });
  }

  async changeSettings(settings: RoomSettingsView): Promise<void> {
    const { state } = this.#room;
    const { rotateEvery, approval } = settings;
    if (!Number.isSafeInteger(rotateEvery) || rotateEvery < 1 || rotateEvery > LIMITS.rotateEvery) {
      throw new ClientError(ERROR_CODES.OUT_OF_RANGE, { min: 1, max: LIMITS.rotateEvery });
    }
    await this.#change(() => {
      const { core, roster } = state;
      const known = roster.settings;
      const same = known.rotateEvery === rotateEvery && known.approval === approval;
      core.tasks = { ...core.tasks, settings: same ? null : { ...known, rotateEvery, approval } };
    });
  }

  /** Closing twice changes nothing. */
  async close(): Promise<void> {
    const { state } = this.#room;
    if (state.core.stage === 'closed') return;
    await this.#change(() => {
      state.core.tasks = { ...state.core.tasks, close: true };
    });
  }

  /** Resolves when the log holds the rotation. */
  async rotateNow(): Promise<void> {
    const { state, live } = this.#room;
    if (state.isOwner && !live) throw new ClientError(ERROR_CODES.OFFLINE);
    const rotated = this.#waiters.until(state.core.epoch + 1);
    try {
      await this.#change(() => {
        state.core.rotationWanted = true;
      });
    } catch (error) {
      this.#waiters.fail(ClientError.from(error));
    }
    await rotated;
  }

  pump(): void {
    const { state, live } = this.#room;
    this.#waiters.settle(state.core.epoch);
    if (live && state.isOwner && state.core.stage === 'member') this.#pump.wake();
  }

  /** What the owner is asked to do is stored first, and then done. */
  async #change(change: () => void): Promise<void> {
    const { state, serial } = this.#room;
    await serial.run(async () => {
      if (!state.isOwner || state.core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_OWNER);
      change();
      await this.#room.commit();
    });
    this.pump();
  }

  async #work(): Promise<void> {
    try {
      while (this.#room.live && this.#room.state.isOwner && (await this.#step()));
      this.#sleepUntilDue();
    } catch (error) {
      const failure = ClientError.from(error);
      if (failure.code === ERROR_CODES.OFFLINE) return;
      if (isPassing(failure.code)) {
        this.#sent = null;
        this.#after(RETRY_MS);
        return;
      }
      this.#waiters.fail(failure);
      this.#room.halt(failureOf(failure));
    }
  }

  /** One thing, in the order of this file's head; false: nothing to do now. */
  async #step(): Promise<boolean> {
    const { state } = this.#room;
    const { core } = state;
    if (core.pending !== null) return this.#send(core.pending);
    const invites = [...state.invites.values()];
    const dropping = invites.find((invite) => invite.stage === 'dropping');
    if (dropping !== undefined) {
      await this.#answers.drop(dropping);
      return true;
    }
    const overdue = invites.find((invite) => this.joins.overdue(invite));
    if (overdue !== undefined) {
      return this.#begin(() => {
        this.joins.markDropped(overdue, 'expired');
        return null;
      });
    }
    const hasKey = state.current.key !== null;
    if (hasKey && ((await this.#keyStep(invites)) || (await this.#entryStep()))) return true;
    return this.#joinStep(invites, hasKey);
  }

  /** What needs the room's key: it makes a new one, or hands it on. */
  async #keyStep(invites: readonly OwnerInvite[]): Promise<boolean> {
    const { state, connection } = this.#room;
    const { core, roster } = state;
    const leaver = core.leaving.find(({ memberId }) => roster.members.has(memberId));
    const removal = core.tasks.removals.find((memberId) => roster.members.has(memberId));
    const due = core.rotationWanted || core.epochMessages >= roster.settings.rotateEvery;
    const confirmed = invites.find((invite) => invite.stage === 'confirmed');
    if (!core.mustRotate && leaver === undefined && removal === undefined && confirmed !== undefined) {
      return this.#admit(confirmed);
    }
    if (!core.mustRotate && leaver === undefined && removal === undefined && !due) return false;
    const { prekeys } = await connection.request('prekeys', {});
    return this.#begin(() => {
      if (core.mustRotate) return makeRotationCommand(this.#room, prekeys);
      if (leaver !== undefined) {
        const { memberId: member, request } = leaver;
        return makeDeparture(this.#room, { kind: 'leave', member, request }, prekeys);
      }
      if (removal !== undefined) {
        return makeDeparture(this.#room, { kind: 'remove', member: removal }, prekeys);
      }
      return makeRotationCommand(this.#room, prekeys);
    });
  }

  async #admit(invite: OwnerInvite): Promise<boolean> {
    try {
      return await this.#begin(() => makeAdmit(this.#room, invite));
    } catch (error) {
      if (!UNADMITTABLE.includes(ClientError.from(error).code)) throw error;
      return this.#begin(() => {
        this.joins.markDropped(invite, 'other');
        return null;
      });
    }
  }

  async #entryStep(): Promise<boolean> {
    const { core } = this.#room.state;
    const { handOver, tasks } = core;
    if (tasks.settings !== null) {
      const { settings } = tasks;
      return this.#begin(() => makeEntry(this.#room, { kind: 'settings', settings }));
    }
    const acceptance = handOver?.acceptance ?? null;
    if (handOver !== null && acceptance !== null) {
      const { memberId: to } = handOver;
      return this.#begin(() => makeEntry(this.#room, { kind: 'transfer', to, acceptance }));
    }
    return tasks.close ? this.#begin(() => makeEntry(this.#room, { kind: 'close' })) : false;
  }

  async #joinStep(invites: readonly OwnerInvite[], hasKey: boolean): Promise<boolean> {
    const { state, connection } = this.#room;
    const unknown = invites.find(
      ({ stage, inviteId }) => stage === 'open' && !this.#registered.has(inviteId),
    );
    if (unknown !== undefined) {
      this.#registered.add(unknown.inviteId);
      try {
        await connection.request('invite', { inviteId: unknown.inviteId, expires: unknown.expires });
      } catch (error) {
        const { code } = ClientError.from(error);
        // Expired or ended there already, or too many: it admits nobody, and is shown as it is.
        if (code !== ERROR_CODES.BAD_ENTRY && code !== ERROR_CODES.INVITE_LIMIT) throw error;
      }
      return true;
    }
    const asked = invites.find(
      (invite) => invite.stage === 'asked' && (invite.approved || !state.roster.settings.approval),
    );
    if (asked === undefined || !hasKey) return false;
    await this.#answers.burn(asked);
    return true;
  }

  /** Makes the next command and stores it before it is sent. */
  async #begin(make: () => Promise<PendingCommand> | null): Promise<boolean> {
    const { state, serial } = this.#room;
    await serial.run(async () => {
      const made = await make();
      if (made !== null) state.core.pending = made;
      this.#sent = null;
      await this.#room.commit();
    });
    return true;
  }

  async #send(pending: PendingCommand): Promise<boolean> {
    const { state, serial, platform } = this.#room;
    const gone = await serial.run(async () => {
      if (state.core.pending !== pending) return true;
      if (!(await isVoid(platform.crypto.hash, state, pending))) return false;
      state.core.pending = null;
      await this.#room.commit();
      return true;
    });
    if (gone) return true;
    if (this.#sent === pending || this.#held) return false;
    this.#sent = pending;
    if ((await sendPending(this.#room, pending)) === 'moved') {
      this.#held = true;
      // The relay's word voids nothing: a look at the log shows whether it has moved.
      this.#room.catchUp();
      this.#after(RETRY_MS);
    }
    return false;
  }

  #sleepUntilDue(): void {
    if (this.#held) return;
    const wait = this.#answers.nextDeadline();
    if (wait !== null) this.#after(Math.min(wait, DAY_MS));
  }

  #after(ms: number): void {
    this.#timer?.();
    this.#timer = this.#room.platform.timers.after(ms, () => {
      this.#timer = null;
      this.#held = false;
      this.pump();
    });
  }
}
