/**
 * What is read of the relay beside the pages of the log: the roster chain, and rotations that were altered or left
 * out on their way (docs/protocol.md sections 4, 7 and 8).
 */
import { comparePositions, ERROR_CODES, type Bytes, type Entry, type OpenReply } from '@0fc/protocol';
import type { Connection } from '../connection.js';
import { ClientError } from '../errors.js';
import type { RoomHandle } from './handle.js';
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
    const begun = reply.generations.at(-1);
    const last = reply.entries.at(-1)?.position ?? (begun && { g: begun.generation, s: begun.from.s });
    // Nothing further on: a relay that repeats itself is not asked for ever.
    if (reply.live || last === undefined || comparePositions(last, after) <= 0) return rotations;
    after = last;
  }
}
