/**
 * What the owner's client does besides talking (docs/protocol.md sections 4, 5, 7): one
 * roster or rotation command in flight, its bytes stored first and repeated exactly. What it
 * is asked to do is stored too, and done in this order: what is in flight, a new owner's first
 * rotation, leaves, removals, confirmed joins, a due rotation, the rest, new joins.
 */
import { ERROR_CODES, LIMITS, type ErrorCode, type EventBody, type InviteId } from '@0fc/protocol';
import { ClientError } from '../errors.js';
import type { RoomSettingsView } from '../api.js';
import type { RoomHandle } from './handle.js';
import { OwnerAnswers } from './owner-answers.js';
import { OwnerJoins } from './owner-joins.js';
import { makeAdmit, makeDeparture, makeEntry, makeRotationCommand } from './owner-make.js';
import { sendPending } from './owner-send.js';
import { isVoid } from './log/pending.js';
import { settingsEntries } from './log/settings.js';
import type { Part } from './outgoing/outgoing.js';
import { OwnerWaiters } from './owner-waiters.js';
import { putInvite, set } from './state/changes.js';
import type { RoomDraft } from './state/draft.js';
import type { OwnerInvite, PendingCommand } from './state/records.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A joiner that no client would take: its join ends, and nothing was signed. */
const UNADMITTABLE: readonly ErrorCode[] = [
  'ROOM_FULL', 'WAS_MEMBER', 'ALREADY_MEMBER', 'BAD_ENTRY', 'BAD_KEY', 'BAD_SIGNATURE',
]; // prettier-ignore

type SettingsLimits = Pick<EventBody<'hello'>, 'settingsEntries' | 'settingsPerHour'>;

export class Owner implements Part {
  readonly #room: RoomHandle;
  readonly #answers: OwnerAnswers;
  readonly #waiters = new OwnerWaiters();
  /** the pending command has been sent in this session, and is waited for in the log */
  #sent: PendingCommand | null = null;
  /** invites that the relay has been told of in this session: its store may have lost them */
  #registered = new Set<string>();
  /** invites of which the relay has lost the reply */
  readonly #unanswered = new Set<InviteId>();
  #timer: (() => void) | null = null;
  #limits: SettingsLimits = { settingsEntries: LIMITS.settingsEntries, settingsPerHour: 1 };
  readonly joins: OwnerJoins;

  constructor(room: RoomHandle) {
    this.#room = room;
    this.joins = new OwnerJoins(room, {
      decided: () => {
        room.signal();
      },
      resend: (inviteId) => {
        this.#unanswered.add(inviteId);
      },
    });
    this.#answers = new OwnerAnswers(room, this.joins);
  }

  /** What this relay publishes of its limits. */
  published(limits: SettingsLimits): void {
    this.#limits = limits;
  }

  newSession(): void {
    this.#sent = null;
    this.#registered = new Set();
    this.joins.newSession();
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#waiters.fail(new ClientError(ERROR_CODES.OFFLINE));
  }

  /** Resolves once the relay knows or, out of its reach, once it is stored to be told. */
  async revoke(inviteId: string): Promise<void> {
    const { state } = this.#room;
    await this.#change((draft) => {
      const known = draft.invites.get(inviteId);
      const inFlight = draft.core.pending?.inviteId === inviteId;
      if (known === undefined || inFlight) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      draft.apply(putInvite({ ...known, stage: 'dropping', dropReason: 'revoked' }));
    });
    const revoked = state.invites.get(inviteId);
    if (this.#room.live && revoked !== undefined) await this.#answers.drop(revoked);
  }

  async decide(inviteId: string, admit: boolean): Promise<void> {
    await this.#change((draft) => {
      const invite = draft.invites.get(inviteId);
      if (invite?.stage !== 'asked') throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      draft.apply(
        putInvite(
          admit ? { ...invite, approved: true } : { ...invite, stage: 'dropping', dropReason: 'declined' },
        ),
      );
    });
  }

  /** Resolves once it is stored: the entry and the fresh key go out as soon as they can. */
  async remove(memberId: string): Promise<void> {
    await this.#change((draft) => {
      const { core, roster } = draft;
      if (memberId === core.me) throw new ClientError(ERROR_CODES.CANNOT_REMOVE_SELF);
      const member = [...roster.members.keys()].find((known) => known === memberId);
      if (member === undefined) throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
      if (core.tasks.removals.includes(member)) return;
      draft.apply(set({ tasks: { ...core.tasks, removals: [...core.tasks.removals, member] } }));
    });
  }

  async changeSettings(settings: RoomSettingsView): Promise<void> {
    const { rotateEvery, approval } = settings;
    if (!Number.isSafeInteger(rotateEvery) || rotateEvery < 1 || rotateEvery > LIMITS.rotateEvery) {
      throw new ClientError(ERROR_CODES.OUT_OF_RANGE, { min: 1, max: LIMITS.rotateEvery });
    }
    await this.#change((draft) => {
      const { core, roster } = draft;
      // Before anything is signed: an entry that the relay refuses could not be taken back.
      if (settingsEntries(draft) >= this.#limits.settingsEntries)
        throw new ClientError(ERROR_CODES.SETTINGS_LIMIT, { max: this.#limits.settingsEntries });
      const known = roster.settings;
      const same = known.rotateEvery === rotateEvery && known.approval === approval;
      const changed = same ? null : { ...known, rotateEvery, approval };
      draft.apply(set({ tasks: { ...core.tasks, settings: changed } }));
    });
  }

  /** Closing twice changes nothing. */
  async close(): Promise<void> {
    const { state } = this.#room;
    if (state.core.stage === 'closed') return;
    await this.#change((draft) => {
      draft.apply(set({ tasks: { ...draft.core.tasks, close: true } }));
    });
  }

  /** Resolves when the log holds the rotation. */
  async rotateNow(): Promise<void> {
    const { state, live } = this.#room;
    if (state.isOwner && !live) throw new ClientError(ERROR_CODES.OFFLINE);
    const rotated = this.#waiters.until(state.core.epoch + 1);
    try {
      await this.#change((draft) => {
        draft.apply(set({ rotationWanted: true }));
      });
    } catch (error) {
      this.#waiters.fail(ClientError.from(error));
    }
    await rotated;
  }

  /** What the owner is asked to do is stored first, and then done. */
  async #change(change: (draft: RoomDraft) => void): Promise<void> {
    await this.#room.write((draft) => {
      if (!draft.isOwner || draft.core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_OWNER);
      change(draft);
    });
    this.#room.signal();
  }

  async step(): Promise<boolean> {
    const { state } = this.#room;
    this.#waiters.settle(state.core.epoch);
    if (!state.isOwner || state.core.stage !== 'member') return false;
    try {
      if (await this.#next()) return true;
    } catch (error) {
      // Whatever it was refused with: the same bytes go again.
      this.#sent = null;
      throw error;
    }
    this.#sleepUntilDue();
    return false;
  }

  /** Who may not say this any more has handed the room over meanwhile, and learns it from the log. */
  refused(code: ErrorCode): boolean {
    this.#waiters.fail(new ClientError(code));
    return code === ERROR_CODES.FORBIDDEN && !this.#room.state.isOwner;
  }

  /** One thing, in the order of this file's head; false: nothing to do now. */
  async #next(): Promise<boolean> {
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
      return this.#begin((draft) => {
        this.joins.markDropped(draft, overdue.inviteId, 'expired');
        return null;
      });
    }
    const unanswered = invites.find(({ inviteId }) => this.#unanswered.has(inviteId));
    if (unanswered !== undefined) {
      this.#unanswered.delete(unanswered.inviteId);
      await this.#answers.reply(unanswered);
      return true;
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
    const { crypto } = this.#room.platform;
    return this.#begin((draft) => {
      if (core.mustRotate) return makeRotationCommand(crypto, draft, prekeys);
      if (leaver !== undefined) {
        const { memberId: member, request } = leaver;
        return makeDeparture(crypto, draft, { kind: 'leave', member, request }, prekeys);
      }
      if (removal !== undefined) {
        return makeDeparture(crypto, draft, { kind: 'remove', member: removal }, prekeys);
      }
      return makeRotationCommand(crypto, draft, prekeys);
    });
  }

  async #admit(invite: OwnerInvite): Promise<boolean> {
    try {
      return await this.#begin((draft) => {
        // Read in the turn that signs: it may have been dropped while the vault was being written.
        const known = draft.invites.get(invite.inviteId);
        return known?.stage === 'confirmed' ? makeAdmit(this.#room.platform.crypto.hash, draft, known) : null;
      });
    } catch (error) {
      if (!UNADMITTABLE.includes(ClientError.from(error).code)) throw error;
      return this.#begin((draft) => {
        this.joins.markDropped(draft, invite.inviteId, 'other');
        return null;
      });
    }
  }

  async #entryStep(): Promise<boolean> {
    const { hash } = this.#room.platform.crypto;
    const { handOver, tasks } = this.#room.state.core;
    if (tasks.settings !== null && this.#settingsWait() <= 0) {
      const { settings } = tasks;
      return this.#begin((draft) => makeEntry(hash, draft, { kind: 'settings', settings }));
    }
    const acceptance = handOver?.acceptance ?? null;
    if (handOver !== null && acceptance !== null) {
      const { memberId: to } = handOver;
      return this.#begin((draft) => makeEntry(hash, draft, { kind: 'transfer', to, acceptance }));
    }
    return tasks.close ? this.#begin((draft) => makeEntry(hash, draft, { kind: 'close' })) : false;
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
    await this.#answers.burn(asked.inviteId);
    return true;
  }

  /** Makes the next command and stores it before it is sent. */
  async #begin(make: (draft: RoomDraft) => Promise<PendingCommand> | null): Promise<boolean> {
    await this.#room.write(async (draft) => {
      const made = await make(draft);
      if (made !== null) draft.apply(set({ pending: made }));
    });
    this.#sent = null;
    return true;
  }

  async #send(pending: PendingCommand): Promise<boolean> {
    const gone = await this.#room.write(async (draft) => {
      if (draft.core.pending !== pending) return true;
      if (!(await isVoid(this.#room.platform.crypto.hash, draft, pending))) return false;
      draft.apply(set({ pending: null }));
      return true;
    });
    if (gone) return true;
    if (this.#sent === pending) return false;
    this.#sent = pending;
    // Where the relay says that the log has moved, a look at it shows whether it has: its word voids nothing.
    await sendPending(this.#room, pending);
    return false;
  }

  /**
   * Milliseconds until the relay takes another change of the settings. It is signed only then: one that is refused
   * for its rate would hold up removals behind it.
   */
  #settingsWait(): number {
    const { state, platform } = this.#room;
    if (settingsEntries(state) >= this.#limits.settingsEntries) return Infinity;
    const now = platform.crypto.clock.now();
    const recent = state.core.settingsPlaced.filter((time) => time > now - HOUR_MS && time <= now);
    const oldest = recent.at(-this.#limits.settingsPerHour);
    return oldest === undefined ? 0 : oldest + HOUR_MS - now;
  }

  #sleepUntilDue(): void {
    const { tasks } = this.#room.state.core;
    const deadline = this.#answers.nextDeadline() ?? Infinity;
    const wait = Math.min(deadline, tasks.settings === null ? Infinity : this.#settingsWait());
    if (wait < Infinity) this.#after(wait);
  }

  #after(ms: number): void {
    this.#timer?.();
    this.#timer = this.#room.platform.timers.after(Math.min(ms, DAY_MS), () => {
      this.#timer = null;
      this.#room.signal();
    });
  }
}
