/**
 * Queries beside the pages of the log: the roster chain, and rotations that were altered or left out on the way
 * (docs/protocol.md sections 4, 7 and 8). Every query ends, whatever the relay serves.
 */
import {
  comparePositions, equalBytes, ERROR_CODES, type Bytes, type Entry, type MemberId, type OpenReply, type Position, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import {
  applyRoster,
  bodyHash,
  readChain,
  verifyContainer,
  type Hash,
  type Roster,
} from '@0fc/crypto/verify';
import type { Connection } from '../../link/connection.js';
import { ClientError } from '../../contract/errors.js';
import type { Platform, Timers } from '../../contract/ports.js';
import type { RoomHandle } from './part.js';
import { checkRelayClaim } from '../log/page.js';
import { rotationIn } from '../log/room-keys.js';
import { epochOfChain } from '../log/trimmed.js';
import type { RoomSnapshot } from '../state/draft.js';

type Asked = Pick<Connection, 'request'>;

/** Longest duration of one query, in milliseconds, however fast its pages arrive. */
const READING_MS = 300_000;
/** Most pages of one query: more than the messages of an epoch fill. */
const MOST_PAGES = 10_000;
/** Largest chain: entries, and bytes of all of them. */
const CHAIN_MOST = { entries: 100_000, bytes: 33_554_432 };
/** Most bytes of entries between a new member's floor and its own admission: more than the history of a room holds. */
const ADMISSION_BYTES = 268_435_456;

/**
 * Whether the entries that were read explain the end of the log that the relay names. An entry of the chain that names a
 * later epoch than any rotation led to is not explained either: whoever acted here would act beside the order of the room.
 */
export const isExplained = (
  state: RoomSnapshot,
  { head, epoch }: Pick<OpenReply, 'head' | 'epoch'>,
): boolean =>
  state.chainIndex(head) !== null && epoch <= state.core.epoch && epochOfChain(state) <= state.core.epoch;

/**
 * Requests page after page, until `read` resolves with false. Rejects as that does, with RELAY_LIED after more pages
 * than there can be, and with RELAY_UNREACHABLE once it takes too long.
 */
async function byPages(timers: Timers, read: () => Promise<boolean>): Promise<void> {
  const deadline = { passed: false };
  const cancel = timers.after(READING_MS, () => {
    deadline.passed = true;
  });
  try {
    for (let pages = 1; await read(); pages++) {
      if (pages === MOST_PAGES) throw new ClientError(ERROR_CODES.RELAY_LIED);
      if (deadline.passed) throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE);
    }
  } finally {
    cancel();
  }
}

/** Where a query of the chain begins; `roster` null: with the genesis. */
export interface ChainFrom {
  readonly roomId: RoomId;
  readonly roster: Roster | null;
}

/** A part of the roster chain; each entry is verified on the one before. */
export interface ChainRead {
  readonly entries: readonly Bytes[];
  /** at the end of them */
  readonly roster: Roster;
}

/**
 * The roster chain from an entry on; it is never trimmed. Entries are verified as they arrive, so that nothing is
 * requested after an unverified one. `each` receives the roster after every entry. Rejects with RELAY_LIED for an
 * invalid or too long chain, and with RELAY_UNREACHABLE.
 */
export async function fetchChain(
  connection: Asked,
  { crypto: { hash }, timers }: Pick<Platform, 'crypto' | 'timers'>,
  { roomId, roster: known }: ChainFrom,
  each: (roster: Roster) => void = () => undefined,
): Promise<ChainRead> {
  const entries: Bytes[] = [];
  let roster = known;
  let bytes = 0;
  await byPages(timers, async () => {
    const page = await connection.request('chain', { from: roster?.length ?? 0 });
    for (const container of page.entries) {
      roster = await proved(hash, roomId, roster, container);
      each(roster);
      entries.push(container);
      bytes += container.length;
    }
    const endless =
      page.entries.length === 0 || entries.length > CHAIN_MOST.entries || bytes > CHAIN_MOST.bytes;
    if (page.more && endless) throw new ClientError(ERROR_CODES.RELAY_LIED);
    return page.more;
  });
  if (roster === null) throw new ClientError(ERROR_CODES.RELAY_LIED);
  return { entries, roster };
}

/** The roster after one more entry. Rejects with RELAY_LIED where the entry does not verify. */
async function proved(hash: Hash, roomId: RoomId, roster: Roster | null, container: Bytes): Promise<Roster> {
  try {
    if (roster === null) return await readChain(hash, roomId, [container]);
    return (await applyRoster(hash, roster, container)).roster;
  } catch (error) {
    const cause = ClientError.from(error);
    throw cause.code === ERROR_CODES.INTERNAL
      ? cause
      : new ClientError(ERROR_CODES.RELAY_LIED, {}, { cause });
  }
}

/** The beginning of the log of a new member, at the position that the join reply names. */
export interface Begin {
  /** the first entry that the relay serves this member: the one at its floor, while the log holds it; null: none */
  readonly first: Entry | null;
  /** whether its own admission follows, or may be in a range that was trimmed meanwhile */
  readonly admitted: boolean;
}

/**
 * Reads the log from the floor of a new member, until an entry is its own admission, by the hash of that entry. Null:
 * this member has departed already, and the relay serves it no log. Rejects with RELAY_LIED or RELAY_UNREACHABLE.
 */
export async function readFirstEntries(
  connection: Asked,
  { crypto: { hash, clock }, timers }: Pick<Platform, 'crypto' | 'timers'>,
  {
    roomId,
    floor,
    admission,
  }: { readonly roomId: RoomId; readonly floor: Position; readonly admission: Bytes },
): Promise<Begin | null> {
  let first: Entry | null = null;
  let after: Position | null = null;
  let begin: Begin | null = null;
  let bytes = 0;
  await byPages(timers, async () => {
    const reply: OpenReply = await connection.request('open', { roomId, after, head: null, epoch: 0 });
    if (reply.role === 'departed') return false;
    checkRelayClaim(reply, clock.now());
    first ??= reply.entries[0] ?? null;
    // The trimmed entries after the floor may include the admission.
    const admitted =
      comparePositions(reply.trimmed, floor) > 0 || (await isAmong(hash, reply.entries, admission));
    after = endBehind(reply, after);
    for (const { clear, payload } of reply.entries) bytes += clear.length + payload.length;
    if (!admitted && bytes > ADMISSION_BYTES) throw new ClientError(ERROR_CODES.RELAY_LIED);
    if (!admitted && after !== null) return true;
    begin = { first, admitted };
    return false;
  });
  return begin;
}

async function isAmong(hash: Hash, entries: readonly Entry[], wanted: Bytes): Promise<boolean> {
  for (const { kind, payload } of entries) {
    if (kind === 'roster' && equalBytes(await bodyHash(hash, payload), wanted)) return true;
  }
  return false;
}

/** Where the next page begins; null: there is none, or the relay repeats a page. */
function endBehind({ live, generations, entries }: OpenReply, after: Position | null): Position | null {
  const lastStart = generations.at(-1);
  const last = entries.at(-1)?.position ?? (lastStart && { g: lastStart.generation, s: lastStart.from.s });
  if (live || last === undefined) return null;
  return after !== null && comparePositions(last, after) <= 0 ? null : last;
}

/** The part of the chain that a departed member may read; empty from a relay that serves none, or an unverified one. */
export async function fetchDepartedChain(
  connection: Asked,
  platform: Pick<Platform, 'crypto' | 'timers'>,
  from: ChainFrom,
): Promise<readonly Bytes[]> {
  try {
    return (await fetchChain(connection, platform, from)).entries;
  } catch (error) {
    const { code } = ClientError.from(error);
    if (code !== ERROR_CODES.FORBIDDEN && code !== ERROR_CODES.RELAY_LIED) throw error;
    return [];
  }
}

/** The chain after the known head, and the rotations after the one that began the epoch of this client. */
export interface Unexplained {
  readonly chain: readonly Bytes[];
  readonly rotations: readonly Entry[];
}

/** Reads both; null: `isCurrent` returned false meanwhile. Rejects with RELAY_LIED or RELAY_UNREACHABLE. */
export async function readUnexplained(
  { state, connection, platform }: RoomHandle,
  isCurrent: () => boolean,
): Promise<Unexplained | null> {
  const { core, roster, current } = state;
  const { roomId, epoch } = core;
  const rotations = new Rotations(epoch, roster);
  const chain = await fetchChain(connection, platform, { roomId, roster }, (next) => {
    rotations.owned(next);
  });
  let after: Position | null = current.floor;
  await byPages(platform.timers, async () => {
    if (!isCurrent()) return false;
    const reply = await connection.request('open', { roomId, after, head: roster.head, epoch });
    checkRelayClaim(reply, platform.crypto.clock.now());
    if (reply.rotation !== undefined) rotations.collect(reply.rotation);
    for (const entry of reply.entries) if (entry.kind === 'rotation') rotations.collect(entry);
    after = endBehind(reply, after);
    return after !== null;
  });
  return isCurrent() ? { chain: chain.entries, rotations: rotations.kept } : null;
}

/**
 * Collects rotations: those that an owner in the chain has signed, each to a later epoch than the one before. Of
 * unverified ones only the first is kept, and shown: a relay can make them without end.
 */
class Rotations {
  readonly kept: Entry[] = [];
  readonly #owners = new Map<MemberId, Bytes>();
  #epoch: number;
  #foreign = false;

  constructor(epoch: number, roster: Roster) {
    this.#epoch = epoch;
    this.owned(roster);
  }

  owned({ owner, members }: Roster): void {
    const key = members.get(owner)?.key;
    if (key !== undefined) this.#owners.set(owner, key);
  }

  collect(entry: Entry): void {
    const epoch = this.#signed(entry);
    if (epoch === null && !this.#foreign) {
      this.#foreign = true;
      this.kept.push(entry);
    } else if (epoch !== null && epoch > this.#epoch) {
      this.#epoch = epoch;
      this.kept.push(entry);
    }
  }

  /** The epoch that a rotation begins; null: no owner has signed it. */
  #signed({ clear }: Entry): number | null {
    try {
      const { owner, newEpoch } = rotationIn(clear);
      const key = this.#owners.get(owner);
      if (key === undefined) return null;
      verifyContainer(key, clear);
      return newEpoch;
    } catch (error) {
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
      return null;
    }
  }
}
