/**
 * Reading a room's log: from the position taken in to its end by pages, then by the feed
 * (docs/protocol.md sections 3, 6, 8). What the relay's store has lost is brought back before
 * anything else is done.
 */
import {
  ALARM_CODES, comparePositions, ERROR_CODES, type Entry, type EventBody, type OpenReply,
} from '@0fc/protocol'; // prettier-ignore
import { ClientError, failureOf } from '../errors.js';
import { takeGeneration } from './generations.js';
import type { RoomHandle } from './handle.js';
import { alarm, system } from './items.js';
import { isPassing } from './passing.js';
import { checkPlausible } from './plausible.js';
import { lagsBehind, restoreMissing } from './restore.js';
import { followToEnd } from './skipped.js';
import { acceptGap, takeEntry } from './take.js';
import { provenDeparture } from './take-roster.js';
import { takeTrimmedRotation } from './take-rotation.js';

const RETRY_MS = 2_000;
const ACK_EVERY = 50;
const ACK_MS = 5_000;

export interface ReaderEvents {
  /** a catch-up begins: what was sent before may have to be sent again */
  begun(): void;
  /** the number of this member’s newest prekey at the relay */
  prekey(k: number): void;
  /** the end of the log is reached, and the feed follows */
  live(): void;
  /** entries of the feed were taken in; `keys`: the roster or the epoch is another one */
  taken(keys: boolean): void;
  /** this member is not served any more, and knows why */
  ended(): void;
}

export class Reader {
  readonly #room: RoomHandle;
  readonly #events: ReaderEvents;
  #live = false;
  #restoring = false;
  /** restores in a row that did not bring the log to where this client is */
  #vain = 0;
  /** the user has asked to bring a room back that the relay does not have */
  #reviving = false;
  #session = 0;
  #early: Entry[] = [];
  #acked = 0;
  #ackTimer: (() => void) | null = null;
  #retry: (() => void) | null = null;

  constructor(room: RoomHandle, events: ReaderEvents) {
    this.#room = room;
    this.#events = events;
  }

  get live(): boolean {
    return this.#live;
  }

  get restoring(): boolean {
    return this.#restoring;
  }

  /** The link has fallen: what it brought is read again from the log. */
  down(): void {
    this.#live = false;
  }

  stop(): void {
    this.#live = false;
    this.#session++;
    this.#retry?.();
    this.#ackTimer?.();
    this.#ackTimer = null;
  }

  revive(): void {
    this.#reviving = true;
  }

  /** Reads the log from the position taken in, until the feed follows. */
  catchUp(): void {
    this.#background(this.#catchUp());
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#room.halt(failureOf(error));
    });
  }

  async #catchUp(): Promise<void> {
    const session = ++this.#session;
    this.#live = false;
    this.#early = [];
    this.#events.begun();
    try {
      const end = await this.#readPages(session);
      if (end === null) return;
      if (await this.#restored(session, end)) return;
      const early = this.#early;
      this.#early = [];
      if (this.#room.state.core.stage !== 'member') {
        this.#events.ended();
        return;
      }
      this.#live = true;
      if (early.length > 0) await this.#takeLive(early);
      this.#room.changed();
      this.#events.live();
      this.#acknowledge();
    } catch (error) {
      if (session === this.#session) await this.#failed(error);
    }
  }

  /** The last page of the log; null when another catch-up has begun, or this member has gone. */
  async #readPages(session: number): Promise<OpenReply | null> {
    const { state, connection, serial } = this.#room;
    for (;;) {
      const { core, roster } = state;
      const { roomId, position: after, epoch } = core;
      const reply = await connection.request('open', { roomId, after, head: roster.head, epoch });
      if (session !== this.#session) return null;
      checkPlausible(reply, this.#room.platform.crypto.clock.now());
      if (reply.role === 'departed') {
        if (await serial.run(() => this.#takeDeparture(reply.entries))) this.#events.ended();
        return null;
      }
      const trimmed = comparePositions(reply.trimmed, core.position) > 0;
      if ((trimmed || core.skipped) && state.chainAhead.length === 0) await this.#fetchChain();
      const done = await serial.run(() => this.#takePage(reply));
      if (session !== this.#session) return null;
      if (done) return reply;
    }
  }

  /** The roster chain is never trimmed: what of it lies in a trimmed range is followed all the same. */
  async #fetchChain(): Promise<void> {
    const { state, connection } = this.#room;
    for (let more = true; more;) {
      const page = await connection.request('chain', { from: state.chain.length + state.chainAhead.length });
      state.chainAhead.push(...page.entries);
      ({ more } = page);
      if (more && page.entries.length === 0) throw new ClientError(ERROR_CODES.RELAY_LIED);
    }
  }

  async #takePage(reply: OpenReply): Promise<boolean> {
    const { state, platform } = this.#room;
    const { hash, clock } = platform.crypto;
    for (const start of reply.generations) await takeGeneration(hash, state, start, clock.now());
    const { core } = state;
    if (comparePositions(reply.trimmed, core.position) > 0) {
      const numbers = { from: core.position.s + 1, to: reply.trimmed.s };
      state.append(null, clock.now(), [system('missed', { numbers })]);
      core.position = reply.trimmed;
      if (reply.trimmedT !== undefined) core.t = reply.trimmedT;
      state.rememberTranscript(core.position, core.t);
      core.skipped = true;
      if (reply.rotation !== undefined) await takeTrimmedRotation(hash, state, reply.rotation);
    }
    for (const entry of reply.entries) {
      if ((await takeEntry(hash, state, entry)) !== 'gap') continue;
      acceptGap(state, entry);
      await takeEntry(hash, state, entry);
    }
    if (reply.live) {
      core.epochMessages = reply.epochMessages;
      await followToEnd(hash, state, reply.head);
    }
    this.#events.prekey(reply.prekey);
    await this.#room.commit();
    return reply.live;
  }

  /** True: the log lacked what is known here, and is read again once that has been sent. */
  async #restored(session: number, end: OpenReply): Promise<boolean> {
    const lags = lagsBehind(this.#room.state, end);
    this.#restoring = lags;
    if (!lags) {
      this.#vain = 0;
      return false;
    }
    this.#room.changed();
    await restoreMissing(this.#room, end);
    if (session !== this.#session) return true;
    if (this.#vain++ === 0) this.catchUp();
    else this.#again();
    return true;
  }

  #again(): void {
    this.#retry?.();
    this.#retry = this.#room.platform.timers.after(RETRY_MS, () => {
      this.catchUp();
    });
  }

  async #failed(error: unknown): Promise<void> {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.OFFLINE) return; // the connection comes back by itself and opens anew
    // What another client has restored meanwhile is read first.
    if (isPassing(code) || (this.#restoring && MOVED.has(code))) {
      this.#again();
      return;
    }
    const { state, serial, platform } = this.#room;
    if (code === ERROR_CODES.ROOM_UNKNOWN || code === ERROR_CODES.ROOM_CLOSED) {
      if (state.core.stage !== 'member') {
        this.#events.ended();
        return;
      }
      if (code === ERROR_CODES.ROOM_UNKNOWN && this.#reviving) {
        this.#reviving = false;
        await this.#revived();
        return;
      }
      await serial.run(async () => {
        state.append(null, platform.crypto.clock.now(), [alarm(ALARM_CODES.ALARM_ROOM_GONE)]);
        await this.#room.commit();
      });
    }
    this.#room.halt(failureOf(error));
  }

  async #revived(): Promise<void> {
    try {
      await restoreMissing(this.#room, null);
      this.catchUp();
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code === ERROR_CODES.OFFLINE) {
        this.#reviving = true; // goes on with the next session
        return;
      }
      this.#room.halt(failureOf(error));
    }
  }

  /** The departed are served the one signed entry that says so, and believe nothing else. */
  async #takeDeparture(entries: readonly Entry[]): Promise<boolean> {
    const { state, platform } = this.#room;
    const { core } = state;
    if (core.stage !== 'member') return true;
    for (const entry of entries) {
      const how = provenDeparture(state, entry);
      if (how === null) continue;
      core.stage = how;
      const item =
        how === 'closed'
          ? system('closed', { actor: state.roster.owner })
          : system(how, { actor: state.roster.owner, member: core.me });
      state.append(null, entry.time, [item]);
      await this.#room.commit();
      return true;
    }
    // Said without a proof: refusing service is all that a relay can do.
    state.append(null, platform.crypto.clock.now(), [alarm(ALARM_CODES.ALARM_ROOM_GONE)]);
    await this.#room.commit();
    this.#room.halt({ code: ERROR_CODES.ROOM_UNKNOWN });
    return false;
  }

  onEntries({ entries }: EventBody<'entries'>): void {
    if (this.#live) this.#background(this.#takeLive(entries));
    else this.#early.push(...entries);
  }

  /** Told while live: where it loses nothing of what is here it is only noted, else the log is read again. */
  onGeneration(start: EventBody<'generation'>): void {
    const { state, serial, platform } = this.#room;
    this.#background(
      serial.run(async () => {
        const now = platform.crypto.clock.now();
        checkPlausible({ generations: [start] }, now);
        await takeGeneration(platform.crypto.hash, state, start, now);
        await this.#room.commit();
        if (state.core.losses.at(-1)?.generation === start.generation) this.catchUp();
      }),
    );
  }

  async #takeLive(entries: readonly Entry[]): Promise<void> {
    const { state, serial, platform } = this.#room;
    const { head } = state.roster;
    const { epoch } = state.core;
    const whole = await serial.run(async () => {
      let contiguous = true;
      for (const entry of entries) {
        contiguous = (await takeEntry(platform.crypto.hash, state, entry)) !== 'gap';
        if (!contiguous) break;
      }
      await this.#room.commit();
      return contiguous;
    });
    if (state.core.stage !== 'member') {
      this.#live = false;
      this.#events.ended();
      return;
    }
    // A feed with a hole is read again from the log before anything is believed lost (G6).
    if (whole) this.#events.taken(head !== state.roster.head || epoch !== state.core.epoch);
    else this.catchUp();
    this.#acknowledgeSoon();
  }

  #acknowledgeSoon(): void {
    if (this.#room.state.core.position.s - this.#acked >= ACK_EVERY) this.#acknowledge();
    else
      this.#ackTimer ??= this.#room.platform.timers.after(ACK_MS, () => {
        this.#ackTimer = null;
        this.#acknowledge();
      });
  }

  /** Governs trimming at the relay only: a lost one is made good by the next. */
  #acknowledge(): void {
    const { position } = this.#room.state.core;
    if (!this.#live || position.s <= this.#acked) return;
    this.#acked = position.s;
    this.#room.connection.request('ack', { position }).catch(() => {
      this.#acked = 0;
    });
  }
}

/** What a restore may meet that another client has got ahead with, or that still waits for a rotation. */
const MOVED: ReadonlySet<string> = new Set(['STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD', 'BAD_ENTRY']);
