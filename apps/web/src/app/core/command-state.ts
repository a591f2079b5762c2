import { inject, signal } from '@angular/core';
import type { Failure, Outcome } from '@0fc/client/api';
import type { ErrorCode } from '@0fc/protocol';

import { AppStore, type Command } from './app-store';
import type { PAGE_CODES } from './page-codes';

/** The state of one command at a time: whether it is under way, and what the last one failed with. */
export class CommandState {
  readonly #store: AppStore;
  readonly #busy = signal(false);
  readonly #failure = signal<Failure | null>(null);
  readonly busy = this.#busy.asReadonly();
  readonly failure = this.#failure.asReadonly();

  constructor(store: AppStore) {
    this.#store = store;
  }

  /** Runs a command; null while another one is under way. */
  async run<T>(command: Command<T>): Promise<Outcome<T> | null> {
    if (this.#busy()) return null;
    this.#busy.set(true);
    this.#failure.set(null);
    const outcome = await this.#store.run(command);
    this.#busy.set(false);
    if (!outcome.ok) this.#failure.set(outcome.error);
    return outcome;
  }

  /** Sets a failure of the page itself. */
  refuse(code: ErrorCode | keyof typeof PAGE_CODES): void {
    this.#failure.set({ code });
  }

  clear(): void {
    this.#failure.set(null);
  }
}

/** Needs an injection context. */
export function commandState(): CommandState {
  return new CommandState(inject(AppStore));
}
