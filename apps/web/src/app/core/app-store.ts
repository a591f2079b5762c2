import { Injectable, computed, inject, signal } from '@angular/core';
import type {
  AppView,
  ClientEvent,
  DamagedRoom,
  Failure,
  JoinView,
  Outcome,
  RoomSummary,
  RoomView,
  TimelineItem,
} from '@0fc/client/api';

import type { ClientConnection } from './client-connection';
import { OPEN_CLIENT } from './client-connection';
import { DraftBuffer } from './draft-buffer';
import { PAGE_CODES } from './page-codes';
import { Preferences } from './preferences';
import { firstUnread, mergeTimeline } from './timeline';

/** What the page asks of the worker. */
export type Command<T> = (
  api: ClientConnection['api'],
  calling: Pick<ClientConnection, 'exportVault'>,
) => Promise<Outcome<T>>;

/** Milliseconds that a worker has to store what was being written before it is ended. */
const LOCK_MS = 1_000;

/** An error of libs/client has its code as its whole text; of anything else no word is kept (G15). */
function failureOfWorker(error: unknown): Failure {
  const text = error instanceof Error ? error.message : '';
  return { code: /^[A-Z]+(_[A-Z]+)+$/.test(text) ? text : PAGE_CODES.CLIENT_STOPPED };
}

/** The state of the page, as received from the worker. Locking clears it. */
@Injectable({ providedIn: 'root' })
export class AppStore {
  readonly #open = inject(OPEN_CLIENT);
  #connection: ClientConnection;

  readonly #app = signal<AppView | null>(null);
  readonly #room = signal<RoomView | null>(null);
  readonly #timeline = signal<readonly TimelineItem[]>([]);
  readonly #loaded = signal(false);
  readonly #broken = signal<Failure | null>(null);
  readonly #watchFailure = signal<Failure | null>(null);
  readonly #lockedAt = signal<number | null>(null);
  readonly #newFrom = signal<number | null>(null);
  readonly drafts = new DraftBuffer((roomId, text) => this.run((api) => api.setDraft(roomId, text)));
  readonly #preferences = inject(Preferences);
  #watched: string | null = null;
  /** a worker that is being locked: it is not listened to any more */
  #ending: ClientConnection | null = null;

  /** null until the worker has answered once */
  readonly app = this.#app.asReadonly();
  readonly room = this.#room.asReadonly();
  readonly timeline = this.#timeline.asReadonly();
  /** whether the watched room's timeline has arrived */
  readonly loaded = this.#loaded.asReadonly();
  /** why the worker does not serve; only a restart helps */
  readonly broken = this.#broken.asReadonly();
  /** when this page was last locked by hand, in this page's life */
  readonly lockedAt = this.#lockedAt.asReadonly();
  /** what was new when the room was opened: the line stays there while one reads */
  readonly unreadFrom = computed(() => firstUnread(this.#timeline(), this.#newFrom()));
  /** why the room asked for cannot be watched */
  readonly watchFailure = this.#watchFailure.asReadonly();
  readonly vault = computed(() => this.#app()?.vault ?? null);
  readonly rooms = computed<readonly RoomSummary[]>(() =>
    [...(this.#app()?.rooms ?? [])].sort((a, b) => b.time - a.time),
  );
  readonly joins = computed<readonly JoinView[]>(() => this.#app()?.joins ?? []);
  /** what the others are told; null until the worker has answered once */
  readonly sharing = computed(() => this.#app()?.sharing ?? null);
  /** whether the key of what is deleted on this device is overwritten at once */
  readonly overwrites = computed(() => this.#app()?.overwrites ?? true);
  /** rooms and joins that this device's storage has damaged */
  readonly damaged = computed<readonly DamagedRoom[]>(() => this.#app()?.damaged ?? []);
  readonly empty = computed(
    () => this.#app() !== null && this.rooms().length + this.joins().length + this.damaged().length === 0,
  );

  constructor() {
    this.#connection = this.#start();
  }

  /** Runs one command. A worker that does not answer is a failure like any other. */
  async run<T>(command: Command<T>): Promise<Outcome<T>> {
    const connection = this.#connection;
    try {
      return await command(connection.api, connection);
    } catch (error) {
      this.#fail(connection, error);
      return { ok: false, error: failureOfWorker(error) };
    }
  }

  /** Watches the room on screen, or none. */
  async watch(roomId: string | null): Promise<void> {
    if (roomId === this.#watched) return;
    this.#forgetRoom();
    this.#watched = roomId;
    const outcome = await this.run((api) => api.watchRoom(roomId));
    if (!outcome.ok && roomId === this.#watched) this.#watchFailure.set(outcome.error);
  }

  async markRead(roomId: string): Promise<void> {
    if ((this.rooms().find((room) => room.roomId === roomId)?.unread ?? 0) > 0) {
      await this.run((api) => api.markRead(roomId, true));
    }
  }

  /** Takes the unread line away: the user has answered, so it has done its work. */
  clearUnreadLine(): void {
    this.#newFrom.set(null);
  }

  /**
   * Clears the received state at once, gives the worker one second to store drafts, then
   * terminates it, and with it every key in memory.
   */
  async lock(): Promise<void> {
    const ending = this.#connection;
    if (this.#ending === ending) return;
    this.#ending = ending;
    this.#lockedAt.set(Date.now());
    const drafts = this.drafts.flush();
    this.#forget();
    const locked = drafts.then(() => this.run((api) => api.lock()));
    await Promise.race([locked, new Promise((resolve) => setTimeout(resolve, LOCK_MS))]);
    if (ending === this.#connection) this.restart();
  }

  /** Terminates the worker at once, and with it every key in memory; {@link restart} begins anew. */
  leave(): void {
    this.#connection.close();
    this.#forget();
  }

  restart(): void {
    this.leave();
    this.#connection = this.#start();
  }

  #forget(): void {
    this.#app.set(null);
    this.#broken.set(null);
    this.drafts.clear();
    this.#forgetRoom();
  }

  #start(): ClientConnection {
    const connection = this.#open((error) => this.#fail(connection, error));
    connection
      .subscribe((event) => {
        // A worker that was ended may still have words in flight.
        if (connection === this.#connection && connection !== this.#ending) this.#receive(event);
      })
      .catch((error: unknown) => this.#fail(connection, error));
    // Before the vault is open: no room goes live before the worker has it.
    const former = this.#preferences.formerSharing();
    if (Object.keys(former).length > 0)
      connection.api.share(former).catch((error: unknown) => this.#fail(connection, error));
    return connection;
  }

  #fail(connection: ClientConnection, error: unknown): void {
    if (connection === this.#connection && connection !== this.#ending)
      this.#broken.set(failureOfWorker(error));
  }

  #receive(event: ClientEvent): void {
    if (event.type === 'app') {
      this.#app.set(event.app);
      if (event.app.vault === 'open') this.#preferences.forgetFormerSharing();
    } else if (event.type === 'room') {
      if (event.room.roomId === this.#watched) this.#room.set(event.room);
    } else if (event.roomId === this.#watched) {
      const items = mergeTimeline(this.#timeline(), event);
      this.#timeline.set(items);
      if (event.reset) {
        // Nothing new at this moment: what comes while the room is open needs no line.
        const from = this.#room()?.unreadFrom ?? null;
        this.#newFrom.set(firstUnread(items, from) === null ? null : from);
        this.#loaded.set(true);
      }
    }
  }

  #forgetRoom(): void {
    this.#watched = null;
    this.#room.set(null);
    this.#timeline.set([]);
    this.#loaded.set(false);
    this.#newFrom.set(null);
    this.#watchFailure.set(null);
  }
}
