/**
 * Messages between replicas about connections. The feed of a room ends a connection that another one has replaced, on
 * every replica; here each replica announces its new connections to the others as well, for one whose feed lost that.
 */
import type { Server } from 'socket.io';
import {
  roomId as roomIdSchema,
  memberId as memberIdSchema,
  type MemberId,
  type RoomId,
} from '@0fc/protocol';
import * as v from 'valibot';

const LIVE = 'live';
/**
 * By the clocks of two replicas, in milliseconds. What is closer is left to the feed, which has an
 * order: cutting the newer connection would be worse than cutting none.
 */
const SLACK_MS = 5_000;
/** A count that takes longer, in milliseconds, is not waited for. */
const COUNT_MS = 1_000;

const live = v.strictObject({
  roomId: roomIdSchema,
  memberId: memberIdSchema,
  connectionId: v.pipe(v.string(), v.maxLength(64)),
  /** Unix ms */
  since: v.pipe(v.number(), v.safeInteger()),
});
/** A connection that has become the only one of its member. */
export type LiveConnection = v.InferOutput<typeof live>;

export interface ReplicaMessagesOptions {
  /** Ends a connection of this replica. */
  readonly replace: (connectionId: string) => void;
}

export class ReplicaMessages {
  readonly #server: Server;
  readonly #options: ReplicaMessagesOptions;
  /** of this replica */
  readonly #liveHere = new Map<string, Map<string, number>>();

  constructor(server: Server, options: ReplicaMessagesOptions) {
    this.#server = server;
    this.#options = options;
    server.on(LIVE, (message: unknown) => this.#receive(message));
  }

  /** Tells the other replicas. */
  announce(one: LiveConnection): void {
    const name = nameOf(one.roomId, one.memberId);
    const here = this.#liveHere.get(name) ?? new Map<string, number>();
    this.#liveHere.set(name, here.set(one.connectionId, one.since));
    this.#server.serverSideEmit(LIVE, one);
  }

  forget({ roomId, memberId, connectionId }: Omit<LiveConnection, 'since'>): void {
    const name = nameOf(roomId, memberId);
    const here = this.#liveHere.get(name);
    here?.delete(connectionId);
    if (here?.size === 0) this.#liveHere.delete(name);
  }

  /** Relays on the same Redis, this one included; 1 where they cannot be counted now. */
  async replicas(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const timer = setTimeout(() => resolve(1), COUNT_MS);
    try {
      return Math.max(1, await Promise.race([this.#server.of('/').adapter.serverCount(), promise]));
    } catch {
      return 1;
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(message: unknown): void {
    const parsed = v.safeParse(live, message);
    // Of another version: the feed does without.
    if (!parsed.success) return;
    const { roomId, memberId, connectionId, since } = parsed.output;
    for (const [other, announcedAt] of this.#liveHere.get(nameOf(roomId, memberId)) ?? []) {
      if (other !== connectionId && announcedAt + SLACK_MS < since) this.#options.replace(other);
    }
  }
}

const nameOf = (roomId: RoomId, memberId: MemberId): string => `${roomId}/${memberId}`;
