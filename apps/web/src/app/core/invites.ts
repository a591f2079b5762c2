import { Injectable, signal } from '@angular/core';

import { onInvite, takeChangedLink, takeInvite } from './invite-fragment';

/** An invite that waits for the join screen: a whole link or its fragment. */
export interface PendingInvite {
  readonly text: string;
}

/** The invite of this page's life, in memory only. A new object for each one, even with the same text. */
@Injectable({ providedIn: 'root' })
export class Invites {
  readonly #pending = signal<PendingInvite | null>(null);
  readonly #changed = signal(false);
  readonly pending = this.#pending.asReadonly();
  /** the page was opened by a link that was changed on its way, and no other has come since */
  readonly changed = this.#changed.asReadonly();

  constructor() {
    this.#take();
    onInvite(() => this.#take());
  }

  offer(text: string): void {
    this.#changed.set(false);
    this.#pending.set({ text });
  }

  /** It was used, refused or put away. */
  forget(): void {
    this.#changed.set(false);
    this.#pending.set(null);
  }

  #take(): void {
    const text = takeInvite();
    if (text !== null) this.offer(text);
    else if (takeChangedLink()) {
      this.#pending.set(null);
      this.#changed.set(true);
    }
  }
}
