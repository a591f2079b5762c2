/** What a room's log says, told by hand: not by the code that clients and relay share. */
import {
  decodeBody,
  decodeMessageClear,
  equalBytes,
  ROSTER_KINDS,
  type Bytes,
  type Entry,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { nodeHash } from '@0fc/crypto/node';
import { containerBody, memberIdOf, verifyContainer } from '@0fc/crypto/verify';

export interface Told {
  readonly owner: MemberId;
  readonly members: ReadonlySet<MemberId>;
  /** sequence number of the closing; null: the room is open */
  readonly closed: number | null;
  readonly epoch: number;
  /** keys of all that were ever members */
  readonly identities: ReadonlyMap<MemberId, Bytes>;
  /** epoch of the log after each entry */
  readonly epochs: readonly number[];
  /** of each entry: a departure has been, its rotation has not */
  readonly between: readonly boolean[];
  /** epoch in which each of the gone went: the last one it may open */
  readonly gone: ReadonlyMap<MemberId, number>;
  /** sequence number of what ended each one's part: its removal, or its own request to leave */
  readonly ends: ReadonlyMap<MemberId, number>;
}

/** A message as the log has it. */
export interface Line {
  readonly id: string;
  readonly position: Position;
  readonly epoch: number;
}

export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/**
 * Follows the log entry by entry; throws at the first that may not stand where it does. `dead`: ids of invites that were
 * revoked; `lossy`: its store has gone back.
 */
export async function follow(
  log: readonly Entry[],
  { dead, lossy }: { readonly dead: ReadonlySet<string>; readonly lossy: boolean },
): Promise<Told> {
  let owner = '' as MemberId;
  let head: Bytes = new Uint8Array();
  let epoch = 1;
  let closed = null as number | null;
  /** after a departure nothing but its rotation; after a transfer no roster entry before one */
  let due = null as 'departure' | 'transfer' | null;
  const identities = new Map<MemberId, Bytes>();
  const members = new Set<MemberId>();
  const leaving = new Set<MemberId>();
  const gone = new Map<MemberId, number>();
  const ends = new Map<MemberId, number>();
  const invites = new Set<string>();
  const epochs: number[] = [];
  const between: boolean[] = [];

  const takeRoster = async (payload: Bytes, s: number, at: string): Promise<void> => {
    const first = decodeBody(containerBody(payload), ...ROSTER_KINDS);
    if (first.kind === 'genesis') {
      demand(owner === '', `${at}: a second genesis`);
      const key = first.body.ownerKey;
      verifyContainer(key, payload);
      owner = await memberIdOf(nodeHash, key);
      identities.set(owner, key);
      members.add(owner);
    } else {
      const { kind, body } = first;
      const key = identities.get(owner);
      demand(key !== undefined, `${at}: ${kind} without an owner`);
      verifyContainer(key, payload);
      demand(body.owner === owner, `${at}: ${kind} by who does not own the room`);
      demand(equalBytes(body.head, head), `${at}: ${kind} not on the head before it`);
      demand(body.epoch === epoch, `${at}: ${kind} of epoch ${String(body.epoch)} in ${String(epoch)}`);
      demand(due === null, `${at}: ${kind} before the rotation that was due`);
      if (kind === 'admit') {
        const member = await memberIdOf(nodeHash, body.key);
        demand(!identities.has(member), `${at}: a key that was on the roster before`);
        demand(!invites.has(body.inviteId), `${at}: an invite that has admitted somebody`);
        demand(!dead.has(body.inviteId), `${at}: an invite that was revoked`);
        invites.add(body.inviteId);
        identities.set(member, body.key);
        members.add(member);
      } else if (kind === 'remove' || kind === 'leave') {
        demand(members.delete(body.member), `${at}: ${kind} of nobody`);
        // Nobody restores a request to leave.
        demand(
          kind === 'remove' || lossy || leaving.has(body.member),
          `${at}: a leave that nobody has asked for`,
        );
        gone.set(body.member, epoch);
        if (!ends.has(body.member)) ends.set(body.member, s);
        due = 'departure';
      } else if (kind === 'transfer') {
        demand(members.has(body.to) && !leaving.has(body.to), `${at}: handed over to nobody`);
        owner = body.to;
        due = 'transfer';
      } else if (kind === 'close') closed = s;
    }
    head = await nodeHash.sha256(containerBody(payload));
  };

  for (const { kind, sender, clear, payload, position } of log) {
    const at = `entry ${String(position.s)}`;
    demand(closed === null, `${at}: after the end`);
    demand(due !== 'departure' || kind === 'rotation', `${at}: ${kind} between a departure and its rotation`);
    if (kind === 'roster') await takeRoster(payload, position.s, at);
    else {
      demand(members.has(sender) && !leaving.has(sender), `${at}: ${kind} by somebody who is not in`);
      if (kind === 'rotation') {
        demand(sender === owner, `${at}: rotated by who does not own the room`);
        const key = identities.get(owner);
        demand(key !== undefined, `${at}: a rotation without an owner`);
        const { body } = decodeBody(verifyContainer(key, clear), 'rotation');
        demand(body.newEpoch === epoch + 1, `${at}: epoch ${String(body.newEpoch)} after ${String(epoch)}`);
        demand(equalBytes(body.head, head), `${at}: a rotation not on the head before it`);
        epoch += 1;
        due = null;
      } else if (kind === 'leaveRequest') {
        leaving.add(sender);
        ends.set(sender, position.s);
      } else {
        const sealed = decodeMessageClear(clear);
        demand(sealed === epoch, `${at}: a message of epoch ${String(sealed)} in ${String(epoch)}`);
      }
    }
    epochs.push(epoch);
    between.push(due === 'departure');
  }
  return { owner, members, closed, epoch, identities, epochs, between, gone, ends };
}
