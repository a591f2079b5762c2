import type {
  AppView,
  ClientEvent,
  MemberView,
  Outcome,
  RoomSummary,
  RoomView,
  TimelineItem,
  TimelineMessage,
} from '@0fc/client/api';

import { scenarioOf } from './fake-scenarios';

export const ok = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const done: Outcome<void> = { ok: true, value: undefined };
export const failed = (code: string): Outcome<never> => ({ ok: false, error: { code } });

/** Items in a timeline at first, and added by each loadEarlier: as the worker does it. */
const WINDOW = 200;

/** What a fake worker knows, and how it tells the page. */
export abstract class FakeState {
  readonly calls: string[] = [];
  /** milliseconds that each answer and each step takes */
  pace: number;
  protected app: AppView;
  protected room: RoomView;
  /** all of the room; `shown` of them, from the end, are with the page */
  protected items: readonly TimelineItem[];
  protected shown = WINDOW;
  #listener: ((event: ClientEvent) => void) | null = null;
  #watched: string | null = null;

  constructor(scenario: string, pace: number) {
    this.pace = pace;
    const { app, room, items } = scenarioOf(scenario);
    this.app = app;
    this.room = room;
    this.items = items;
  }

  close(): void {
    this.#listener = null;
  }

  /** Lets a spec say what the worker would. */
  emit(event: ClientEvent): void {
    this.#listener?.(event);
  }

  async subscribe(listener: (event: ClientEvent) => void): Promise<void> {
    await this.wait();
    this.#listener = listener;
    this.pushApp({});
  }

  async watchRoom(roomId: string | null): Promise<Outcome<void>> {
    this.#watched = roomId;
    await this.wait();
    if (roomId === null || roomId !== this.#watched) return done;
    const listed = this.app.rooms.find((room) => room.roomId === roomId);
    this.pushRoom({ roomId, name: listed?.name ?? '' });
    this.shown = WINDOW;
    this.emit({ type: 'timeline', roomId, reset: true, items: this.items.slice(-this.shown), removed: [] });
    return done;
  }

  async loadEarlier(roomId: string): Promise<Outcome<void>> {
    this.calls.push('loadEarlier');
    await this.wait();
    const items = this.items.slice(-this.shown - WINDOW, -this.shown);
    this.shown += items.length;
    this.emit({ type: 'timeline', roomId, reset: false, items, removed: [] });
    this.pushRoom({ earlier: this.shown < this.items.length });
    return done;
  }

  pushApp(changes: Partial<AppView>): void {
    this.app = { ...this.app, ...changes };
    this.emit({ type: 'app', app: this.app });
  }

  pushRoom(changes: Partial<RoomView>): void {
    this.room = { ...this.room, ...changes };
    this.emit({ type: 'room', room: this.room });
  }

  protected listRoom(roomId: string, changes: Partial<RoomSummary>): void {
    this.pushApp({
      rooms: this.app.rooms.map((room) => (room.roomId === roomId ? { ...room, ...changes } : room)),
    });
  }

  /** Puts an item into the timeline, or in place of the one with its id. */
  put(item: TimelineItem): void {
    const known = this.items.some(({ id }) => id === item.id);
    this.items = known
      ? this.items.map((other) => (other.id === item.id ? item : other))
      : [...this.items, item];
    if (!known) this.shown += 1;
    this.emit({ type: 'timeline', roomId: this.room.roomId, reset: false, items: [item], removed: [] });
  }

  /** Takes an item out of the timeline. */
  take(id: string): void {
    this.items = this.items.filter((item) => item.id !== id);
    this.emit({ type: 'timeline', roomId: this.room.roomId, reset: false, items: [], removed: [id] });
  }

  protected messageOf(id: string): TimelineMessage | null {
    const item = this.items.find((one) => one.id === id);
    return item?.type === 'message' ? item : null;
  }

  protected changeMember(memberId: string, changes: Partial<MemberView>): void {
    this.pushRoom({
      members: this.room.members.map((one) => (one.memberId === memberId ? { ...one, ...changes } : one)),
    });
  }

  protected wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.pace));
  }
}
