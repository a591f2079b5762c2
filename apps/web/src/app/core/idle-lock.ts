import { DestroyRef, effect, inject, Injectable, signal, untracked } from '@angular/core';

import { AppStore } from './app-store';
import { Preferences } from './preferences';

const MINUTE = 60_000;
const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'touchstart', 'wheel'] as const;

/**
 * Locks the vault once this tab has had no key, pointer or touch for as long as was chosen. A
 * machine that slept is asked for its clock on waking, before the first sign counts: timers stand
 * still in sleep, and the one who wakes it may be somebody else.
 */
@Injectable({ providedIn: 'root' })
export class IdleLock {
  readonly #store = inject(AppStore);
  readonly #delay = inject(Preferences).lockAfterMinutes;
  readonly #lockedAfter = signal<number | null>(null);
  #last = Date.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** minutes without a sign of the user that ended in the last lock; null: it was locked by hand */
  readonly lockedAfter = this.#lockedAfter.asReadonly();

  constructor() {
    const seen = (): void => {
      if (!this.#overdue()) this.#last = Date.now();
    };
    const check = (): void => void this.#overdue();
    for (const sign of SIGNS) addEventListener(sign, seen, { capture: true, passive: true });
    document.addEventListener('visibilitychange', check);
    inject(DestroyRef).onDestroy(() => {
      clearTimeout(this.#timer);
      for (const sign of SIGNS) removeEventListener(sign, seen, { capture: true });
      document.removeEventListener('visibilitychange', check);
    });
    effect(() => {
      const [vault, minutes] = [this.#store.vault(), this.#delay()];
      untracked(() => this.#begin(vault === 'open', minutes));
    });
  }

  #begin(open: boolean, minutes: number): void {
    clearTimeout(this.#timer);
    if (!open) return;
    this.#lockedAfter.set(null);
    this.#last = Date.now();
    if (minutes > 0) this.#wait();
  }

  #wait(): void {
    const left = this.#last + this.#delay() * MINUTE - Date.now();
    this.#timer = setTimeout(() => {
      if (!this.#overdue()) this.#wait();
    }, left);
  }

  /** Whether it was time to lock, which then is done. */
  #overdue(): boolean {
    const minutes = this.#delay();
    if (minutes === 0 || this.#store.vault() !== 'open') return false;
    if (Date.now() - this.#last < minutes * MINUTE) return false;
    clearTimeout(this.#timer);
    this.#lockedAfter.set(minutes);
    void this.#store.lock();
    return true;
  }
}
