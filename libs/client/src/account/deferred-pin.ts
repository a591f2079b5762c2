/**
 * A vault with rooms and without a pin: it was used with a build that had the key compiled in and did not keep it. It
 * is pinned as at first use, once the deployment answers (docs/protocol.md section 3); until then its rooms can be read.
 */
import { ClientError } from '../contract/errors.js';
import type { Platform } from '../contract/ports.js';
import { Resumption } from '../room/outgoing/refusals.js';

export class DeferredPin {
  readonly #pin: () => Promise<unknown>;
  readonly #pinned: () => Promise<void>;
  readonly #resumption: Resumption;
  #attempt: Promise<void> | null = null;
  #stopped = false;

  /** `pin`: fetches the key from the deployment; `pinned`: called once rooms and joins may connect */
  constructor(platform: Platform, pin: () => Promise<unknown>, pinned: () => Promise<void>) {
    this.#pin = pin;
    this.#pinned = pinned;
    this.#resumption = new Resumption(platform, () => {
      void this.attempt();
    });
  }

  /** One attempt at a time: concurrent callers wait for it. A failed attempt is retried until `stop`. */
  attempt(): Promise<void> {
    this.#attempt ??= this.#try().finally(() => {
      this.#attempt = null;
    });
    return this.#attempt;
  }

  async #try(): Promise<void> {
    this.#resumption.cancel();
    try {
      await this.#pin();
    } catch (error) {
      if (!this.#stopped) this.#resumption.later(ClientError.from(error).code);
      return;
    }
    if (!this.#stopped) await this.#pinned();
  }

  stop(): void {
    this.#stopped = true;
    this.#resumption.cancel();
  }
}
