/**
 * What one room's live members on this replica get alike, gathered so that it is sealed once for all of them
 * (docs/protocol.md section 3.2).
 *
 * A batch is what comes within a turn, and under load within a few milliseconds. Whoever got all of a batch, and nothing
 * between, takes the cell; everybody else is sent the same messages inside its session. So nothing here decides what a
 * member gets, nor in which order: its subscription does.
 */
import type { Position, RoomId, SessionMessage } from '@0fc/protocol';
import { countItems, encodeMessage, LIMITS } from '@0fc/protocol';
import { Feed, type FeedCell } from '@0fc/crypto/link';
import type { Random } from '@0fc/crypto/verify';
import type { FeedEntry, RoomEvent } from '../port/room-store.js';
import { isShared } from './shared-entries.js';

/** Under load a batch is gathered for so long since the last one, in milliseconds; a quiet room never waits. */
const BATCH_INTERVAL_MS = 5;
/** A batch that is as large as this is not added to. */
const MOST_BYTES = 65_536;

/** Something broke on our side; for the log. */
type Failed = (error: unknown) => void;

/** One message for all, encoded once. */
export interface Delivery {
  readonly message: SessionMessage;
  readonly bytes: number;
  /** of the log; 0: it is a signal */
  readonly entries: number;
  readonly batch: Batch;
}

/** A queue that has something of a batch. */
export interface Recipient {
  /** The batch is complete: what waits may go out; `moreMayFollow`: in this turn. */
  batchEnded(moreMayFollow: boolean): void;
}

/** Entries of the feed that all get alike, one behind the other. */
export interface Run {
  readonly entries: readonly FeedEntry[];
  readonly first: Position;
  readonly last: Position;
}

const entriesIn = (message: SessionMessage): number =>
  'body' in message && Array.isArray(message.body.entries) ? message.body.entries.length : 0;

export class Batch {
  /** the feed that seals it */
  readonly feed: Feed;
  readonly deliveries: Delivery[] = [];
  readonly #recipients = new Set<Recipient>();
  #bytes = 0;
  #items = 0;
  #ended = false;
  #cell: FeedCell | null = null;

  constructor(feed: Feed) {
    this.feed = feed;
  }

  /** Nothing is added any more. */
  get ended(): boolean {
    return this.#ended;
  }

  add(message: SessionMessage): Delivery {
    const encoded = encodeMessage(message);
    const delivery = { message, bytes: encoded.length, entries: entriesIn(message), batch: this };
    this.deliveries.push(delivery);
    this.#bytes += encoded.length;
    this.#items += countItems(encoded, LIMITS.frameItems);
    return delivery;
  }

  hasRoomFor(message: SessionMessage): boolean {
    const { length } = this.deliveries;
    if (length === 0) return true;
    const encoded = encodeMessage(message);
    const items = this.#items + countItems(encoded, LIMITS.frameItems);
    return (
      length < LIMITS.frameMessages && items < LIMITS.frameItems && this.#bytes + encoded.length <= MOST_BYTES
    );
  }

  addRecipient(recipient: Recipient): void {
    this.#recipients.add(recipient);
  }

  /**
   * Sealed now or never: whoever takes part in the feed later opens nothing of it. What cannot be sealed goes inside the
   * sessions, and `failed` is told.
   */
  end(moreMayFollow: boolean, failed: Failed): void {
    this.#ended = true;
    try {
      if (this.feed.granted && !this.feed.ended)
        this.#cell = this.feed.seal(this.deliveries.map(({ message }) => message));
    } catch (error) {
      this.feed.end();
      failed(error);
    }
    const recipients = [...this.#recipients];
    this.#recipients.clear();
    for (const recipient of recipients) recipient.batchEnded(moreMayFollow);
  }

  /** The sealed batch; null: it has not ended, nobody took part in its feed, that had ended, or sealing failed. */
  get cell(): FeedCell | null {
    return this.#cell;
  }
}

export class RoomFanOut {
  readonly #random: Random;
  readonly #failed: Failed;
  #feed: Feed;
  #batch: Batch | null = null;
  #lastEnded = -Infinity;
  /** so that the batch does not end by its time any more */
  #cancel: () => void = () => undefined;
  /** events that have ended a feed already: every subscription of the room passes each one on */
  readonly #heard = new WeakSet<RoomEvent>();
  /** by what names the event, so that all subscriptions of the room share one */
  readonly #deliveries = new WeakMap<object, Delivery>();
  /** what came last, looked at once for all subscriptions, which hear of it one after the other */
  #lastEntries: RoomEvent | null = null;
  #lastRun: { readonly of: readonly FeedEntry[]; readonly run: Run | null } | null = null;

  constructor(random: Random, failed: Failed) {
    this.#random = random;
    this.#failed = failed;
    this.#feed = new Feed(random);
  }

  /**
   * To be called with each event of the room before it is acted upon, by every subscription. Where somebody may have
   * gone, whoever was live, the feed ends, and what comes is sealed under keys that it never had.
   */
  hear(event: RoomEvent): void {
    if (event === this.#lastEntries) return;
    if (event.type === 'entries') this.#lastEntries = event;
    if (!cuts(event) || this.#heard.has(event)) return;
    // Of a tip there may be one object for all times.
    if (event.type !== 'tip') this.#heard.add(event);
    this.cut();
  }

  /** Somebody may have gone, as is known otherwise than by an event: what was lost with a hole in the feed is read. */
  cut(): void {
    this.#endBatch(true);
    this.#feed.end();
    this.#feed = new Feed(this.#random);
  }

  /** null: each member has its own of them, or they do not follow each other. */
  runOf(entries: readonly FeedEntry[]): Run | null {
    if (this.#lastRun?.of !== entries) this.#lastRun = { of: entries, run: asRun(entries) };
    return this.#lastRun.run;
  }

  /** The delivery of what all get alike of an event. `source` names it: whoever else comes with it gets the same one. */
  deliver(source: object, message: () => SessionMessage): Delivery {
    const known = this.#deliveries.get(source);
    if (known !== undefined) return known;
    const made = this.#add(message());
    this.#deliveries.set(source, made);
    return made;
  }

  end(): void {
    this.#endBatch(true);
    this.#feed.end();
  }

  #add(message: SessionMessage): Delivery {
    if (this.#batch?.hasRoomFor(message) === false) this.#endBatch(true);
    // One that could not seal is over.
    if (this.#feed.ended) this.#feed = new Feed(this.#random);
    this.#batch ??= this.#begin();
    return this.#batch.add(message);
  }

  #begin(): Batch {
    const waitMs = this.#lastEnded + BATCH_INTERVAL_MS - performance.now();
    const end = (): void => this.#endBatch(false);
    if (waitMs > 0) {
      const timer = setTimeout(end, Math.ceil(waitMs));
      this.#cancel = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(end);
      this.#cancel = () => clearImmediate(immediate);
    }
    return new Batch(this.#feed);
  }

  #endBatch(moreMayFollow: boolean): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    // A room that falls silent keeps nothing of what it said last.
    this.#lastEntries = this.#lastRun = null;
    this.#cancel();
    this.#lastEnded = performance.now();
    batch.end(moreMayFollow, this.#failed);
  }
}

function asRun(entries: readonly FeedEntry[]): Run | null {
  const [first, last] = [entries[0]?.position, entries.at(-1)?.position];
  if (first === undefined || last === undefined || !isShared(entries)) return null;
  return { entries, first, last };
}

/** Whether somebody has no part in the room any more behind this event, or may have none by what was lost with it. */
function cuts(event: RoomEvent): boolean {
  switch (event.type) {
    case 'role':
      return event.role === 'departed';
    case 'closed':
      return true;
    case 'tip':
      return event.tip === null || event.resumed;
    case 'entries':
      // Nobody has gone: a key that was stolen meanwhile is worth nothing any more (G9).
      return event.entries.some(({ kind }) => kind === 'rotation');
    default:
      return false;
  }
}

/** The fan-outs of the rooms that have a connection here. */
export class FanOuts {
  readonly #random: Random;
  readonly #failed: Failed;
  readonly #rooms = new Map<RoomId, { readonly fanOut: RoomFanOut; users: number }>();

  constructor(random: Random, failed: Failed) {
    this.#random = random;
    this.#failed = failed;
  }

  /** To be given back by {@link leave}. */
  join(roomId: RoomId): RoomFanOut {
    const known = this.#rooms.get(roomId) ?? {
      fanOut: new RoomFanOut(this.#random, this.#failed),
      users: 0,
    };
    known.users += 1;
    this.#rooms.set(roomId, known);
    return known.fanOut;
  }

  leave(roomId: RoomId): void {
    const known = this.#rooms.get(roomId);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#rooms.delete(roomId);
    known.fanOut.end();
  }
}
