/**
 * Reads the log of a room: from the last read position to its end by pages, then by the feed (docs/protocol.md
 * sections 3, 6, 8). What the relay's store has lost is restored before anything else.
 */
import {
  comparePositions, ERROR_CODES, type Bytes, type Entry, type ErrorCode, type EventBody, type OpenReply,
} from '@0fc/protocol'; // prettier-ignore
import { ClientError, failureOf } from '../../contract/errors.js';
import { Backoff } from '../../link/backoff.js';
import type { RoomHandle } from './part.js';
import { applyDepartureInChain, applyOwnDeparture, showRoomGone } from '../log/departed.js';
import { applyGeneration } from '../log/generations.js';
import { applyExplanation, applyFeed, applyPage, checkRelayClaim, EntryResults } from '../log/page.js';
import { Acknowledgements } from './acknowledgements.js';
import { isRetryable } from './refusals.js';
import { fetchChain, fetchDepartedChain, isExplained, readUnexplained } from './log-queries.js';
import { lagsBehind, restoreMissing } from './restore.js';

/** Number of pages in a row that may bring no entry. */
const EMPTY_PAGES = 3;
/** Number of feed entries that are kept during a catch-up. */
const EARLY_MOST = 4_096;

export interface LogReaderEvents {
  /** a catch-up begins: earlier requests may have to be repeated */
  started(): void;
  /** this member’s newest signed prekey at the relay; throws RELAY_LIED for one that it did not sign */
  prekey(container: Bytes | null): void;
  /** the log was read to its end, and the feed follows */
  live(): void;
  /** entries of the feed were applied; `keys`: the roster or the epoch has changed */
  applied(keys: boolean): void;
  /** this member has departed, and the reason is stored */
  ended(): void;
}

export class LogReader {
  readonly #room: RoomHandle;
  readonly #events: LogReaderEvents;
  #live = false;
  #restoring = false;
  /** number of restores in a row after which the log still lacked something */
  #fruitlessRestores = 0;
  /** the user has requested to restore a room that the relay does not have */
  #restoreRequested = false;
  #session = 0;
  #early: Entry[] = [];
  readonly #acknowledgements: Acknowledgements;
  #waiting: ErrorCode | null = null;
  #retry: (() => void) | null = null;
  readonly #backoff: Backoff;

  constructor(room: RoomHandle, events: LogReaderEvents) {
    this.#room = room;
    this.#events = events;
    this.#acknowledgements = new Acknowledgements(room);
    this.#backoff = new Backoff(room.platform.crypto.random);
  }

  get live(): boolean {
    return this.#live;
  }

  /** Code of the refusal for which reading the log is retried by itself; null: none. */
  get waiting(): ErrorCode | null {
    return this.#waiting;
  }

  get restoring(): boolean {
    return this.#restoring;
  }

  /** The link is down: the log is read again from the last read position. */
  down(): void {
    this.#live = false;
    this.#early = [];
  }

  stop(): void {
    this.#live = false;
    this.#session++;
    this.#retry?.();
    this.#acknowledgements.stop();
  }

  requestRestore(): void {
    this.#restoreRequested = true;
  }

  /** Reads the log from the last read position to its end; the feed follows. */
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
    this.#events.started();
    try {
      const end = await this.#readPages(session);
      if (end === null) return;
      if (await this.#restored(session, end)) return;
      if (!isExplained(this.#room.state, end)) {
        await this.#explain(session, end);
        return;
      }
      const early = this.#early;
      this.#early = [];
      if (this.#room.state.core.stage !== 'member') {
        this.#events.ended();
        return;
      }
      this.#live = true;
      this.#backoff.reset();
      this.#waiting = null;
      if (early.length > 0) await this.#applyLive(early);
      this.#room.changed();
      this.#events.live();
      this.#acknowledgements.now();
    } catch (error) {
      if (session === this.#session) await this.#failed(error);
    }
  }

  /** The last page of the log; null when another catch-up has begun, or this member has departed. */
  async #readPages(session: number): Promise<OpenReply | null> {
    const { state, connection } = this.#room;
    let empty = 0;
    for (;;) {
      const { core, roster } = state;
      const { roomId, position: after, epoch } = core;
      const reply = await connection.request('open', { roomId, after, head: roster.head, epoch });
      if (session !== this.#session) return null;
      checkRelayClaim(reply, this.#room.platform.crypto.clock.now());
      if (reply.role === 'departed') {
        if (await this.#applyDeparture(session, reply.entries)) this.#events.ended();
        return null;
      }
      // Checked before any change: the prekey that the relay names must be signed by this member.
      this.#events.prekey(reply.prekey);
      const trimmed = comparePositions(reply.trimmed, core.position) > 0;
      const behind = (trimmed || core.skipped) && state.chainAhead.length === 0;
      const read = behind ? await fetchChain(connection, this.#room.platform, { roomId, roster }) : null;
      const chain = read?.entries ?? null;
      const now = this.#room.platform.crypto.clock.now();
      const { hash } = this.#room.platform.crypto;
      const results = new EntryResults();
      const ends = await this.#room.write((draft) => applyPage(hash, draft, { reply, chain, now }, results));
      if (session !== this.#session) return null;
      if (ends === 'live') return reply;
      if (ends === 'unexplained') {
        await this.#explain(session, reply);
        return null;
      }
      // Generations and trimmed ranges fill few pages: a relay that pages without entries would never end.
      const moved = reply.entries.length > 0 && comparePositions(state.core.position, after) > 0;
      empty = moved ? 0 : empty + 1;
      if (empty >= EMPTY_PAGES) throw new ClientError(ERROR_CODES.RELAY_LIED);
    }
  }

  /** True: the log lacked entries that this client holds; they were sent, and the log is read again. */
  async #restored(session: number, end: OpenReply): Promise<boolean> {
    const lags = lagsBehind(this.#room.state, end);
    this.#restoring = lags;
    if (!lags) {
      this.#fruitlessRestores = 0;
      return false;
    }
    this.#room.changed();
    await restoreMissing(this.#room, end);
    if (session !== this.#session) return true;
    if (this.#fruitlessRestores++ === 0) this.catchUp();
    else this.#retryLater();
    return true;
  }

  /**
   * The end of the log has a head or an epoch that no read entry explains: an entry was altered or left out, for this
   * client alone. Nothing is sealed meanwhile. The chain is applied up to that head, and the part in between is
   * treated as a trimmed range; rotations that the relay now serves whole are applied, and missing keys are
   * requested. Throws RELAY_LIED where that does not explain the end either.
   */
  async #explain(session: number, end: OpenReply): Promise<void> {
    const read = await readUnexplained(this.#room, () => session === this.#session);
    if (read === null) return;
    const { hash } = this.#room.platform.crypto;
    await this.#room.write((draft) => applyExplanation(hash, draft, read, end.head));
    if (!isExplained(this.#room.state, end)) throw new ClientError(ERROR_CODES.RELAY_LIED);
    this.catchUp();
  }

  #retryLater(): void {
    this.#retry?.();
    this.#retry = this.#room.platform.timers.after(this.#backoff.next(), () => {
      this.catchUp();
    });
  }

  #wait(code: ErrorCode): void {
    this.#waiting = code;
    this.#room.changed();
    this.#retryLater();
  }

  async #failed(error: unknown): Promise<void> {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.OFFLINE) return; // the connection reconnects by itself, and catches up again
    // Entries that another client has restored meanwhile are read first.
    if (isRetryable(code) || (this.#restoring && MOVED.has(code))) {
      this.#wait(code);
      return;
    }
    const { state } = this.#room;
    if (code === ERROR_CODES.ROOM_UNKNOWN || code === ERROR_CODES.ROOM_CLOSED) {
      if (state.core.stage !== 'member') {
        this.#events.ended();
        return;
      }
      if (code === ERROR_CODES.ROOM_UNKNOWN && this.#restoreRequested) {
        this.#restoreRequested = false;
        await this.#restoreAll();
        return;
      }
      await this.#showRoomGone();
    }
    this.#room.halt(failureOf(error));
  }

  async #restoreAll(): Promise<void> {
    try {
      await restoreMissing(this.#room, null);
      this.catchUp();
    } catch (error) {
      const { code } = ClientError.from(error);
      // A requested restore is retried until it succeeds: in the next session, or after a delay.
      this.#restoreRequested = code === ERROR_CODES.OFFLINE || isRetryable(code);
      if (isRetryable(code)) this.#wait(code);
      else if (code !== ERROR_CODES.OFFLINE) this.#room.halt(failureOf(error));
    }
  }

  /**
   * Applies the end of this membership. The relay serves a departed member the signed entry that proves it, and the
   * chain up to that entry, since its signer may have become the owner meanwhile. False: not proven, or another
   * catch-up has begun.
   */
  async #applyDeparture(session: number, entries: readonly Entry[]): Promise<boolean> {
    const { connection, state, platform } = this.#room;
    if (await this.#room.write((draft) => applyOwnDeparture(draft, entries))) return true;
    const { core, roster } = state;
    const chain = await fetchDepartedChain(connection, platform, { roomId: core.roomId, roster });
    if (session !== this.#session) return false;
    const time = entries.at(-1)?.time ?? platform.crypto.clock.now();
    const { hash } = platform.crypto;
    if (await this.#room.write((draft) => applyDepartureInChain(hash, draft, chain, time))) return true;
    // Unproven, this is only a claim of the relay: it can refuse service, and no more.
    await this.#showRoomGone();
    this.#room.halt({ code: ERROR_CODES.ROOM_UNKNOWN });
    return false;
  }

  async #showRoomGone(): Promise<void> {
    const now = this.#room.platform.crypto.clock.now();
    await this.#room.write((draft) => {
      showRoomGone(draft, now);
    });
  }

  onEntries({ entries }: EventBody<'entries'>): void {
    if (this.#live) this.#background(this.#applyLive(entries));
    // Beyond that number they are read from the log instead.
    else if (this.#early.length + entries.length <= EARLY_MOST) this.#early.push(...entries);
    else this.#early = [];
  }

  /**
   * The relay announces a generation while the room is live. Without a loss it is stored; with one the log is read
   * again.
   */
  onGeneration(start: EventBody<'generation'>): void {
    this.#background(this.#applyGeneration(start));
  }

  async #applyGeneration(start: EventBody<'generation'>): Promise<void> {
    const { state, platform } = this.#room;
    const now = platform.crypto.clock.now();
    checkRelayClaim({ generations: [start] }, now);
    await this.#room.write((draft) => applyGeneration(platform.crypto.hash, draft, start, now));
    if (state.core.losses.at(-1)?.generation === start.generation) this.catchUp();
  }

  async #applyLive(entries: readonly Entry[]): Promise<void> {
    const { state } = this.#room;
    const { head } = state.roster;
    const { epoch } = state.core;
    const results = new EntryResults();
    const { hash } = this.#room.platform.crypto;
    const read = await this.#room.write((draft) => applyFeed(hash, draft, entries, results));
    if (state.core.stage !== 'member') {
      this.#live = false;
      this.#events.ended();
      return;
    }
    // After a feed with a gap, or with an unverified entry, the log is read again before anything counts as lost (G6)
    // or is sealed (G18).
    if (read === 'whole') this.#events.applied(head !== state.roster.head || epoch !== state.core.epoch);
    else this.catchUp();
    this.#acknowledgements.soon();
  }
}

/** Refusals of a restore because another client was faster, or because a rotation is still missing. */
const MOVED: ReadonlySet<string> = new Set(['STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD', 'BAD_ENTRY']);
