/**
 * A feed: what goes to all that are live in one room on one replica, sealed once (docs/protocol.md section 3.2). Its key
 * moves on with each cell, by a hash: whoever comes later, or takes a key, opens nothing earlier.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import {
  decodeFeedContent, encodeFeedContent, equalBytes, FEED_ID_BYTES, FEED_SKIPPED_CELLS, FEED_TAG_BYTES, LIMITS, linkCtx, writeCount,
  type Bytes, type FeedGrant, type FeedHead, type FrameContent, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError } from '../errors.js';
import { openCell, sealCell } from '../cell.js';
import type { Random } from '../ports.js';
import { asFeedKey, exposeSecret, SECRET_BYTES, type FeedKey } from '../secrets.js';

/** SHA-256 at once: a frame's tag is checked before the next frame is looked at. */
const hashNow = (data: Bytes): Bytes => sha256(data);

const TAG_PREFIX = new TextEncoder().encode('0fc-link/2/feed-tag');

/** One cell, for any number of connections. */
export interface FeedCell {
  readonly feedId: Bytes;
  readonly c: number;
  readonly cell: Bytes;
  /** SHA-256 of the cell */
  readonly digest: Bytes;
}

/** The key after that of cell `c`. */
const nextKey = (feedId: Bytes, c: number, key: FeedKey): FeedKey => {
  const input = linkCtx('feed-key', feedId, c, exposeSecret(key));
  const next = asFeedKey(hashNow(input));
  input.fill(0);
  return next;
};

/** Taken up again for each tag, so that none costs an allocation of its own but its result. */
const scratch = {
  hash: sha256.create(),
  place: new Uint8Array(12 + LIMITS.hashBytes),
  whole: new Uint8Array(LIMITS.hashBytes),
};

/**
 * Tags of one connection in one feed: what binds a cell to its place there. All that is hashed is of fixed length, and what
 * is the same in each tag stands first and is hashed once.
 */
export class FeedTags {
  readonly #begun: ReturnType<typeof sha256.create>;

  /** `tagKey` is wiped: nothing but its tags needs it. */
  constructor({ tagKey, feedId }: Pick<FeedGrant, 'tagKey' | 'feedId'>) {
    this.#begun = sha256.create().update(TAG_PREFIX).update(tagKey).update(feedId);
    tagKey.fill(0);
  }

  /** Of frame `n`, which brings the feed's cell `c`, whose SHA-256 is `digest`. */
  tag(n: number, c: number, digest: Bytes): Bytes {
    const { hash, place, whole } = scratch;
    writeCount(place, 0, n);
    writeCount(place, 6, c);
    place.set(digest, 12);
    this.#begun._cloneInto(hash).update(place).digestInto(whole);
    return whole.slice(0, FEED_TAG_BYTES);
  }

  end(): void {
    this.#begun.destroy();
    scratch.hash.destroy();
  }
}

/** The relay's end: seals once. */
export class Feed {
  readonly feedId: Bytes;
  readonly #random: Random;
  #key: FeedKey | null;
  #c = 1;
  #granted = false;

  /** A new one, under random keys. */
  constructor(random: Random) {
    this.#random = random;
    this.feedId = random.bytes(FEED_ID_BYTES);
    this.#key = asFeedKey(random.bytes(SECRET_BYTES));
  }

  get ended(): boolean {
    return this.#key === null;
  }

  /** Whether anybody takes part in it. */
  get granted(): boolean {
    return this.#granted;
  }

  /** The number of the next cell. */
  get c(): number {
    return this.#c;
  }

  /** The next cell. Throws SESSION_BROKEN after the end, MALFORMED, TOO_LARGE. */
  seal(messages: readonly SessionMessage[]): FeedCell {
    const key = this.#live();
    const [feedId, c] = [this.feedId, this.#c];
    const cell = sealCell(key, encodeFeedContent(messages), linkCtx('feed', feedId, c));
    this.#key = nextKey(feedId, c, key);
    key.fill(0);
    this.#c = c + 1;
    return { feedId, c, cell, digest: hashNow(cell) };
  }

  /** What one connection takes part with, from the next cell on. It goes inside its session and nowhere else. */
  grant(): FeedGrant {
    const key = Uint8Array.from(exposeSecret(this.#live()));
    this.#granted = true;
    return { feedId: this.feedId, c: this.#c, key, tagKey: this.#random.bytes(SECRET_BYTES) };
  }

  /** Nothing is sealed in it any more. Idempotent. */
  end(): void {
    this.#key?.fill(0);
    this.#key = null;
  }

  #live(): FeedKey {
    if (this.#key === null) throw new CryptoError('SESSION_BROKEN', 'feed has ended');
    return this.#key;
  }
}

/** A member's end of one feed. */
export class FollowedFeed {
  readonly #feedId: Bytes;
  readonly #tags: FeedTags;
  #key: FeedKey;
  #c: number;

  constructor({ feedId, c, key, tagKey }: FeedGrant) {
    this.#feedId = feedId;
    this.#tags = new FeedTags({ tagKey, feedId });
    this.#key = asFeedKey(key);
    this.#c = c;
  }

  /**
   * Nothing is opened before its tag has proved that the relay sent it here, in this place. Throws SESSION_BROKEN,
   * OUT_OF_SEQUENCE unless it is the connection's frame `n` and no earlier cell than expected, MALFORMED, TOO_LARGE.
   */
  open(n: number, { cell, ...head }: FeedHead & { readonly cell: Bytes }): FrameContent {
    if (!equalBytes(this.#tags.tag(head.n, head.c, hashNow(cell)), head.tag))
      throw new CryptoError('SESSION_BROKEN', 'feed tag');
    const leftOut = head.c - this.#c;
    if (head.n !== n || leftOut < 0 || leftOut > FEED_SKIPPED_CELLS)
      throw new CryptoError('OUT_OF_SEQUENCE', 'feed counter');
    while (this.#c < head.c) this.#next();
    const context = linkCtx('feed', this.#feedId, head.c);
    const plain = openCell(this.#key, cell, context, { code: 'SESSION_BROKEN' });
    this.#next();
    return decodeFeedContent(plain);
  }

  end(): void {
    this.#key.fill(0);
    this.#tags.end();
  }

  #next(): void {
    const key = this.#key;
    this.#key = nextKey(this.#feedId, this.#c, key);
    key.fill(0);
    this.#c += 1;
  }
}
