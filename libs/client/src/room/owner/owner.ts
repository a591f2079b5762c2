/**
 * The duties of the owner (docs/protocol.md sections 4, 5, 7): one roster or rotation command in flight, its bytes
 * stored first and repeated exactly. Requests of the user are stored too, and carried out in this order: the command
 * in flight, the first rotation of a new owner, leaves, removals, confirmed joins, a due rotation, the rest. New
 * joins come last (invites.ts).
 */
import { decodeBody, ERROR_CODES, ROSTER_KINDS, type ErrorCode, type EventBody } from '@0fc/protocol'; // prettier-ignore
import { containerBody } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomSettingsView } from '../../contract/api.js';
import type { RoomHandle, Due, RefusalOutcome, Later, Part } from '../outgoing/part.js';
import { dropping, holdsKey } from './invite-stages.js';
import { OwnerInvites } from './invites.js';
import { OwnerJoins } from './owner-joins.js';
import { commandOf, newestPrekeys, type Offered } from './owner-commands.js';
import { makeCommand, mayWait, needsPrekeys, type Work } from './owner-work.js';
import { isVoid } from '../log/pending.js';
import { system } from '../log/items.js';
import { sameSettings, wishedSettings } from '../log/settings.js';
import { freshRotationWait, timeLeft } from './fresh-rotation.js';
import { isLossFresh, LostPrekeys } from './lost-prekeys.js';
import { RotationWaiters } from './rotation-waiters.js';
import { RelayLimits } from './relay-limits.js';
import { needsNewer } from '../log/room-keys.js';
import { append, putInvite, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { PendingCommand } from '../../vault/records.js';

/** Refusals that concern the room, and not the request. */
const ROOM_REFUSALS: readonly ErrorCode[] = ['ROOM_UNKNOWN', 'ROOM_CLOSED', 'RELAY_LIED'];

/** Grants that did not open, after which an owner without the key rotates cold; and how long it waits for one, in ms. */
const FAILED_GRANTS = 2;
const COLD_AFTER_MS = 60_000;

export class Owner implements Part {
  /** when this session began, Unix ms */
  #sessionAt = 0;
  readonly #room: RoomHandle;
  readonly #waiters = new RotationWaiters();
  /** commands that were sent in this session; their effect is read back from the log */
  #sent = new Set<PendingCommand>();
  /**
   * the command that is sent as an entry to restore: the relay has lost its invite, or accepts no new one of its kind
   */
  #restored: PendingCommand | null = null;
  readonly #limits = new RelayLimits();
  readonly #lostPrekeys = new LostPrekeys();
  readonly joins: OwnerJoins;
  readonly invites: OwnerInvites;

  constructor(room: RoomHandle) {
    this.#room = room;
    this.joins = new OwnerJoins(room, {
      decided: () => {
        room.signal();
      },
      replyAgain: (inviteId) => {
        this.invites.replyAgain(inviteId);
      },
      refuse: (inviteId) => {
        this.invites.refuse(inviteId);
      },
    });
    const busy = (): boolean => room.state.core.pending !== null || this.#work(room.state) !== null;
    this.invites = new OwnerInvites(room, this.joins, this.#limits, busy);
  }

  /** The relay publishes its limits in `hello`. */
  onHello(hello: EventBody<'hello'>): void {
    this.#limits.publish(hello);
  }

  newSession(): void {
    this.#sessionAt = this.#now();
    this.#sent = new Set();
    this.#restored = null;
    this.joins.newSession();
    this.invites.newSession();
  }

  stop(): void {
    this.#waiters.fail(new ClientError(ERROR_CODES.OFFLINE));
  }

  /**
   * Resolves once the relay has received it or, where that takes longer, once it is stored to be sent. Rejects with
   * INVITE_UNKNOWN.
   */
  async revoke(inviteId: string): Promise<void> {
    await this.#change((draft) => {
      const known = draft.invites.get(inviteId);
      const inFlight = draft.core.pending?.inviteId === inviteId;
      if (known === undefined || inFlight) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      draft.apply(putInvite(dropping(known, 'revoked')));
    });
    await this.#room.attempt(this.invites);
  }

  async decide(inviteId: string, admit: boolean): Promise<void> {
    await this.#change((draft) => {
      const invite = draft.invites.get(inviteId);
      if (invite?.stage !== 'asked') throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      draft.apply(putInvite(admit ? { ...invite, approved: true } : dropping(invite, 'declined')));
    });
  }

  /**
   * Resolves once it is stored; entry and rotation are sent as soon as possible. Rejects with CANNOT_REMOVE_SELF,
   * MEMBER_UNKNOWN.
   */
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

  /** Settings that are left out keep their requested values. The values are within their bounds (checks.ts). */
  async changeSettings(settings: Partial<RoomSettingsView>): Promise<void> {
    await this.#change((draft) => {
      const { core, roster } = draft;
      const wished = { ...wishedSettings(draft), ...settings };
      // Checked before signing: an entry that the relay refuses could not be withdrawn.
      const refusal = this.#limits.settingsRefusal(draft, wished);
      if (refusal !== null) throw refusal;
      // A signed change will be in the log: reverting it is another change.
      const done = core.pending === null && sameSettings(wished, roster.settings);
      draft.apply(set({ tasks: { ...core.tasks, settings: done ? null : wished } }));
    });
  }

  /** Closes the room. Idempotent. */
  async close(): Promise<void> {
    const { state } = this.#room;
    if (state.core.stage === 'closed') return;
    await this.#change((draft) => {
      draft.apply(set({ tasks: { ...draft.core.tasks, close: true } }));
    });
  }

  /**
   * Resolves when the log holds the rotation, also after a catch-up that is under way. Rejects with OFFLINE without a
   * link.
   */
  async rotateNow(): Promise<void> {
    const { state, connection } = this.#room;
    if (state.isOwner && connection.state !== 'connected') throw new ClientError(ERROR_CODES.OFFLINE);
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

  /** Stores a request of the user, and signals the work. */
  async #change(change: (draft: RoomDraft) => void): Promise<void> {
    await this.#room.write((draft) => {
      if (!draft.isOwner || draft.core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_OWNER);
      change(draft);
    });
    this.#room.signal();
  }

  #now(): number {
    return this.#room.platform.crypto.clock.now();
  }

  async next(): Promise<Due | Later | null> {
    const { state } = this.#room;
    this.#waiters.settle(state.core.epoch);
    while (state.isOwner && state.core.stage === 'member') {
      const { pending } = state.core;
      if (pending !== null) {
        if (await this.#isGone(pending)) {
          // New joins have waited for this command.
          this.#room.signal();
          continue;
        }
        return this.#sent.has(pending) ? null : this.#command(pending);
      }
      await this.#giveUpSettings();
      const work = this.#work(state);
      if (work === null) break;
      if (mayWait(work) && this.#lostPrekeys.wait(state, this.#now()) > 0) break;
      if (needsPrekeys(work)) return this.#askPrekeys();
      await this.#makeCommand(null);
    }
    if (!state.isOwner || state.core.stage !== 'member') return null;
    // Without the key nothing of them is signed, however long they have waited.
    const waits = state.current.key !== null && !sameSettings(wishedSettings(state), state.roster.settings);
    const now = this.#now();
    const fresh = freshRotationWait(state, now);
    const lost = this.#lostPrekeys.wait(state, now) || Infinity;
    const afterMs = Math.min(waits ? this.#settingsWait() : Infinity, this.#coldWait(state), fresh, lost);
    return afterMs === Infinity ? null : { afterMs };
  }

  /**
   * Milliseconds until an owner without the key makes a cold rotation by itself (section 7): others may have the key, and
   * are given a minute of this session to grant it.
   */
  #coldWait(snapshot: RoomSnapshot): number {
    const { core, roster, current } = snapshot;
    if (current.key !== null || core.imported || needsNewer(snapshot)) return Infinity;
    const { needKey } = core;
    if (core.rotationWanted || roster.members.size === 1) return 0;
    if (needKey === null) return Infinity;
    if (needKey.failed.length >= FAILED_GRANTS) return 0;
    const now = this.#now();
    // The minute begins again where the clock is set back during it.
    this.#sessionAt = Math.min(this.#sessionAt, now);
    const began = [needKey.since, this.#sessionAt];
    return Math.max(...began.map((since) => timeLeft(since, COLD_AFTER_MS, now)));
  }

  /** The next thing to sign, in the order of the head of this file; null: nothing now. */
  #work(snapshot: RoomSnapshot): Work | null {
    const { core, roster, current } = snapshot;
    if (needsNewer(snapshot)) return null;
    // Without the key the owner can only close the room, or rotate cold: nobody else may have the key.
    if (current.key === null) {
      if (core.tasks.close) return { kind: 'close' };
      return this.#coldWait(snapshot) <= 0 ? { kind: 'rotate' } : null;
    }
    if (core.mustRotate) return { kind: 'rotate' };
    const leaver = core.leaving.find(({ memberId }) => roster.members.has(memberId));
    if (leaver !== undefined) return { kind: 'leave', member: leaver.memberId, request: leaver.request };
    const removal = core.tasks.removals.find((memberId) => roster.members.has(memberId));
    if (removal !== undefined) return { kind: 'remove', member: removal };
    const invites = [...snapshot.invites.values()];
    const confirmed = invites.find((invite) => invite.stage === 'confirmed');
    if (confirmed !== undefined) return { kind: 'admit', invite: confirmed };
    const fresh = freshRotationWait(snapshot, this.#now()) <= 0;
    const byCount = core.epochMessages >= roster.settings.rotateEvery;
    const due = fresh || core.rotationWanted || byCount;
    // The joiner of a dropped join holds this key, whether the relay accepts the drop or not (G2).
    const ended = invites.some((invite) => invite.stage === 'dropping' && holdsKey(invite, core.epoch));
    const acceptance = core.ownershipTransfer?.acceptance ?? null;
    // An acceptance ends with its epoch, and the next owner rotates first: so the transfer goes before a due rotation.
    if (ended || (due && acceptance === null))
      return { kind: 'rotate', mayWait: byCount && !ended && !core.rotationWanted };
    const { settings } = core.tasks;
    const changes = settings !== null && !sameSettings(settings, roster.settings);
    if (changes && this.#settingsWait() <= 0) return { kind: 'settings', settings };
    if (core.ownershipTransfer !== null && acceptance !== null)
      return { kind: 'transfer', to: core.ownershipTransfer.memberId, acceptance };
    return core.tasks.close ? { kind: 'close' } : null;
  }

  /** Why this relay refuses the settings that wait to be signed; null: it does not, or none wait. */
  #settingsRefusal(snapshot: RoomSnapshot): ClientError | null {
    const { settings } = snapshot.core.tasks;
    return settings === null ? null : this.#limits.settingsRefusal(snapshot, settings);
  }

  /** Drops and shows waiting settings that the relay refuses by limits it did not have when they were stored. */
  async #giveUpSettings(): Promise<void> {
    if (this.#settingsRefusal(this.#room.state) === null) return;
    await this.#room.write((draft) => {
      const refusal = this.#settingsRefusal(draft);
      if (refusal === null) return;
      const { core } = draft;
      const event = refusal.code === ERROR_CODES.SETTINGS_LIMIT ? 'settingsRefused' : 'placesRefused';
      const line = system(event, { actor: core.me, numbers: { max: Number(refusal.params.max) } });
      const now = this.#now();
      draft.apply(set({ tasks: { ...core.tasks, settings: null } }), append(null, now, [line]));
    });
  }

  #askPrekeys(): Due {
    return {
      kind: 'prekeys',
      body: {},
      done: ({ prekeys }) => this.#makeCommand(prekeys),
      refused: (code) => this.#refused(code),
    };
  }

  /** Makes the next command and stores it before it is sent. `prekeys` null: they were not requested. */
  async #makeCommand(prekeys: Offered | null): Promise<void> {
    await this.#room.write(async (draft) => {
      // Chosen inside the write: a join may have been dropped while the vault was written.
      const work = draft.core.pending === null ? this.#work(draft) : null;
      if (work === null || (prekeys === null && needsPrekeys(work))) return;
      if (mayWait(work) && (await this.#isHeld(draft, prekeys ?? []))) return;
      const { crypto } = this.#room.platform;
      const made = await makeCommand(crypto, draft, work, prekeys ?? [], (inviteId) =>
        this.joins.markDropped(draft, inviteId, 'other'),
      );
      if (made !== null) draft.apply(set({ pending: made }));
    });
    // A join that has ended here is dropped at the relay.
    this.#room.signal();
  }

  /** Whether a rotation waits for prekeys that the relay has lost. */
  async #isHeld(draft: RoomDraft, offered: Offered): Promise<boolean> {
    if (!isLossFresh(draft, this.#now())) return false;
    const prekeys = await newestPrekeys(this.#room.platform.crypto.hash, draft, draft.roster, offered);
    return this.#lostPrekeys.holds(draft, prekeys, this.#now());
  }

  /** Whether the command is done, or void by what this client has verified: it is not sent any more. */
  #isGone(pending: PendingCommand): Promise<boolean> {
    return this.#room.write(async (draft) => {
      if (draft.core.pending !== pending) return true;
      if (!(await isVoid(this.#room.platform.crypto.hash, draft, pending))) return false;
      draft.apply(set({ pending: null }));
      return true;
    });
  }

  /**
   * After any refusal the same bytes are repeated: the word of the relay voids nothing. A single entry is then sent
   * as one to restore: a relay accepts what was signed within its earlier limits.
   */
  #command(pending: PendingCommand): Due | null {
    const sent = this.#sent;
    const restored = this.#restored === pending || this.#isHeldUp(pending);
    const command = commandOf(this.#room.state, pending, restored);
    if (command === null) return null;
    return {
      ...command,
      done: () => {
        sent.add(pending);
      },
      refused: (code) => {
        // Alternates: an admission is accepted as new only where nothing was lost.
        if (command.kind === 'restore') this.#restored = null;
        if (command.kind !== 'roster' || pending.rotation !== null || ROOM_REFUSALS.includes(code))
          return this.#refused(code);
        this.#restored = pending;
        return 'settled';
      },
    };
  }

  /** Whether a change of the settings waits for the rate limit of the relay: it would hold up what waits behind it. */
  #isHeldUp({ entry }: PendingCommand): boolean {
    const isSettings =
      entry !== null && decodeBody(containerBody(entry), ...ROSTER_KINDS).kind === 'settings';
    return isSettings && this.#settingsWait() > 0;
  }

  /** A member that is no longer the owner learns of the transfer from the log. */
  #refused(code: ErrorCode): RefusalOutcome {
    this.#waiters.fail(new ClientError(code));
    if (code === ERROR_CODES.FORBIDDEN && !this.#room.state.isOwner) return 'settled';
    return ROOM_REFUSALS.includes(code) ? 'unexpected' : 'waits';
  }

  /**
   * Milliseconds until the relay accepts another change of the settings. It is signed only then: a change that is
   * refused for its rate would hold up removals behind it.
   */
  #settingsWait(): number {
    const { state, platform } = this.#room;
    return this.#limits.settingsWait(state, platform.crypto.clock.now());
  }
}
