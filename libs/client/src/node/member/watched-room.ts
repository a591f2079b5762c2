/**
 * The room that is looked at. The client shows one at a time, so commands take turns: those of one room look at once,
 * one about another room waits until they have ended. Where nobody looks, it is the room that was chosen.
 */
import type { AppView, ClientEvent, Outcome, RoomView, TimelineItem } from '../../contract/api.js';
import type { NodeClient } from '../client.js';

/** Told each event once it counts, with the items that it brings or changes. Nothing but the chosen room's, if one is. */
export type Hear = (event: ClientEvent, lines: TimelineChange | null) => void;

/** What an event of the watched timeline changes of what was told before. */
export interface TimelineChange {
  /** nothing was told yet */
  readonly begins: boolean;
  readonly items: readonly TimelineItem[];
  /** ids */
  readonly removed: readonly string[];
}

/** As it was told: all of it as JSON. */
interface Line {
  readonly order: number;
  readonly text: string;
}

/** What was told of a room, by id. */
interface Told {
  readonly roomId: string;
  readonly lines: Map<string, Line>;
}

/** What is known of a room since it has been looked at. */
interface Look {
  readonly roomId: string;
  room: RoomView | null;
  /** its timeline has come */
  drawn: boolean;
  readonly items: Map<string, TimelineItem>;
}

/** Of a command, from its first look at a room to its end. */
export interface Turn {
  readonly roomId: string;
}

export class WatchedRoom {
  readonly client: NodeClient;
  app: AppView | null = null;
  #look: Look | null = null;
  /** the client is asked for it, and may have it or not */
  #next: { readonly look: Look; readonly outcome: Promise<Outcome<void>> } | null = null;
  /** the room of commands that name none; null: nobody has chosen one */
  #chosen: string | null = null;
  /** the last choice that succeeded */
  #settled: string | null = null;
  /** in the order in which they were asked for */
  readonly #turns: Turn[] = [];
  #told: Told | null = null;
  readonly #hear: Hear;
  readonly #changed: () => void;

  /** `changed` is called whenever something may have come true. */
  constructor(client: NodeClient, hear: Hear, changed: () => void) {
    this.client = client;
    this.#hear = hear;
    this.#changed = changed;
  }

  get chosen(): string | null {
    return this.#chosen;
  }

  get room(): RoomView | null {
    return this.#look?.room ?? null;
  }

  /** in the order of the room */
  get items(): readonly TimelineItem[] {
    return [...(this.#look?.items.values() ?? [])].sort((a, b) => a.order - b.order);
  }

  /** The view of a room that is looked at, once its timeline is here, too. */
  whole(roomId: string): RoomView | null {
    return this.#look?.roomId === roomId && this.#look.drawn ? this.#look.room : null;
  }

  take(event: ClientEvent): void {
    if (event.type === 'app') {
      this.app = event.app;
      this.#hear(event, null);
    } else {
      const roomId = event.type === 'room' ? event.room.roomId : event.roomId;
      const look = [this.#next?.look, this.#look].find((one) => one?.roomId === roomId);
      if (look === undefined || look === null) return;
      if (event.type === 'room') look.room = event.room;
      else takeItems(look, event);
      if (this.#chosen === null || this.#chosen === roomId)
        this.#hear(event, event.type === 'room' ? null : this.#change(event));
    }
    this.#changed();
  }

  /**
   * A page is drawn anew where a name changes, or a room is looked at again; here only what is not what it was is told.
   * A timeline that begins behind all that was told begins anew.
   */
  #change({ roomId, reset, items, removed }: TimelineEvent): TimelineChange {
    const before = this.#told?.roomId === roomId ? this.#told.lines : null;
    const first = Math.min(...items.map(({ order }) => order));
    const begins =
      before === null ||
      (reset && before.size > 0 && [...before.values()].every(({ order }) => order < first));
    const lines: Told['lines'] = begins ? new Map<string, Line>() : before;
    const here = new Set(items.map(({ id }) => id));
    // Of what lies before its first line a page says nothing.
    const gone = reset
      ? [...lines].flatMap(([id, { order }]) => (order >= first && !here.has(id) ? [id] : []))
      : removed.filter((id) => lines.has(id));
    for (const id of gone) lines.delete(id);
    const changed = items.filter((item) => {
      const text = JSON.stringify(item);
      const same = lines.get(item.id)?.text === text;
      lines.set(item.id, { order: item.order, text });
      return !same;
    });
    this.#told = { roomId, lines };
    return { begins, items: changed, removed: gone };
  }

  /** The room counts as chosen at once, for the commands of the next lines. */
  choose(roomId: string): void {
    this.#chosen = roomId;
  }

  /** A choice has come to its end. One that failed leaves the last one that did not, unless there is a later one. */
  chose(roomId: string, well: boolean): void {
    if (well) this.#settled = roomId;
    else if (this.#chosen === roomId) this.#chosen = this.#settled;
  }

  /** Asks for a turn, which {@link has} tells of. Each is given back by {@link leave}. */
  ask(roomId: string): Turn {
    const turn: Turn = { roomId };
    this.#turns.push(turn);
    return turn;
  }

  /** Whether nobody before it looks at another room. */
  has(turn: Turn): boolean {
    return this.#turns.slice(0, this.#turns.indexOf(turn)).every(({ roomId }) => roomId === turn.roomId);
  }

  leave(turn: Turn): void {
    this.#turns.splice(this.#turns.indexOf(turn), 1);
    if (this.#turns.length > 0) this.#changed();
    else if (this.#chosen !== null && (this.#next?.look ?? this.#look)?.roomId !== this.#chosen)
      void this.#lookAt(this.#chosen);
  }

  /**
   * Looks at a room: anew, unless others have their turn there, so that what is seen is what the vault has by now.
   * Where the client refuses it, all is as it was.
   */
  show(roomId: string): Promise<Outcome<void>> {
    if (this.#next?.look.roomId === roomId) return this.#next.outcome;
    const shared = this.#turns.length > 1 && this.#turns[1]?.roomId === roomId;
    if (shared && this.#next === null && this.#look?.roomId === roomId)
      return Promise.resolve({ ok: true, value: undefined });
    return this.#lookAt(roomId);
  }

  #lookAt(roomId: string): Promise<Outcome<void>> {
    const look: Look = { roomId, room: null, drawn: false, items: new Map() };
    const { promise: outcome, resolve, reject } = Promise.withResolvers<Outcome<void>>();
    const next = { look, outcome };
    this.#next = next;
    this.client.watchRoom(roomId).then((result) => {
      if (result.ok) this.#look = look;
      if (this.#next === next) this.#next = null;
      resolve(result);
      this.#changed();
    }, reject);
    return outcome;
  }
}

type TimelineEvent = Extract<ClientEvent, { type: 'timeline' }>;

function takeItems(look: Look, { reset, removed, items }: TimelineEvent): void {
  // Until then it is of an earlier look.
  if (!reset && !look.drawn) return;
  if (reset) look.items.clear();
  for (const id of removed) look.items.delete(id);
  for (const item of items) look.items.set(item.id, item);
  look.drawn = true;
}
