/**
 * What the entries of one page came to, in order. Work on a page that lacks something of the vault begins again
 * (state/not-loaded.ts), on a draft in the same state: what was opened and verified is not opened once more.
 */
import type { Applied } from './entry.js';

export class EntryResults {
  readonly #known: Applied[] = [];
  #next = 0;

  /** The work begins, for the first time or again. */
  begin(): void {
    this.#next = 0;
  }

  /** The next result; `make` is asked for it the first time. Rejects as `make` does. */
  async next(make: () => Promise<Applied>): Promise<Applied> {
    const at = this.#next++;
    const known = this.#known[at] ?? (await make());
    this.#known[at] = known;
    return known;
  }
}
