/**
 * What is read of the relay beside the pages of the log: the roster chain, and rotations that were altered or left
 * out on their way (docs/protocol.md sections 4, 7 and 8).
 */
import {
  comparePositions, equalBytes, ERROR_CODES, type Bytes, type Entry, type OpenReply, type Position, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash } from '@0fc/crypto/verify';
import type { Connection } from '../connection.js';
import { ClientError } from '../errors.js';
import type { Platform } from '../ports.js';
import type { RoomHandle } from './handle.js';
import type { Begin } from './join-proof.js';
import { checkPlausible } from './log/plausible.js';
import type { RoomSnapshot } from './state/draft.js';

/** Entries of a chain that are read before the relay is held to have none of that length. */
const CHAIN_MOST = 100_000;

/** Whether what was read leads to where the relay says that the log is. */
export const isExplained = (state: RoomSnapshot, { head, epoch }: OpenReply): boolean =>
  state.chainIndex(head) !== null && epoch <= state.core.epoch;

/**
 * The roster chain from an index on; it is never trimmed. Each entry goes to `check` as its page comes, and what that
 * rejects with ends the reading. Rejects with RELAY_LIED.
 */
export async function fetchChain(
  connection: Pick<Connection, 'request'>,
  from: number,
  check: (container: Bytes) => Promise<void> | void = () => undefined,
): Promise<readonly Bytes[]> {
  const entries: Bytes[] = [];
  for (let more = true; more;) {
    const page = await connection.request('chain', { from: from + entries.length });
    for (const container of page.entries) await check(container);
    entries.push(...page.entries);
    ({ more } = page);
    const endless = page.entries.length === 0 || entries.length > CHAIN_MOST;
    if (more && endless) throw new ClientError(ERROR_CODES.RELAY_LIED);
  }
  return entries;
}

/**
 * What is read between a member's floor and its own admission before the relay is held to have no such log: pages, and
 * bytes of entries. The most entries that a room may ask its relay to keep fill 7 813 pages, at 256 bytes each.
 */
const ADMISSION_PAGES = 10_000;
const ADMISSION_BYTES = 268_435_456;

/**
 * Reads from where the relay has a new member begin, until an entry is its own admission, by that entry's hash. Null:
 * this member is departed already, and is served no log. Rejects with RELAY_LIED.
 */
export async function readBegin(
  connection: Pick<Connection, 'request'>,
  { hash, clock }: Platform['crypto'],
  {
    roomId,
    floor,
    admission,
  }: { readonly roomId: RoomId; readonly floor: Position; readonly admission: Bytes },
): Promise<Begin | null> {
  let first: Entry | null = null;
  let after: Position | null = null;
  let bytes = 0;
  for (let page = 0; page < ADMISSION_PAGES && bytes < ADMISSION_BYTES; page++) {
    const reply: OpenReply = await connection.request('open', { roomId, after, head: null, epoch: 0 });
    if (reply.role === 'departed') return null;
    checkPlausible(reply, clock.now());
    first ??= reply.entries[0] ?? null;
    for (const { kind, clear, payload } of reply.entries) {
      bytes += clear.length + payload.length;
      if (kind === 'roster' && equalBytes(await bodyHash(hash, payload), admission))
        return { first, admitted: true };
    }
    // What it has trimmed behind the floor may have been the admission.
    if (comparePositions(reply.trimmed, floor) > 0) return { first, admitted: true };
    const last = endOf(reply);
    if (reply.live || last === undefined || (after !== null && comparePositions(last, after) <= 0))
      return { first, admitted: false };
    after = last;
  }
  throw new ClientError(ERROR_CODES.RELAY_LIED);
}

/** How far a page leads. */
function endOf({ generations, entries }: OpenReply): Position | undefined {
  const begun = generations.at(-1);
  return entries.at(-1)?.position ?? (begun && { g: begun.generation, s: begun.from.s });
}

/** What the departed may read of it; nothing from a relay that serves them none. */
export async function fetchDepartedChain(
  connection: Pick<Connection, 'request'>,
  from: number,
): Promise<readonly Bytes[]> {
  try {
    return await fetchChain(connection, from);
  } catch (error) {
    if (ClientError.from(error).code !== ERROR_CODES.FORBIDDEN) throw error;
    return [];
  }
}

/** Rotations after the one that began the epoch of this client; null: `isCurrent` has become false meanwhile. */
export async function readRotations(
  { state, connection, platform }: RoomHandle,
  isCurrent: () => boolean,
): Promise<readonly Entry[] | null> {
  const { core, roster } = state;
  const { roomId, epoch } = core;
  const rotations: Entry[] = [];
  let after = state.current.floor;
  for (;;) {
    const reply = await connection.request('open', { roomId, after, head: roster.head, epoch });
    if (!isCurrent()) return null;
    checkPlausible(reply, platform.crypto.clock.now());
    if (reply.rotation !== undefined) rotations.push(reply.rotation);
    rotations.push(...reply.entries.filter(({ kind }) => kind === 'rotation'));
    const last = endOf(reply);
    // Nothing further on: a relay that repeats itself is not asked for ever.
    if (reply.live || last === undefined || comparePositions(last, after) <= 0) return rotations;
    after = last;
  }
}
