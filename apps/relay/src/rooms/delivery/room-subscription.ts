/**
 * One connection's subscription to one room: pages of the log first, then the feed, with no gap and no
 * repetition (docs/protocol.md G16).
 *
 * From before a page is read until it has been sent, events of the feed are held; then they are merged with the page
 * (merge-feed.ts). Where that finds something missing the log is read again.
 */
import { LIMITS, type Entry, type MemberId, type Position, type Role, type RoomId } from '@0fc/protocol';
import type { BoundSubscription, ClosingCode, Peer } from './peer.js';
import type { FeedEntry, LogPage, RoomEvent, RoomStore } from '../port/room-store.js';
import { unwrap } from '../port/result.js';
import { MemberEvents } from './member-events.js';
import { mergeFeed, type DeliveryStep, type Merged, type OrderedEvent, type ReadPage } from './merge-feed.js';
import { follows, isShared } from './shared-entries.js';
import type { Delivery, FanOuts, RoomFanOut } from './fan-out.js';

/** What a subscription needs of its relay. */
interface Rooms {
  readonly store: RoomStore;
  readonly fanOuts: FanOuts;
}

/** Its sender gets it too, and passes over it: on the wire it is as an entry is. */
const signalled = ({
  sender,
  epoch,
  payload,
}: Extract<RoomEvent, { type: 'signal' }>): Delivery['message'] => ({
  e: 'signalled',
  body: { sender, epoch, payload },
});

export class RoomSubscription implements BoundSubscription {
  readonly roomId: RoomId;
  readonly #peer: Peer;
  readonly #store: RoomStore;
  readonly #fanOuts: FanOuts;
  /** null until its feed of events is there: who hears nothing yet keeps no feed of the link alive */
  #fanOut: RoomFanOut | null = null;
  readonly #memberEvents: MemberEvents;
  #subscription: { unsubscribe(): void } | null = null;
  #mode: 'idle' | 'reading' | 'live' = 'idle';
  /** the last position sent while live */
  #cursor: Position = { g: 1, s: 0 };
  #held: OrderedEvent[] = [];
  #role: Role;
  /** whether this connection has been announced to the room, and whether the feed has confirmed it */
  #announced: 'no' | 'yes' | 'confirmed' = 'no';
  #ended = false;

  private constructor({ store, fanOuts }: Rooms, peer: Peer, roomId: RoomId, role: Role) {
    this.#store = store;
    this.#fanOuts = fanOuts;
    this.#peer = peer;
    this.roomId = roomId;
    this.#role = role;
    this.#memberEvents = new MemberEvents(store, peer, roomId);
  }

  /** Resolves once the feed is subscribed to. */
  static async open(rooms: Rooms, peer: Peer, roomId: RoomId, role: Role): Promise<RoomSubscription> {
    const opened = new RoomSubscription(rooms, peer, roomId, role);
    const subscription = await rooms.store.subscribe(roomId, (event) => {
      opened.#onEvent(event);
    });
    opened.#subscription = subscription;
    if (opened.#ended) subscription.unsubscribe();
    else opened.#fanOut = rooms.fanOuts.join(roomId);
    return opened;
  }

  /** Idempotent. */
  end(): void {
    if (this.#fanOut !== null) this.#fanOuts.leave(this.roomId);
    this.#fanOut = null;
    this.#ended = true;
    this.#subscription?.unsubscribe();
    this.#subscription = null;
    this.#held = [];
    this.#memberEvents.end();
  }

  /** One page of the log; `follow` is to run once the page is queued. */
  async page(after: Position | null): Promise<{ readonly page: LogPage; readonly follow: () => void }> {
    const memberId = this.#peer.memberId;
    this.#mode = 'reading';
    this.#held = [];
    if (this.#announced === 'no') {
      this.#announced = 'yes';
      await this.#store.announce(this.roomId, memberId, this.#peer.connectionId);
    }
    const { page } = unwrap(await this.#readPage(after));
    this.#role = page.role;
    if (page.role === 'departed') this.#fanOut?.cut();
    if (page.role === 'departed' || !page.end) {
      this.#mode = 'idle';
      this.#held = [];
      return { page, follow: () => undefined };
    }
    const { tip } = page.room;
    const follow = (): void => {
      this.#cursor = tip;
      this.#goLive(null, this.#held);
      this.#memberEvents.sendPending(() => this.#role);
    };
    return { page, follow };
  }

  #readPage(after: Position | null) {
    return this.#store.readLog({
      roomId: this.roomId,
      memberId: this.#peer.memberId,
      after,
      maxEntries: LIMITS.pageEntries,
      maxBytes: LIMITS.pageBytes,
      maxGenerations: LIMITS.generationsPage,
    });
  }

  #onEvent(event: RoomEvent): void {
    if (this.#ended) return;
    this.#fanOut?.hear(event);
    switch (event.type) {
      case 'entries':
      case 'generation':
      case 'role':
      case 'closed':
      case 'tip':
        if (event.type === 'entries' && this.#deliversAsNext(event.entries)) return;
        if (this.#mode === 'live') this.#goLive(null, [event]);
        else if (this.#mode === 'reading') this.#held.push(event);
        else this.#onEventWhileIdle(event);
        return;
      case 'live':
        this.#onAnnouncement(event.memberId, event.connectionId);
        return;
      case 'signal':
        if (this.#mode !== 'live') return;
        this.#deliverShared(event, () => signalled(event));
        return;
      case 'join':
      case 'needKey':
      case 'keyGrant':
      case 'offer':
      case 'acceptance':
        this.#memberEvents.onEvent(event, this.#role, this.#mode === 'live');
        return;
    }
  }

  /** One live connection per member (section 3): whoever announced itself later stays. */
  #onAnnouncement(memberId: MemberId, connectionId: string): void {
    if (memberId !== this.#peer.memberId) return;
    if (connectionId === this.#peer.connectionId) {
      this.#announced = 'confirmed';
      this.#peer.onAnnounced(this.roomId);
    } else if (this.#announced === 'confirmed') this.#close('REPLACED');
  }

  /** A joiner, or a member between two pages: entries come by the pages, the end does not. */
  #onEventWhileIdle(event: OrderedEvent): void {
    if (event.type === 'closed') this.#close(null);
    // What a joiner waits for has no position to miss it by: it claims again, and reads what is.
    if (event.type === 'tip' && (event.tip === null || (event.resumed && this.#role === 'joiner'))) {
      this.#close('TRY_AGAIN');
    }
    if (event.type !== 'role' || event.memberId !== this.#peer.memberId) return;
    this.#role = event.role;
    if (event.role === 'departed') this.#close(null);
  }

  /** Merges, and is live from here on, or reads the log again for what is missing. */
  #goLive(page: ReadPage | null, held: readonly OrderedEvent[]): void {
    const outcome = this.#advance(page, held);
    if (this.#ended) return;
    this.#mode = 'live';
    this.#held = [];
    if (outcome.kind === 'resync') this.#resync(outcome.held);
  }

  /**
   * The usual case of {@link #advance}, without its allocations: this connection is live, and the next of what all get alike has
   * come.
   */
  #deliversAsNext(entries: readonly FeedEntry[]): boolean {
    if (this.#mode !== 'live') return false;
    const run = this.#fanOut?.runOf(entries) ?? null;
    if (run === null || !follows(run.first, this.#cursor)) return false;
    this.#cursor = run.last;
    this.#deliverEntries(run.entries);
    return true;
  }

  #deliverEntries(entries: readonly FeedEntry[]): void {
    this.#deliverShared(entries, () => ({
      e: 'entries',
      body: { entries: entries.map(({ wraps: _, ...entry }) => entry) },
    }));
  }

  /** What all who are live get alike. What cannot be sent is this connection's trouble, and not that of who hears of it next. */
  #deliverShared(source: object, message: () => Delivery['message']): void {
    try {
      const delivery = this.#fanOut?.deliver(source, message);
      if (delivery !== undefined) this.#peer.deliver(delivery);
    } catch (error) {
      this.#peer.failed(error);
      this.#close('TRY_AGAIN');
    }
  }

  /** Delivers what is due. */
  #advance(page: ReadPage | null, held: readonly OrderedEvent[]): Merged['outcome'] {
    const { steps, position, outcome } = mergeFeed(this.#cursor, page, held);
    this.#cursor = position;
    for (const step of steps) {
      // A step may have ended it.
      if (this.#ended) break;
      this.#deliver(step);
    }
    // Only the reply to an `open` can say that something has been trimmed.
    if (outcome.kind === 'trimmed') this.#close('TRY_AGAIN');
    return outcome;
  }

  #deliver(step: DeliveryStep): void {
    switch (step.type) {
      case 'read':
        this.#sendEntries(step.entries);
        return;
      case 'entries': {
        const { entries } = step;
        if (this.#mode === 'live' && isShared(entries)) this.#deliverEntries(entries);
        else this.#sendEntries(entries.map((entry) => this.#own(entry)));
        return;
      }
      case 'generation':
        this.#peer.send('generation', step.start);
        return;
      case 'role':
        if (step.memberId !== this.#peer.memberId) return;
        this.#role = step.role;
        if (step.role === 'departed') this.#close(null);
        else this.#memberEvents.sendPending(() => this.#role);
        return;
      case 'closed':
        this.#close(null);
        return;
      case 'resumed':
        this.#memberEvents.sendPending(() => this.#role);
        return;
    }
  }

  /** The member's own wrap, and nobody else's. */
  #own({ wraps, ...entry }: FeedEntry): Entry {
    const wrap = wraps?.get(this.#peer.memberId);
    return wrap === undefined ? entry : { ...entry, wrap };
  }

  #sendEntries(entries: readonly Entry[]): void {
    let due: Entry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const size = entry.clear.length + entry.payload.length + (entry.wrap?.length ?? 0);
      if (due.length === LIMITS.pageEntries || (due.length > 0 && bytes + size > LIMITS.pageBytes)) {
        this.#peer.send('entries', { entries: due });
        due = [];
        bytes = 0;
      }
      due.push(entry);
      bytes += size;
    }
    if (due.length > 0) this.#peer.send('entries', { entries: due });
  }

  /** Something is missing: it is read from the log before anything else goes out. */
  #resync(held: readonly OrderedEvent[]): void {
    // Somebody's departure may be what is missing.
    this.#fanOut?.cut();
    this.#mode = 'reading';
    this.#held = [...held];
    this.#readMissing().catch((error: unknown) => {
      this.#peer.failed(error);
      this.#close('TRY_AGAIN');
    });
  }

  async #readMissing(): Promise<void> {
    for (;;) {
      const { page } = unwrap(await this.#readPage(this.#cursor));
      if (this.#ended) return;
      if (page.role === 'departed') {
        this.#fanOut?.cut();
        if (page.entry !== null) this.#sendEntries([page.entry]);
        this.#close(null);
        return;
      }
      // The event of a new role may be among what is missing.
      this.#role = page.role;
      const { generations, entries, room } = page;
      const read = { trimmed: room.trimmed, generations, entries };
      if (page.end) {
        this.#goLive(read, this.#held);
        return;
      }
      this.#advance(read, []);
      // At the peer's pace: a long gap is no reason to be cut.
      await this.#peer.sent();
    }
  }

  #close(code: ClosingCode | null): void {
    if (this.#ended) return;
    this.end();
    this.#peer.close(code);
  }
}
