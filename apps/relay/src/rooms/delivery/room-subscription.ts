/**
 * One connection's view of one room: pages first, then the feed, with no gap and no
 * repetition (docs/protocol.md G16).
 *
 * From before a page is read until it has been sent, what the feed brings is held back; what
 * the page has already is dropped from it, the rest follows. An entry that is not the next
 * one makes the reader go back to the log.
 */
import {
  comparePositions,
  LIMITS,
  type Entry,
  type MemberId,
  type Position,
  type Role,
  type RoomId,
} from '@0fc/protocol';
import type { BoundReader, ClosingCode, Peer } from './peer.js';
import type { FeedEntry, LogPage, ReadEntry, RoomEvent, RoomStore } from '../port/room-store.js';
import { granted } from '../port/refusal.js';
import { Notices } from './member-events.js';
import { follows, sharedBody } from './shared-entries.js';

type Ordered = Extract<
  RoomEvent,
  { readonly type: 'entries' | 'generation' | 'standing' | 'closed' | 'tip' }
>;

export class RoomReader implements BoundReader {
  readonly roomId: RoomId;
  readonly #peer: Peer;
  readonly #store: RoomStore;
  readonly #notices: Notices;
  #subscription: { unsubscribe(): void } | null = null;
  #mode: 'idle' | 'reading' | 'live' = 'idle';
  /** the last position sent while live */
  #cursor: Position = { g: 1, s: 0 };
  #held: Ordered[] = [];
  #role: Role;
  /** whether the room has been told of this connection, and whether that has come back */
  #announced: 'no' | 'yes' | 'heard' = 'no';
  #ended = false;

  private constructor(store: RoomStore, peer: Peer, roomId: RoomId, role: Role) {
    this.#store = store;
    this.#peer = peer;
    this.roomId = roomId;
    this.#role = role;
    this.#notices = new Notices(store, peer, roomId);
  }

  /** Resolves once the feed is heard. */
  static async open(store: RoomStore, peer: Peer, roomId: RoomId, role: Role): Promise<RoomReader> {
    const reader = new RoomReader(store, peer, roomId, role);
    const subscription = await store.subscribe(roomId, (event) => {
      reader.#take(event);
    });
    reader.#subscription = subscription;
    if (reader.#ended) subscription.unsubscribe();
    return reader;
  }

  /** Idempotent. */
  end(): void {
    this.#ended = true;
    this.#subscription?.unsubscribe();
    this.#held = [];
    this.#notices.end();
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
    const { page } = granted(await this.#readPage(after));
    this.#role = page.role;
    if (page.role === 'departed' || !page.end) {
      this.#mode = 'idle';
      this.#held = [];
      return { page, follow: () => undefined };
    }
    const { tip } = page.room;
    const follow = (): void => {
      this.#cursor = tip;
      this.#mode = 'live';
      this.#release();
      this.#notices.live(() => this.#role);
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

  #take(event: RoomEvent): void {
    if (this.#ended) return;
    switch (event.type) {
      case 'entries':
      case 'generation':
      case 'standing':
      case 'closed':
      case 'tip':
        if (this.#mode === 'live') this.#deliver(event);
        else if (this.#mode === 'reading') this.#held.push(event);
        else this.#whileIdle(event);
        return;
      case 'live':
        this.#takeLive(event.memberId, event.connectionId);
        return;
      case 'signal':
        if (this.#mode !== 'live' || event.sender === this.#peer.memberId) return;
        this.#peer.send('signalled', { sender: event.sender, epoch: event.epoch, payload: event.payload });
        return;
      case 'join':
      case 'needKey':
      case 'keyGrant':
      case 'offer':
      case 'acceptance':
        this.#notices.take(event, this.#role, this.#mode === 'live');
        return;
    }
  }

  /** One live connection per member (section 3): whoever announced itself later stays. */
  #takeLive(memberId: MemberId, connectionId: string): void {
    if (memberId !== this.#peer.memberId) return;
    if (connectionId === this.#peer.connectionId) {
      this.#announced = 'heard';
      this.#peer.lived(this.roomId);
    } else if (this.#announced === 'heard') this.#close('REPLACED');
  }

  /** A joiner, or a member between two pages: entries come by the pages, the end does not. */
  #whileIdle(event: Ordered): void {
    if (event.type === 'closed') this.#close(null);
    // What a joiner waits for has no position to miss it by: it claims again, and reads what is.
    if (event.type === 'tip' && (event.tip === null || (event.resumed && this.#role === 'joiner'))) {
      this.#close('TRY_AGAIN');
    }
    if (event.type !== 'standing' || event.memberId !== this.#peer.memberId) return;
    this.#role = event.role;
    if (event.role === 'departed') this.#close(null);
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const event of held) {
      // An event may have sent the reader back to the log, or ended it.
      if (this.#ended) return;
      if (this.#mode === 'live') this.#deliver(event);
      else this.#held.push(event);
    }
  }

  #deliver(event: Ordered): void {
    switch (event.type) {
      case 'generation':
        if (event.generation <= this.#cursor.g) return;
        if (event.from.s !== this.#cursor.s) {
          this.#again(event);
          return;
        }
        this.#cursor = { g: event.generation, s: event.from.s };
        this.#peer.send('generation', { generation: event.generation, from: event.from });
        return;
      case 'entries':
        this.#deliverEntries(event.entries);
        return;
      case 'standing':
        if (event.memberId !== this.#peer.memberId) return;
        this.#role = event.role;
        if (event.role === 'departed') this.#close(null);
        else this.#notices.live(() => this.#role);
        return;
      case 'closed':
        this.#close(null);
        return;
      case 'tip':
        this.#compare(event);
        return;
    }
  }

  /** What the feed lost in a quiet room leaves no hole to notice. */
  #compare({ tip, resumed }: Extract<Ordered, { type: 'tip' }>): void {
    if (resumed) this.#notices.live(() => this.#role);
    // Not held: after a failover the store may stand behind what it told, and stay there.
    if (tip === null || comparePositions(tip, this.#cursor) > 0) this.#again(null);
  }

  #deliverEntries(entries: readonly FeedEntry[]): void {
    const shared = sharedBody(entries);
    const [first] = entries;
    if (shared !== null && first !== undefined && follows(first.position, this.#cursor)) {
      this.#cursor = entries.at(-1)?.position ?? this.#cursor;
      this.#peer.send('entries', shared);
      return;
    }
    const due: Entry[] = [];
    for (const entry of entries) {
      if (comparePositions(entry.position, this.#cursor) <= 0) continue;
      if (!follows(entry.position, this.#cursor)) {
        this.#sendEntries(due);
        this.#again({ type: 'entries', entries });
        return;
      }
      this.#cursor = entry.position;
      due.push(this.#own(entry));
    }
    this.#sendEntries(due);
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

  /** The feed has a hole: what is missing is read from the log before anything else goes out. */
  #again(event: Ordered | null): void {
    this.#mode = 'reading';
    if (event !== null) this.#held.push(event);
    this.#reread().catch((error: unknown) => {
      this.#peer.failed(error);
      this.#close('TRY_AGAIN');
    });
  }

  async #reread(): Promise<void> {
    for (;;) {
      const { page } = granted(await this.#readPage(this.#cursor));
      if (this.#ended) return;
      if (page.role === 'departed') {
        if (page.entry !== null) this.#sendEntries([page.entry]);
        this.#close(null);
        return;
      }
      // What is missing has been trimmed meanwhile: only the reply to an `open` can tell of that.
      if (comparePositions(page.room.trimmed, this.#cursor) > 0) {
        this.#close('TRY_AGAIN');
        return;
      }
      // The event that told of a new role may be among what is missing.
      this.#role = page.role;
      for (const { generation, from } of page.generations) {
        this.#cursor = { g: generation, s: from.s };
        this.#peer.send('generation', { generation, from });
      }
      const entries: readonly ReadEntry[] = page.entries;
      this.#sendEntries(entries);
      this.#cursor = entries.at(-1)?.position ?? this.#cursor;
      // At the reader's pace: a long hole is no reason to be cut.
      if (!page.end) await this.#peer.sent();
      if (page.end) break;
    }
    this.#mode = 'live';
    this.#release();
  }

  #close(code: ClosingCode | null): void {
    if (this.#ended) return;
    this.end();
    this.#peer.close(code);
  }
}
