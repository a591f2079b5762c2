/** Callers that wait for a rotation to be in the log. */
import type { ClientError } from '../../contract/errors.js';

interface Waiter {
  readonly epoch: number;
  readonly resolve: () => void;
  readonly reject: (error: ClientError) => void;
}

export class RotationWaiters {
  #waiting: Waiter[] = [];

  until(epoch: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ epoch, resolve, reject });
    });
  }

  settle(epoch: number): void {
    const due = this.#waiting.filter((waiter) => waiter.epoch <= epoch);
    this.#waiting = this.#waiting.filter((waiter) => waiter.epoch > epoch);
    for (const { resolve } of due) resolve();
  }

  fail(error: ClientError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }
}
