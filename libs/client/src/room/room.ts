/**
 * One room, live: its connection, the reading of its log, and the three pumps that act
 * on what was read: outbox, prekeys and, for the owner, roster and keys.
 *
 * Order of things (docs/protocol.md section 3): a new session opens at the position that
 * was taken in, catches up, settles the outbox against what it read, and only then sends.
 */
import {
  ALARM_CODES, comparePositions, decodeBody, ERROR_CODES, type Bytes, type Entry, type ErrorCode,
  type EventBody, type EventKind, type OpenReply,
} from '@0fc/protocol'; // prettier-ignore
import { verifyContainer } from '@0fc/crypto/verify';
import type { AnyContent } from '@0fc/protocol';
import type { ConnectionState, Failure } from '../api.js';
import { Connection } from '../connection.js';
import { ClientError, failureOf } from '../errors.js';
import type { Platform } from '../ports.js';
import type { RoomHandle } from './handle.js';
import { alarm, system } from './items.js';
import { Outbox } from './outbox.js';
import { Owner } from './owner.js';
import { Prekeys } from './prekeys.js';
import { Serial } from './serial.js';
import type { RoomState } from './state.js';
import { acceptGap, takeEntry, takeGeneration } from './take.js';

export interface RoomOptions {
  readonly platform: Platform;
  readonly url: string;
  readonly relayKey: Bytes;
  /** something that a view shows may have changed */
  readonly changed: () => void;
}

/** Errors after which the same request may succeed later. */
const PASSING: readonly ErrorCode[] = ['TRY_AGAIN', 'INTERNAL', 'RATE_LIMITED', 'STORE_FULL'];
const RETRY_MS = 2_000;
const ACK_EVERY = 50;
const ACK_MS = 5_000;

export class Room implements RoomHandle {
  readonly state: RoomState;
  readonly serial = new Serial();
  readonly platform: Platform;
  readonly relayKey: Bytes;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly owner: Owner;
  readonly prekeys: Prekeys;

  readonly #changed: () => void;
  #live = false;
  #started = false;
  #session = 0;
  #early: Entry[] = [];
  #acked = 0;
  #ackTimer: (() => void) | null = null;
  #retry: (() => void) | null = null;
  #connectionState: ConnectionState = 'offline';
  #stopped: Failure | null = null;

  constructor(options: RoomOptions, state: RoomState) {
    this.state = state;
    this.platform = options.platform;
    this.relayKey = options.relayKey;
    this.#changed = options.changed;
    this.connection = new Connection({
      url: options.url,
      relayKey: options.relayKey,
      identity: state.core.identity,
      platform: options.platform,
      onUp: () => {
        this.catchUp();
      },
      onEvent: (kind, body) => {
        this.#onEvent(kind, body);
      },
      onState: (connection, stopped) => {
        this.#connectionState = connection;
        if (stopped !== null) this.#stopped = stopped;
        if (connection !== 'connected') this.#live = false;
        this.#changed();
      },
    });
    this.outbox = new Outbox(this);
    this.owner = new Owner(this);
    this.prekeys = new Prekeys(this);
  }

  get live(): boolean {
    return this.#live;
  }

  get connectionState(): ConnectionState {
    return this.#connectionState;
  }

  get stopped(): Failure | null {
    return this.#stopped;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#stopped = null;
    this.connection.start();
  }

  /** Idempotent. What is in hand is still written; nothing more is sent. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#live = false;
    this.#session++;
    this.#ackTimer?.();
    this.#retry?.();
    this.owner.stop();
    this.connection.stop();
    await this.serial.run(() => undefined);
  }

  /** Stops for good, until the user acts; nothing is deleted (G14). */
  halt(failure: Failure): void {
    this.#stopped = failure;
    void this.stop().then(() => {
      this.#connectionState = 'stopped';
      this.#changed();
    });
  }

  /** Work that nobody waits for: what it fails of stops the room, and is shown. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.halt(failureOf(error));
    });
  }

  /** Writes what changed and tells the views; a vault that cannot be written stops the room. */
  async commit(): Promise<void> {
    try {
      await this.state.commit();
    } catch (error) {
      this.halt(failureOf(error));
      throw error;
    }
    this.#changed();
  }

  /** Sends what is due; safe to call at any time. */
  pump(): void {
    if (!this.#live) return;
    this.prekeys.pump();
    this.owner.pump();
    this.outbox.pump();
  }

  /** Puts a content into the outbox; resolves with the message's id once it is stored. */
  send(content: AnyContent): Promise<string> {
    return this.outbox.add(content);
  }

  /** Reads the log from the position taken in, until the feed follows. */
  catchUp(): void {
    this.#background(this.#catchUp());
  }

  async #catchUp(): Promise<void> {
    const session = ++this.#session;
    this.#live = false;
    this.#early = [];
    this.outbox.newSession();
    this.owner.newSession();
    try {
      for (let live = false; !live;) {
        const { core, roster } = this.state;
        const reply = await this.connection.request('open', {
          roomId: core.roomId,
          after: core.position,
          head: roster.head,
          epoch: core.epoch,
        });
        if (session !== this.#session) return;
        live = await this.serial.run(() => this.#takeOpen(reply));
        if (session !== this.#session) return;
      }
      const early = this.#early;
      this.#early = [];
      this.#live = this.state.core.stage === 'member';
      if (early.length > 0) await this.#takeLive(early);
      this.#changed();
      this.outbox.caughtUp();
      this.pump();
      this.#acknowledge();
    } catch (error) {
      if (session === this.#session) await this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.OFFLINE) return; // the connection comes back by itself and opens anew
    if (PASSING.includes(code)) {
      this.#retry?.();
      this.#retry = this.platform.timers.after(RETRY_MS, () => {
        if (this.#started) this.catchUp();
      });
      return;
    }
    if (code === ERROR_CODES.ROOM_UNKNOWN && this.#stopped === null) {
      await this.serial.run(async () => {
        this.state.append(null, this.platform.crypto.clock.now(), [alarm(ALARM_CODES.ALARM_ROOM_GONE)]);
        await this.commit();
      });
    }
    this.halt(failureOf(error));
  }

  async #takeOpen(reply: OpenReply): Promise<boolean> {
    const { state, platform } = this;
    const { hash, clock } = platform.crypto;
    if (reply.role === 'departed') {
      await this.#takeDeparture(reply.entries);
      return true;
    }
    for (const start of reply.generations) await takeGeneration(hash, state, start, clock.now());
    const { core } = state;
    if (comparePositions(reply.trimmed, core.position) > 0) {
      const numbers = { from: core.position.s + 1, to: reply.trimmed.s };
      state.append(null, clock.now(), [system('missed', { numbers })]);
      core.position = reply.trimmed;
      if (reply.trimmedT !== undefined) core.t = reply.trimmedT;
    }
    for (const entry of reply.entries) {
      if ((await takeEntry(hash, state, entry)) !== 'gap') continue;
      acceptGap(state, entry);
      await takeEntry(hash, state, entry);
    }
    this.prekeys.relayHas(reply.prekey);
    await this.commit();
    return reply.live;
  }

  /** The departed are served the one signed entry that says so, and believe nothing else. */
  async #takeDeparture(entries: readonly Entry[]): Promise<void> {
    const { state } = this;
    for (const entry of entries) {
      const owner = state.roster.members.get(state.roster.owner);
      if (owner === undefined || entry.kind !== 'roster') continue;
      const signed = decodeBody(verifyContainer(owner.key, entry.payload), 'remove', 'leave');
      if (signed.body.member !== state.core.me || signed.body.roomId !== state.core.roomId) continue;
      state.core.stage = signed.kind === 'leave' ? 'left' : 'removed';
      state.append(null, entry.time, [
        system(signed.kind === 'leave' ? 'left' : 'removed', {
          actor: state.roster.owner,
          member: state.core.me,
        }),
      ]);
    }
    await this.commit();
  }

  #onEvent<K extends EventKind>(kind: K, body: EventBody<K>): void {
    // The mapped type of the catalogue does not narrow by `kind`; each case names its own.
    switch (kind) {
      case 'entries': {
        const { entries } = body as EventBody<'entries'>;
        if (this.#live) this.#background(this.#takeLive(entries));
        else this.#early.push(...entries);
        return;
      }
      case 'generation':
        this.#background(
          this.serial.run(async () => {
            const { hash, clock } = this.platform.crypto;
            await takeGeneration(hash, this.state, body as EventBody<'generation'>, clock.now());
            await this.commit();
          }),
        );
        return;
      case 'join':
        this.owner.joins.onJoin(body as EventBody<'join'>);
        return;
      default:
        return;
    }
  }

  async #takeLive(entries: readonly Entry[]): Promise<void> {
    const whole = await this.serial.run(async () => {
      let contiguous = true;
      for (const entry of entries) {
        contiguous = (await takeEntry(this.platform.crypto.hash, this.state, entry)) !== 'gap';
        if (!contiguous) break;
      }
      await this.commit();
      return contiguous;
    });
    // A feed with a hole is read again from the log before anything is believed lost (G6).
    if (!whole) this.catchUp();
    else this.pump();
    this.#acknowledgeSoon();
  }

  #acknowledgeSoon(): void {
    if (this.state.core.position.s - this.#acked >= ACK_EVERY) this.#acknowledge();
    else
      this.#ackTimer ??= this.platform.timers.after(ACK_MS, () => {
        this.#ackTimer = null;
        this.#acknowledge();
      });
  }

  /** Governs trimming at the relay only: a lost one is made good by the next. */
  #acknowledge(): void {
    if (!this.#live || this.state.core.position.s <= this.#acked) return;
    const { position } = this.state.core;
    this.#acked = position.s;
    this.connection.request('ack', { position }).catch(() => {
      this.#acked = 0;
    });
  }
}
