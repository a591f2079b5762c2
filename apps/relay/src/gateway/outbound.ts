/**
 * What is due to one connection: bounded, and wrapped only when it can go out (docs/protocol.md section 3). All that is
 * due in a turn shares a frame; what all of the room get alike goes in the cell of its batch, where this connection
 * gets all of the batch, with nothing between. Nothing is dropped once it has been wrapped: more than 8 frames that are
 * missing would break the session.
 */
import {
  encodeMessage,
  FEED_EVENT,
  FEED_SKIPPED_CELLS,
  LIMITS,
  type Bytes,
  type SessionMessage,
} from '@0fc/protocol';
import { FeedTags, splitForFrames, type Feed, type FeedCell } from '@0fc/crypto/link';
import type { Batch, Delivery, Recipient } from '../rooms/delivery/fan-out.js';

const HEARTBEAT: SessionMessage = { e: 'heartbeat', body: {} };

export interface OutboundOptions {
  /** bytes that may wait; one message alone may always wait */
  readonly mostBytes: number;
  readonly seal: (messages: readonly SessionMessage[]) => Bytes;
  readonly feedFrame: (cell: FeedCell, tags: FeedTags) => readonly [head: Bytes, cell: Bytes];
  /** one frame, in one part or two */
  readonly send: (frame: Bytes, rest?: Bytes) => void;
  /** whether all that was sent has left the process */
  readonly idle: () => boolean;
  readonly overflow: () => void;
  readonly failed: (error: unknown) => void;
}

interface Waiting {
  readonly message: SessionMessage;
  readonly bytes: number;
  /** null: it is this connection's alone */
  readonly batch: Batch | null;
}

/** A feed that a connection takes part in. */
interface Followed {
  readonly feed: Feed;
  readonly tags: FeedTags;
  /** number of the first cell that it can open next */
  next: number;
}

interface DueCell {
  readonly cell: FeedCell;
  readonly followed: Followed;
}

/** What goes out next: so many of what waits, in one frame. */
interface Run {
  readonly count: number;
  /** null: inside the session */
  readonly cell: DueCell | null;
}

export class Outbound implements Recipient {
  readonly #options: OutboundOptions;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #scheduled = false;
  #ended = false;
  #whenEmpty: (() => void) | null = null;
  #watchers: (() => void)[] = [];
  /** for when the batch that waits last has ended */
  #afterBatch: SessionMessage[] = [];
  #followed: Followed | null = null;
  /** One for all frames: each delivery ends in it. */
  readonly #flushNow = (): void => this.#flush();

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(message: SessionMessage): void {
    if (this.#ended) return;
    this.#try(() => {
      this.#push({ message, bytes: encodeMessage(message).length, batch: null });
      this.#schedule();
    });
  }

  /**
   * As {@link push}, for what says nothing about the log or the room: where what waits last is of a batch that may still get
   * more, it goes behind all of that batch, which stays in one piece.
   */
  pushAfterBatch(message: SessionMessage): void {
    if (this.#ended) return;
    if (this.#waiting.at(-1)?.batch?.ended === false) this.#afterBatch.push(message);
    else this.push(message);
  }

  #releaseAfterBatch(): void {
    const messages = this.#afterBatch;
    this.#afterBatch = [];
    for (const message of messages) this.push(message);
  }

  /** Nothing where something waits: that goes out sooner, or the wire takes nothing. */
  beat(): void {
    if (this.#ended || this.#waiting.length > 0 || !this.#options.idle()) return;
    this.#try(() => this.#options.send(this.#options.seal([HEARTBEAT])));
  }

  /** What all of the room get alike; it waits for the end of its batch. */
  deliver(delivery: Delivery): void {
    if (this.#ended) return;
    const { batch } = delivery;
    const known = this.#waiting.at(-1)?.batch === batch;
    this.#tryPush(delivery);
    if (batch.ended) this.#schedule();
    else if (!known) batch.addRecipient(this);
  }

  batchEnded(moreMayFollow: boolean): void {
    if (this.#afterBatch.length > 0) this.#releaseAfterBatch();
    if (moreMayFollow) this.#schedule();
    else this.#try(this.#flushNow);
  }

  #tryPush(waiting: Waiting): void {
    try {
      this.#push(waiting);
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #push(waiting: Waiting): void {
    // Much in one turn is not the reader's fault: what can go out goes out first.
    if (this.#isFullFor(waiting) && this.#options.idle()) this.#sendMuch(true);
    if (this.#isFullFor(waiting)) {
      this.#options.overflow();
      return;
    }
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes;
  }

  #isFullFor({ bytes }: Waiting): boolean {
    return this.#waiting.length > 0 && this.#bytes + bytes > this.#options.mostBytes;
  }

  /** Resolves once nothing waits, also because it was dropped. */
  empty(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  #tellWatchers(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const resolve of watchers) resolve();
  }

  /** Drops what has not been wrapped. */
  clear(): void {
    this.#waiting = [];
    this.#afterBatch = [];
    this.#bytes = 0;
    this.#tellWatchers();
  }

  /** Takes nothing more; `done` runs once all is sent. */
  finish(done: () => void): void {
    this.#releaseAfterBatch();
    this.#ended = true;
    this.#whenEmpty = done;
    this.#schedule();
  }

  /** The connection is gone. */
  end(): void {
    this.#ended = true;
    this.#whenEmpty = null;
    this.clear();
    this.#followed?.tags.end();
    this.#followed = null;
  }

  /** The wire can take more. */
  drained(): void {
    if (this.#waiting.length > 0 || this.#whenEmpty !== null) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The end of this turn: everything that it brings about goes into one frame.
    setImmediate(() => {
      this.#scheduled = false;
      this.#try(this.#flushNow);
    });
  }

  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #flush(): void {
    if (!this.#options.idle()) return;
    const more = this.#sendMuch(this.#whenEmpty !== null);
    // Where the wire has taken all of it, nobody will say that it can take more.
    if (more && this.#options.idle()) this.#schedule();
    if (this.#waiting.length > 0 || this.#whenEmpty === null || !this.#options.idle()) return;
    const done = this.#whenEmpty;
    this.#whenEmpty = null;
    done();
  }

  /**
   * As much as one large frame, in as many as it takes: who has fallen behind catches up by turns of its wire, and not of
   * its frames. `now`: what waits for the end of its batch as well. Whether there is more to send in another turn.
   */
  #sendMuch(now: boolean): boolean {
    const least = this.#bytes - LIMITS.frameBytes;
    while (this.#waiting.length > 0) {
      if (this.#bytes <= least) return true;
      if (!this.#sendOne(now)) return false;
    }
    return false;
  }

  /** Whether there was anything to send. */
  #sendOne(now: boolean): boolean {
    const { count, cell } = this.#nextRun(now);
    if (count === 0) return false;
    this.#drop(cell === null ? this.#sendInSession(count) : this.#sendCell(count, cell));
    return true;
  }

  /** The first that wait are sent. */
  #drop(sent: number): void {
    const all = sent === this.#waiting.length;
    const gone = all ? this.#waiting : this.#waiting.splice(0, sent);
    if (all) this.#waiting = [];
    for (const { bytes } of gone) this.#bytes -= bytes;
    if (this.#waiting.length === 0 && this.#watchers.length > 0) this.#tellWatchers();
  }

  #nextRun(now: boolean): Run {
    const first = this.#cellAt(0);
    if (first !== null) return { count: this.#batchEnd(0), cell: first };
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || this.#cellAt(count) === null)) {
      const end = this.#batchEnd(count);
      if (!now && this.#isGathering(count, end)) break;
      for (; count < end; count++) {
        bytes += this.#waiting[count]?.bytes ?? 0;
        if (count > 0 && (bytes > LIMITS.frameBytes || count === LIMITS.frameMessages))
          return { count, cell: null };
      }
    }
    return { count, cell: null };
  }

  /** Behind the last of a run that is of one batch, or behind what is this connection's alone. */
  #batchEnd(from: number): number {
    const batch = this.#waiting[from]?.batch ?? null;
    let end = from + 1;
    while (batch !== null && this.#waiting[end]?.batch === batch) end++;
    return end;
  }

  /** The end of what waits, of a batch that may still get more. */
  #isGathering(from: number, end: number): boolean {
    const batch = this.#waiting[from]?.batch ?? null;
    return batch !== null && !batch.ended && end === this.#waiting.length;
  }

  /** The cell that brings what waits from here on; null: it goes inside the session. */
  #cellAt(from: number): DueCell | null {
    const batch = this.#waiting[from]?.batch ?? null;
    const followed = this.#followed;
    if (batch?.ended !== true || followed?.feed !== batch.feed) return null;
    const { deliveries } = batch;
    const first = this.#waiting[from]?.message === deliveries[0]?.message;
    if (!first || this.#batchEnd(from) - from !== deliveries.length) return null;
    const { cell } = batch;
    if (cell === null || cell.c < followed.next || cell.c - followed.next > FEED_SKIPPED_CELLS) return null;
    return { cell, followed };
  }

  #sendCell(count: number, { cell, followed }: DueCell): number {
    this.#options.send(...this.#options.feedFrame(cell, followed.tags));
    followed.next = cell.c + 1;
    return count;
  }

  /**
   * Who is sent a part of a feed inside its session takes part in it from the next cell on. Never in one that has ended
   * since, and nobody that is ending: whoever has no part in the room any more still has what was due before. And never
   * while the batch is gathered, which will be the next cell, with what came before this one was there.
   */
  #mayFollow({ feed, ended }: Batch): boolean {
    if (!ended || feed.ended || this.#ended) return false;
    return feed !== this.#followed?.feed || feed.c - this.#followed.next > FEED_SKIPPED_CELLS / 2;
  }

  #sendInSession(count: number): number {
    const due = this.#waiting.slice(0, count);
    const [group = []] = splitForFrames(due.map(({ message }) => message));
    this.#options.send(this.#options.seal(group));
    const batch = due.slice(0, group.length).findLast((waiting) => waiting.batch !== null)?.batch ?? null;
    if (batch !== null && this.#mayFollow(batch)) this.#grant(batch.feed);
    return group.length;
  }

  /** By itself: what it goes with would be told by its size. */
  #grant(feed: Feed): void {
    const grant = feed.grant();
    this.#options.send(this.#options.seal([{ e: FEED_EVENT, body: { ...grant } }]));
    grant.key.fill(0);
    this.#followed?.tags.end();
    this.#followed = { feed, tags: new FeedTags(grant), next: grant.c };
  }
}
