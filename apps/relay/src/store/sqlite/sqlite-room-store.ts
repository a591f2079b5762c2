/**
 * The embedded store: one process, one SQLite file, nothing else to install. Any start of it
 * opens a new generation in each room at its first use (docs/protocol.md section 6), because
 * a file may have been put back from a copy.
 */
import { randomUUID } from 'node:crypto';
import type { RoomStore } from '../../rooms/port/room-store.js';
import { acknowledge, announce, append, leave, signal } from './append.js';
import { TokenBuckets } from '../../limits/token-buckets.js';
import { Engine } from './engine.js';
import { Feed } from './feed.js';
import * as invites from './invites.js';
import * as keys from './keys.js';
import { readChain, readLog, readRoom } from './read.js';
import { eraseRoom, expireRoom, idleRooms, roomStats, storeStats } from './end.js';
import { addWraps, appendRoster, createRoom, findRoster, findRotation, rotate } from './roster.js';
import type { Transaction } from './transaction.js';
import { readTrimmable, trim } from './trim.js';

export interface SqliteStoreOptions {
  /** a file, or ':memory:' */
  readonly path: string;
  /** Unix ms; the system's clock by default */
  readonly now?: () => number;
}

/** A command without its transaction. */
type Bound<A extends readonly unknown[], R> = (...args: A) => Promise<R>;

/** Opens the file, or makes it. Throws what SQLite says of a file that it cannot use. */
export function openSqliteStore(options: SqliteStoreOptions): RoomStore {
  const feed = new Feed();
  const buckets = new TokenBuckets();
  const engine = new Engine({
    path: options.path,
    boot: randomUUID(),
    now: options.now ?? Date.now,
    publish: (publication) => feed.publish(publication),
  });
  const bind =
    <A extends readonly unknown[], R>(command: (tx: Transaction, ...args: A) => R): Bound<A, R> =>
    (...args) =>
      engine.run((tx) => command(tx, ...args));

  return {
    createRoom: bind(createRoom),
    readRoom: bind(readRoom),
    readLog: bind(readLog),
    readChain: bind(readChain),
    append: (command) => engine.run((tx) => append(tx, buckets, command)),
    appendRoster: (command) => engine.run((tx) => appendRoster(tx, buckets, command)),
    rotate: bind(rotate),
    addWraps: bind(addWraps),
    findRoster: bind(findRoster),
    findRotation: bind(findRotation),
    leave: bind(leave),
    acknowledge: bind(acknowledge),
    announce: bind(announce),
    signal: bind(signal),

    registerInvite: bind(invites.registerInvite),
    revokeInvite: bind(invites.revokeInvite),
    claimInvite: bind(invites.claimInvite),
    putJoinRequest: bind(invites.putJoinRequest),
    putJoinReply: bind(invites.putJoinReply),
    putJoinConfirm: bind(invites.putJoinConfirm),
    dropJoin: bind(invites.dropJoin),
    readJoin: bind(invites.readJoin),
    pendingJoins: bind(invites.pendingJoins),

    putPrekey: bind(keys.putPrekey),
    readPrekeys: bind(keys.readPrekeys),
    putNeedKey: bind(keys.putNeedKey),
    putKeyGrant: bind(keys.putKeyGrant),
    pendingNeedKeys: bind(keys.pendingNeedKeys),
    readNeedKey: bind(keys.readNeedKey),
    keyGrants: bind(keys.keyGrants),
    putOffer: bind(keys.putOffer),
    putAcceptance: bind(keys.putAcceptance),
    readOffer: bind(keys.readOffer),

    readTrimmable: bind(readTrimmable),
    trim: bind(trim),
    idleRooms: bind(idleRooms),
    expireRoom: bind(expireRoom),
    eraseRoom: bind(eraseRoom),
    roomStats: bind(roomStats),
    storeStats: bind(storeStats),

    subscribe: async (roomId, listener) => feed.subscribe(roomId, listener),
    check: () => engine.run((tx) => void tx.run('UPDATE rooms SET used_at = used_at WHERE 0')),
    close: async () => engine.close(),
  };
}
