import { DestroyRef, inject, Injectable, InjectionToken, signal } from '@angular/core';
import { toObservable } from '@angular/core/rxjs-interop';
import type { Failure } from '@0fc/client/api';
import { filter, firstValueFrom, of, timeout } from 'rxjs';

import { AppStore } from '../../core/app-store';

/** Windows of earlier messages that one press of a quote loads at most: the page has to draw them. */
export const MOST_WINDOWS = new InjectionToken<number>('MOST_WINDOWS', {
  providedIn: 'root',
  factory: () => 20,
});
/** Milliseconds within which a window that was asked for arrives, or there is none. */
const ARRIVAL_MS = 10_000;
/** Milliseconds for which the message that one was led to stays marked. */
const MARK_MS = 2_500;

/** A search for a quoted message. Its state is shown below the quote that started it. */
export interface Seeking {
  /** id of the message with the quote */
  readonly from: string;
  /** `far`: not yet, and another press goes on; `absent`: the device has no more, and not this one */
  readonly state: 'loading' | 'far' | 'absent' | 'failed';
  readonly failure: Failure | null;
  /** items that the page has by now */
  readonly count: number;
}

/** Leads from a quote to what it quotes, however far up. One per conversation on screen. */
@Injectable()
export class QuoteSeeker {
  readonly #store = inject(AppStore);
  readonly #mostWindows = inject(MOST_WINDOWS);
  readonly #timeline = toObservable(this.#store.timeline);
  readonly #seeking = signal<Seeking | null>(null);
  readonly #marked = signal<string | null>(null);
  #unmark: ReturnType<typeof setTimeout> | undefined;
  #show: (id: string) => void = () => undefined;

  readonly seeking = this.#seeking.asReadonly();
  /** id of the message that one was led to a moment ago */
  readonly marked = this.#marked.asReadonly();

  constructor() {
    inject(DestroyRef).onDestroy(() => clearTimeout(this.#unmark));
  }

  /** How a message that the page has is brought into view. */
  onFound(show: (id: string) => void): void {
    this.#show = show;
  }

  /** Brings the message `id` into view; loads earlier ones until it is there. */
  async seek(from: string, id: string): Promise<void> {
    const roomId = this.#store.room()?.roomId;
    if (roomId === undefined || this.#seeking()?.state === 'loading') return;
    for (let windows = 0; !this.#has(id); windows++) {
      const more = this.#store.room()?.earlier === true;
      if (!more || windows === this.#mostWindows) {
        this.#tell(from, more ? 'far' : 'absent');
        return;
      }
      this.#tell(from, 'loading');
      const oldest = this.#oldest();
      const asked = await this.#store.run((api) => api.loadEarlier(roomId));
      if (!asked.ok) {
        this.#tell(from, 'failed', asked.error);
        return;
      }
      if (!(await this.#arrival(oldest))) {
        this.#tell(from, 'absent');
        return;
      }
      if (this.#store.room()?.roomId !== roomId) {
        this.#seeking.set(null);
        return;
      }
    }
    this.#seeking.set(null);
    this.mark(id);
    this.#show(id);
  }

  mark(id: string): void {
    clearTimeout(this.#unmark);
    this.#marked.set(id);
    this.#unmark = setTimeout(() => this.#marked.set(null), MARK_MS);
  }

  #tell(from: string, state: Seeking['state'], failure: Failure | null = null): void {
    this.#seeking.set({ from, state, failure, count: this.#store.timeline().length });
  }

  #has(id: string): boolean {
    return this.#store.timeline().some((item) => item.id === id);
  }

  #oldest(): string | undefined {
    return this.#store.timeline()[0]?.id;
  }

  /** Replies and events of the worker are not ordered: a reply may arrive before the event that belongs to it. */
  #arrival(oldest: string | undefined): Promise<boolean> {
    const more = this.#timeline.pipe(filter(([first]) => first?.id !== oldest));
    const first = more.pipe(timeout({ first: ARRIVAL_MS, with: () => of(null) }));
    // The conversation may be left meanwhile: then nothing arrives at all.
    return firstValueFrom(first, { defaultValue: null }).then((items) => items !== null);
  }
}
