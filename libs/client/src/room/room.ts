/**
 * One room, live: its connection, the reader of its log, and the parts that act on what was read: outbox, prekeys,
 * key requests, signals and, for the owner, roster and keys.
 *
 * Order (docs/protocol.md section 3): a new session opens the log at the last read position, catches up, settles the
 * outbox against it, and only then sends.
 */
import {
  ALARM_CODES, ERROR_CODES, type Bytes, type ErrorCode, type EventBody, type EventKind,
} from '@0fc/protocol'; // prettier-ignore
import type { ConnectionState, Failure, StopReason } from '../contract/api.js';
import { Connection } from '../link/connection.js';
import { ClientError, failureOf } from '../contract/errors.js';
import type { Platform } from '../contract/ports.js';
import { LeaveRequest } from './member/leave-request.js';
import type { RoomHandle, Part } from './outgoing/part.js';
import { OwnershipTransfer } from './member/ownership-transfer.js';
import { alarm } from './log/items.js';
import { needsNewer } from './log/room-keys.js';
import { KeyRequests } from './member/key-requests.js';
import { Outbox } from './member/outbox.js';
import { Outgoing } from './outgoing/lane.js';
import { isFinal, isOtherRelay, Resumption } from './outgoing/refusals.js';
import { Owner } from './owner/owner.js';
import { Prekeys } from './member/prekeys.js';
import { LogReader } from './outgoing/log-reader.js';
import { Signals } from './member/signals.js';
import { append, set, type RoomDraft } from './state/draft.js';
import type { RoomState } from './state/state.js';
import { Composer } from './member/composer.js';

export interface RoomOptions {
  readonly platform: Platform;
  readonly url: string;
  readonly relayKey: Bytes;
  /** why this room must not connect to a relay; null: it may */
  readonly blocked: Failure | null;
  readonly relayTime?: () => Promise<number>;
  readonly otherKey?: () => Promise<Failure>;
  /** whether the other members are told that this one is here */
  readonly sharesPresence: () => boolean;
  /** something that a view shows may have changed */
  readonly changed: () => void;
}

/** Codes of a vault that cannot be written. */
const VAULT_FAILURES: ReadonlySet<string> = new Set(['VAULT_FULL', 'VAULT_UNAVAILABLE', 'VAULT_LOCKED']);

export class Room implements RoomHandle {
  readonly state: RoomState;
  readonly platform: Platform;
  readonly relayKey: Bytes;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly owner: Owner;
  readonly prekeys: Prekeys;
  readonly keyRequests: KeyRequests;
  readonly leaveRequest: LeaveRequest;
  readonly ownershipTransfer: OwnershipTransfer;
  readonly signals: Signals;
  readonly composer: Composer;

  readonly #reader: LogReader;
  readonly #outgoing: Outgoing;
  readonly #resumption: Resumption;
  readonly #changed: () => void;
  readonly #barred: Failure | null;
  #started = false;
  #connectionState: ConnectionState = 'offline';
  #stopped: Failure | null = null;

  constructor(options: RoomOptions, state: RoomState) {
    this.state = state;
    this.platform = options.platform;
    this.relayKey = options.relayKey;
    this.#changed = options.changed;
    this.#barred = options.blocked;
    this.connection = new Connection({
      url: options.url,
      relayKey: options.relayKey,
      identity: state.core.identity,
      platform: options.platform,
      relayTime: options.relayTime,
      otherKey: options.otherKey,
      onUp: (hello) => {
        this.owner.onHello(hello);
        this.#outgoing.reset();
        this.catchUp();
      },
      onEvent: (kind, body) => {
        this.#onEvent(kind, body);
      },
      onState: (connection, stopped) => {
        this.#onState(connection, stopped);
      },
    });
    this.outbox = new Outbox(this);
    this.owner = new Owner(this);
    this.prekeys = new Prekeys(this, () => {
      this.signal();
    });
    this.keyRequests = new KeyRequests(this);
    this.leaveRequest = new LeaveRequest(this);
    this.ownershipTransfer = new OwnershipTransfer(this);
    this.signals = new Signals(this, options.sharesPresence);
    this.composer = new Composer(this, (content, more) => this.outbox.submit(content, more));
    const { prekeys, keyRequests, owner, ownershipTransfer, outbox, leaveRequest } = this;
    const parts = [prekeys, keyRequests, owner, owner.invites, ownershipTransfer, outbox, leaveRequest];
    this.#outgoing = new Outgoing(this, parts);
    this.#resumption = new Resumption(options.platform, () => {
      this.#start();
    });
    this.#reader = this.#makeReader();
  }

  #makeReader(): LogReader {
    return new LogReader(this, {
      started: () => {
        this.outbox.newSession();
        this.owner.newSession();
        this.ownershipTransfer.newSession();
        this.keyRequests.newSession();
        this.leaveRequest.newSession();
      },
      prekey: (container) => {
        this.prekeys.onRelayPrekey(container);
      },
      live: () => {
        this.#stopped = null;
        this.#resumption.reset();
        this.outbox.caughtUp();
        this.signals.caughtUp();
        this.signal();
        this.signals.live();
      },
      applied: (keys) => {
        this.signal();
        // Shows the other members that this one has read a removal (G10).
        if (keys) this.signals.soon();
      },
      ended: () => {
        void this.stop();
      },
    });
  }

  get live(): boolean {
    return this.#reader.live;
  }

  get restoring(): boolean {
    return this.#reader.restoring;
  }

  /** This room must not connect to a relay, for the lifetime of this object. */
  get blocked(): boolean {
    return this.#barred !== null;
  }

  /** The room is of an earlier version of the protocol: it is shown from the vault, and nothing more. */
  get outdated(): boolean {
    return this.#barred?.code === ERROR_CODES.ROOM_OUTDATED;
  }

  get connectionState(): ConnectionState {
    return this.#barred === null ? this.#connectionState : 'stopped';
  }

  /** Code of the refusal that is being retried; null: none. */
  get waiting(): ErrorCode | null {
    return this.#reader.waiting ?? this.#outgoing.waiting;
  }

  /** Why the link is stopped, or was before the last retry; null once the room is live. */
  get stopped(): StopReason | null {
    if (this.#barred !== null) return { ...this.#barred, resumes: false };
    return this.#stopped === null ? null : { ...this.#stopped, resumes: !isFinal(this.#stopped.code) };
  }

  /** A closed room connects once more: a relay that lost the closing gets it restored (section 6). */
  start(): void {
    const { stage } = this.state.core;
    if (this.#started || this.#barred !== null || stage === 'left' || stage === 'removed') return;
    this.#stopped = null;
    this.#resumption.reset();
    this.#start();
  }

  #start(): void {
    this.#resumption.cancel();
    this.#started = true;
    this.connection.start();
    this.changed();
  }

  /** Behind what a later version wrote nothing is signed or sealed but the wish to leave. */
  mutes(part: Part): boolean {
    return needsNewer(this.state) && part !== this.leaveRequest;
  }

  /** Throws the reason why this room is barred from its relay: nothing that names the relay to others is made then. */
  assertRelayKnown(): void {
    if (this.#barred !== null)
      throw new ClientError(this.#barred.code as ErrorCode, this.#barred.params ?? {});
  }

  /** Restores a room that the relay no longer has, at the request of the user. Rejects with NOT_MEMBER. */
  async restore(): Promise<void> {
    if (this.state.core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_MEMBER);
    await this.stop();
    this.#reader.requestRestore();
    this.start();
  }

  /** Idempotent. Running writes are completed; nothing more is sent or retried. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#resumption.cancel();
    this.#outgoing.reset();
    this.#reader.stop();
    this.signals.stop();
    this.owner.stop();
    this.connection.stop();
    this.#connectionState = 'offline';
    await this.state.serial.enqueue(() => undefined);
    this.changed();
  }

  halt(failure: Failure): void {
    // The first reason counts: its consequences do not replace it.
    if (!this.#started && this.#stopped !== null) return;
    this.#stopped = failure;
    void this.stop().then(() => {
      this.#connectionState = 'stopped';
      if (!this.#started) this.#resumption.later(failure.code);
      this.changed();
    });
  }

  changed(): void {
    this.#changed();
  }

  /** Work without a caller: a failure halts the room for a while, and is shown. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.halt(failureOf(error));
    });
  }

  async write<T>(work: (draft: RoomDraft) => Promise<T> | T): Promise<T> {
    try {
      const result = await this.state.write(work);
      this.changed();
      return result;
    } catch (error) {
      if (VAULT_FAILURES.has(ClientError.from(error).code)) this.halt(failureOf(error));
      throw error;
    }
  }

  /** Sends what is due; safe to call at any time. */
  signal(): void {
    if (this.live) this.#outgoing.signal();
  }

  async attempt(part: Part): Promise<void> {
    if (this.live) await this.#outgoing.attempt(part);
  }

  catchUp(): void {
    this.#reader.catchUp();
  }

  #onState(connection: ConnectionState, stopped: Failure | null): void {
    this.#connectionState = connection;
    if (stopped !== null) this.#stopped = stopped;
    if (connection === 'stopped') {
      this.#started = false;
      if (stopped !== null) this.#resumption.later(stopped.code);
    }
    if (connection !== 'connected') {
      this.#reader.down();
      this.signals.stop();
    }
    if (stopped !== null && isOtherRelay(stopped.code)) this.#background(this.#showRelayKey());
    this.changed();
  }

  /** Shows once, in the conversation, that the relay has another key than the pinned one (G13). */
  async #showRelayKey(): Promise<void> {
    await this.write((draft) => {
      if (draft.core.relayKeyShown) return;
      const now = this.platform.crypto.clock.now();
      draft.apply(set({ relayKeyShown: true }), append(null, now, [alarm(ALARM_CODES.ALARM_RELAY_KEY)]));
    });
  }

  #onEvent<K extends EventKind>(kind: K, body: EventBody<K>): void {
    // The mapped type of the catalogue does not narrow by `kind`; each case names its own.
    switch (kind) {
      case 'entries':
        this.#reader.onEntries(body as EventBody<'entries'>);
        return;
      case 'generation':
        this.#reader.onGeneration(body as EventBody<'generation'>);
        return;
      case 'signalled':
        this.signals.onSignal(body as EventBody<'signalled'>);
        return;
      case 'join':
        this.owner.joins.onJoin(body as EventBody<'join'>);
        return;
      case 'keyNeeded':
        this.keyRequests.onNeeded(body as EventBody<'keyNeeded'>);
        return;
      case 'keyGranted':
        this.#background(this.keyRequests.onGranted(body as EventBody<'keyGranted'>));
        return;
      case 'transferOffered':
        this.#background(this.ownershipTransfer.onOffered(body as EventBody<'transferOffered'>));
        return;
      case 'transferAccepted':
        this.#background(this.ownershipTransfer.onAccepted(body as EventBody<'transferAccepted'>));
        return;
      default:
        return;
    }
  }
}
