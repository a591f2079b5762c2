/**
 * What the owner's client does besides talking (docs/protocol.md sections 4, 5, 7): one
 * roster or rotation command in flight, its bytes stored first and repeated exactly. What it
 * is asked to do is stored too, and done in this order: what is in flight, a new owner's first
 * rotation, leaves, removals, confirmed joins, a due rotation, the rest. New joins come last (invites.ts).
 */
import { decodeBody, ERROR_CODES, ROSTER_KINDS, type Bytes, type ErrorCode, type EventBody, type MemberId, type RoomSettings } from '@0fc/protocol'; // prettier-ignore
import { containerBody } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomSettingsView } from '../../contract/api.js';
import type { RoomHandle, Due, Outcome, Later, Part } from '../outgoing/part.js';
import { holdsKey, OwnerInvites } from './invites.js';
import { OwnerJoins } from './joins.js';
import {
  makeAdmit,
  makeDeparture,
  makeEntry,
  makeRotationCommand,
  type Offered,
  commandOf,
} from './commands.js';
import { isVoid } from '../log/pending.js';
import { system } from '../log/items.js';
import { sameSettings, wishedSettings } from '../log/settings.js';
import { RotationWaiters } from './rotation-waiters.js';
import { RelayLimits } from './relay-limits.js';
import { append, putInvite, set } from '../state/changes.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import type { OwnerInvite, PendingCommand } from '../../vault/records.js';

/** A joiner that no client would take: its join ends, and nothing was signed. */
const UNADMITTABLE: readonly ErrorCode[] = [
  'ROOM_FULL', 'WAS_MEMBER', 'ALREADY_MEMBER', 'BAD_ENTRY', 'BAD_KEY', 'BAD_SIGNATURE',
]; // prettier-ignore

/** Refusals that are about the room, and not about what was asked. */
const ROOM_REFUSALS: readonly ErrorCode[] = ['ROOM_UNKNOWN', 'ROOM_CLOSED', 'RELAY_LIED'];

export class Owner implements Part {
  readonly #room: RoomHandle;
  readonly #waiters = new RotationWaiters();
  /** commands that were sent in this session, and are waited for in the log */
  #sent = new Set<PendingCommand>();
  /** the command that goes as an entry to be restored: the relay has lost its invite, or takes no new one of its like */
  #restored: PendingCommand | null = null;
  readonly #limits = new RelayLimits();
  readonly joins: OwnerJoins;
  readonly invites: OwnerInvites;

  constructor(room: RoomHandle) {
    this.#room = room;
    this.joins = new OwnerJoins(room, {
      decided: () => {
        room.signal();
      },
      resend: (inviteId) => {
        this.invites.resend(inviteId);
      },
      refuse: (inviteId) => {
        this.invites.refuse(inviteId);
      },
    });
    const busy = (): boolean => room.state.core.pending !== null || this.#work(room.state) !== null;
    this.invites = new OwnerInvites(room, this.joins, this.#limits, busy);
  }

  /** What this relay publishes of its limits. */
  onHello(hello: EventBody<'hello'>): void {
    this.#limits.publish(hello);
  }

  newSession(): void {
    this.#sent = new Set();
    this.#restored = null;
    this.joins.newSession();
    this.invites.newSession();
  }

  stop(): void {
    this.#waiters.fail(new ClientError(ERROR_CODES.OFFLINE));
  }

  /** Resolves once the relay knows or, where that takes longer, once it is stored to be told. */
  async revoke(inviteId: string): Promise<void> {
    await this.#change((draft) => {
      const known = draft.invites.get(inviteId);
      const inFlight = draft.core.pending?.inviteId === inviteId;
      if (known === undefined || inFlight) throw new ClientError(ERROR_CODES.INVITE_UNKNOWN);
      draft.apply(putInvite({ ...known, stage: 'dropping', dropReason: 'revoked' }));
    });
    await this.#room.attempt(this.invites);
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

  /** What is not named stays as it is wished for already. The values are within their bounds already (checks.ts). */
  async changeSettings(settings: Partial<RoomSettingsView>): Promise<void> {
    await this.#change((draft) => {
      const { core, roster } = draft;
      const wished = { ...wishedSettings(draft), ...settings };
      // Before anything is signed: an entry that the relay refuses could not be taken back.
      const refusal = this.#limits.settingsRefusal(draft, wished);
      if (refusal !== null) throw refusal;
      // One that is signed already comes into the log: taking it back is another change.
      const done = core.pending === null && sameSettings(wished, roster.settings);
      draft.apply(set({ tasks: { ...core.tasks, settings: done ? null : wished } }));
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

  /** Resolves when the log holds the rotation. While the log is still read, that is waited for; without a link it is not. */
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

  /** What the owner is asked to do is stored first, and then done. */
  async #change(change: (draft: RoomDraft) => void): Promise<void> {
    await this.#room.write((draft) => {
      if (!draft.isOwner || draft.core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_OWNER);
      change(draft);
    });
    this.#room.signal();
  }

  async next(): Promise<Due | Later | null> {
    const { state } = this.#room;
    this.#waiters.settle(state.core.epoch);
    while (state.isOwner && state.core.stage === 'member') {
      const { pending } = state.core;
      if (pending !== null) {
        if (await this.#isGone(pending)) {
          // New joins have waited for it.
          this.#room.signal();
          continue;
        }
        return this.#sent.has(pending) ? null : this.#command(pending);
      }
      await this.#giveUpSettings();
      const work = this.#work(state);
      if (work === null) break;
      if (needsPrekeys(work)) return this.#askPrekeys();
      await this.#makeCommand(null);
    }
    const waits = state.isOwner && !sameSettings(wishedSettings(state), state.roster.settings);
    return waits ? { afterMs: this.#settingsWait() } : null;
  }

  /** What is to be signed next, in the order of this file's head; null: nothing now. */
  #work(snapshot: RoomSnapshot): Work | null {
    const { core, roster, current } = snapshot;
    // Without the key nothing else can be made, and whoever made it may have given it to nobody: a room can be ended.
    if (current.key === null) return core.tasks.close ? { kind: 'close' } : null;
    if (core.mustRotate) return { kind: 'rotate' };
    const leaver = core.leaving.find(({ memberId }) => roster.members.has(memberId));
    if (leaver !== undefined) return { kind: 'leave', member: leaver.memberId, request: leaver.request };
    const removal = core.tasks.removals.find((memberId) => roster.members.has(memberId));
    if (removal !== undefined) return { kind: 'remove', member: removal };
    const invites = [...snapshot.invites.values()];
    const confirmed = invites.find((invite) => invite.stage === 'confirmed');
    if (confirmed !== undefined) return { kind: 'admit', invite: confirmed };
    const due = core.rotationWanted || core.epochMessages >= roster.settings.rotateEvery;
    // A join that has ended holds this key, whether the relay takes its end or not (G2).
    const ended = invites.some((invite) => invite.stage === 'dropping' && holdsKey(invite, core.epoch));
    if (due || ended) return { kind: 'rotate' };
    const { settings } = core.tasks;
    const changes = settings !== null && !sameSettings(settings, roster.settings);
    if (changes && this.#settingsWait() <= 0) return { kind: 'settings', settings };
    const acceptance = core.handOver?.acceptance ?? null;
    if (core.handOver !== null && acceptance !== null)
      return { kind: 'transfer', to: core.handOver.memberId, acceptance };
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
      const now = this.#room.platform.crypto.clock.now();
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

  /** Makes the next command and stores it before it is sent. `prekeys` null: they were not asked for. */
  async #makeCommand(prekeys: Offered | null): Promise<void> {
    await this.#room.write(async (draft) => {
      // Chosen in the turn that signs: a join may have been dropped while the vault was being written.
      const work = draft.core.pending === null ? this.#work(draft) : null;
      if (work === null || (prekeys === null && needsPrekeys(work))) return;
      const made = await this.#make(draft, work, prekeys ?? []);
      if (made !== null) draft.apply(set({ pending: made }));
    });
    // A join that has ended here is told to the relay.
    this.#room.signal();
  }

  async #make(draft: RoomDraft, work: Work, prekeys: Offered): Promise<PendingCommand | null> {
    const { crypto } = this.#room.platform;
    switch (work.kind) {
      case 'rotate':
        return makeRotationCommand(crypto, draft, prekeys);
      case 'leave':
      case 'remove':
        return makeDeparture(crypto, draft, work, prekeys);
      case 'admit':
        try {
          return await makeAdmit(crypto.hash, draft, work.invite);
        } catch (error) {
          const { code } = ClientError.from(error);
          if (!UNADMITTABLE.includes(code)) throw error;
          // It was answered: the link of whoever holds a key is used, also where it is a place that is missing.
          this.joins.markDropped(draft, work.invite.inviteId, 'other');
          return null;
        }
      default:
        return makeEntry(crypto.hash, draft, work);
    }
  }

  /** Done, or void by what was verified here: it is not sent any more. */
  #isGone(pending: PendingCommand): Promise<boolean> {
    return this.#room.write(async (draft) => {
      if (draft.core.pending !== pending) return true;
      if (!(await isVoid(this.#room.platform.crypto.hash, draft, pending))) return false;
      draft.apply(set({ pending: null }));
      return true;
    });
  }

  /**
   * Whatever it is refused with, the same bytes go again: the relay's word voids nothing. An entry that goes alone goes
   * as one to be restored then: what was signed within the limits of its day is taken whatever they are by now.
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
        // By turns: an admission is taken as new alone where nothing was lost.
        if (command.kind === 'restore') this.#restored = null;
        if (command.kind !== 'roster' || pending.rotation !== null || ROOM_REFUSALS.includes(code))
          return this.#refused(code);
        this.#restored = pending;
        return 'settled';
      },
    };
  }

  /** A change of the settings that was signed under another rate would hold up what waits behind it. */
  #isHeldUp({ entry }: PendingCommand): boolean {
    const isSettings =
      entry !== null && decodeBody(containerBody(entry), ...ROSTER_KINDS).kind === 'settings';
    return isSettings && this.#settingsWait() > 0;
  }

  /** Who may not say this any more has handed the room over meanwhile, and learns it from the log. */
  #refused(code: ErrorCode): Outcome {
    this.#waiters.fail(new ClientError(code));
    if (code === ERROR_CODES.FORBIDDEN && !this.#room.state.isOwner) return 'settled';
    return ROOM_REFUSALS.includes(code) ? 'unexpected' : 'waits';
  }

  /**
   * Milliseconds until the relay takes another change of the settings. It is signed only then: one that is refused
   * for its rate would hold up removals behind it.
   */
  #settingsWait(): number {
    const { state, platform } = this.#room;
    return this.#limits.settingsWait(state, platform.crypto.clock.now());
  }
}

type Work =
  | { readonly kind: 'rotate' }
  | { readonly kind: 'leave'; readonly member: MemberId; readonly request: Bytes }
  | { readonly kind: 'remove'; readonly member: MemberId }
  | { readonly kind: 'admit'; readonly invite: OwnerInvite }
  | { readonly kind: 'settings'; readonly settings: RoomSettings }
  | { readonly kind: 'transfer'; readonly to: MemberId; readonly acceptance: Bytes }
  | { readonly kind: 'close' };

/** What makes a fresh key, for everybody's newest prekey. */
const needsPrekeys = ({ kind }: Work): boolean => kind === 'rotate' || kind === 'leave' || kind === 'remove';
