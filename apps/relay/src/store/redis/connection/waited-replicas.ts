/** How long replicas are waited for, and whether they are there: as the last WAIT found it, primary by primary. */

/** What an operator is told, once at each change. */
export interface ReplicaNews {
  /** `primary` is the first that has too few; '' where there is one alone */
  missing(fields: { readonly code: 'REPLICAS'; readonly wanted: number; readonly primary: string }): void;
  found(fields: { readonly wanted: number }): void;
}

export interface ReplicaFigures {
  readonly wanted: number;
  /** whether fewer were there at the last WAIT; before any, at the start */
  readonly missing: boolean;
  /** WAITs that fewer answered in time, or that were cut off */
  readonly failures: number;
}

/** Milliseconds: replicas that are there answer within few. What only reads is shown all the same. */
const WRITE_MS = 2_000;
const READ_MS = 500;
/** A WAIT holds up whatever else is on its connection: while replicas are missing it is short. */
const MISSING_WRITE_MS = 100;
const MISSING_READ_MS = 1;
/** After so long one waits in full again: who is far away is not there for a short WAIT. */
const MISSING_MS = 5_000;

/** When a full WAIT found too few last: one for what is written, and any. */
interface FoundMissing {
  readonly byWrite: number;
  readonly byAny: number;
}
const NEVER: FoundMissing = { byWrite: -Infinity, byAny: -Infinity };

const quiet: ReplicaNews = { missing: () => undefined, found: () => undefined };

export class WaitedReplicas {
  readonly wanted: number;
  readonly #news: ReplicaNews;
  readonly #now: () => number;
  /** primaries with too few */
  readonly #missing = new Map<string, FoundMissing>();
  #failures = 0;
  #told = false;

  /** `now` in milliseconds, of any beginning. */
  constructor(wanted: number, news: ReplicaNews = quiet, now: () => number = () => performance.now()) {
    this.wanted = wanted;
    this.#news = news;
    this.#now = now;
  }

  /** Milliseconds that a WAIT may take there. `strict`: what it is for is refused without. */
  waitMs(primary: string, strict: boolean): number {
    const found = this.#missing.get(primary);
    const at = (strict ? found?.byWrite : found?.byAny) ?? -Infinity;
    if (this.#now() - at > MISSING_MS) return strict ? WRITE_MS : READ_MS;
    return strict ? MISSING_WRITE_MS : MISSING_READ_MS;
  }

  /** What a WAIT of `ms` has counted; null: it was cut off, which says nothing about replicas. Whether that is enough. */
  waited(primary: string, ms: number, count: number | null): boolean {
    if (count !== null && count >= this.wanted) {
      this.#missing.delete(primary);
      this.#tell(primary);
      return true;
    }
    this.#failures += 1;
    if (count === null) return false;
    const { byWrite, byAny } = this.#missing.get(primary) ?? NEVER;
    this.#missing.set(primary, {
      // Who answers within the time of a write, and not of a read, is there for what is written.
      byWrite: ms >= WRITE_MS ? this.#now() : byWrite,
      byAny: ms >= READ_MS ? this.#now() : byAny,
    });
    this.#tell(primary);
    return false;
  }

  /** A server says so before anything was waited for. */
  startsWithout(primary: string): void {
    this.#missing.set(primary, NEVER);
    this.#tell(primary);
  }

  /** What is not primary any more, or has gone, is waited for no more. */
  keepOnly(primaries: ReadonlySet<string>): void {
    for (const primary of this.#missing.keys()) if (!primaries.has(primary)) this.#missing.delete(primary);
    this.#tell('');
  }

  get figures(): ReplicaFigures {
    return { wanted: this.wanted, missing: this.#missing.size > 0, failures: this.#failures };
  }

  #tell(primary: string): void {
    const missing = this.#missing.size > 0;
    if (missing === this.#told) return;
    this.#told = missing;
    if (missing) this.#news.missing({ code: 'REPLICAS', wanted: this.wanted, primary });
    else this.#news.found({ wanted: this.wanted });
  }
}
