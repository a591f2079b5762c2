/** What must hold of a room at rest (docs/protocol.md, G1 to G16 as far as the model can state them). */
import {
  decodeBody, decodeMessageClear, equalBytes, ROSTER_KINDS, toBase64Url, type Bytes, type Entry, type MemberId,
} from '@0fc/protocol'; // prettier-ignore
import { equalSecrets, openMessage, type RoomKey } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { containerBody, memberIdOf, verifyContainer } from '@0fc/crypto/verify';
import { expectSound, type History, type Shown } from '../support/checker.js';
import { shownOf } from '../support/member-process.js';
import type { Person } from './person.js';
import type { Room } from './world.js';

/** What the log itself says, told by hand: not by the code that clients and relay share. */
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

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function follow(log: readonly Entry[], dead: ReadonlySet<string>): Promise<Told> {
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
        demand(kind === 'remove' || leaving.has(body.member), `${at}: a leave that nobody has asked for`);
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

/** G10, G16: what members have sealed, whether or not the relay has taken it. */
function sealed(room: Room, log: readonly Entry[], told: Told): number {
  const keys = new Map(room.here.flatMap(({ keys: held }) => [...held]));
  const open = (sender: MemberId, clear: Bytes, payload: Bytes) => {
    const epoch = decodeMessageClear(clear);
    const roomKey = keys.get(epoch);
    const senderKey = told.identities.get(sender);
    if (roomKey === undefined || senderKey === undefined) return null;
    const roomId = room.roomId as Parameters<typeof openMessage>[0]['roomId'];
    return openMessage({ roomKey, roomId, epoch, sender, senderKey, payload }).body;
  };
  let opened = 0;
  for (const { sender, clear, payload } of room.relay.appended()) {
    const body = open(sender, clear, payload);
    if (body === null) continue;
    opened += 1;
    const { s } = body.seen.position;
    const what = `message ${String(body.n)} of ${sender}, sealed at ${String(s)} for epoch ${String(body.epoch)}`;
    demand(told.between[s] === false, `${what}, between a departure and its rotation`);
    demand(told.epochs[s] === body.epoch, `${what}, which had ended there`);
  }
  const counters = new Map<string, number>();
  for (const { kind, sender, clear, payload } of log) {
    const body = kind === 'message' ? open(sender, clear, payload) : null;
    if (body === null) continue;
    const of = `${sender} ${toBase64Url(body.instance)}`;
    const before = counters.get(of);
    demand(
      before === undefined || body.n === before + 1,
      `${sender}: ${String(body.n)} after ${String(before)}`,
    );
    counters.set(of, body.n);
  }
  return opened;
}

/** Keys: one for all, ended ones forgotten (G8), none for who has gone (G10). */
function keysOf(room: Room, told: Told, members: readonly Person[]): void {
  const known = new Map<number, RoomKey>();
  const held = room.here.filter(({ id }) => id !== null && told.identities.has(id));
  for (const { name, keys, id } of held) {
    for (const [epoch, key] of keys) {
      const same = known.get(epoch);
      demand(
        same === undefined || equalSecrets(same, key),
        `${name} has another key of epoch ${String(epoch)}`,
      );
      known.set(epoch, key);
      const last = id === null ? undefined : told.gone.get(id);
      demand(
        last === undefined || epoch <= last,
        `${name} is gone, and has the key of epoch ${String(epoch)}`,
      );
    }
  }
  for (const { name, core } of members) {
    const epochs = core?.keys.map(({ epoch }) => epoch) ?? [];
    demand(epochs.includes(told.epoch), `${name} lacks the key of epoch ${String(told.epoch)}`);
    const old = epochs.filter((epoch) => epoch < told.epoch - 1);
    demand(old.length === 0, `${name} keeps the key of epoch ${old.join(', ')} in ${String(told.epoch)}`);
  }
}

/** Every law; throws at the first that is broken. Returns what the log says, and how much was opened. */
export async function hold(room: Room): Promise<Told & { readonly opened: number }> {
  demand(room.relay.failures.length === 0, `in the relay: ${room.relay.failures.map(String).join(', ')}`);
  const log = room.relay.log();
  const told = await follow(log, room.dead);
  const members = room.here.filter((person) => person.fate(room.roomId) === 'member');
  const ids = members.map(({ id }) => id ?? '').sort();
  if (told.closed === null) {
    demand(
      JSON.stringify(ids) === JSON.stringify([...told.members].sort()),
      `members by the log: ${[...told.members].join(', ')}; by themselves: ${ids.join(', ')}`,
    );
  } else demand(ids.length === 0, 'members of a closed room');
  for (const { name, core, member } of members) {
    demand(core?.epoch === told.epoch, `${name} is in epoch ${String(core?.epoch)} of ${String(told.epoch)}`);
    const owner = member.room?.members.find((one) => one.owner)?.memberId;
    demand(owner === told.owner, `${name} takes ${String(owner)} for the owner`);
  }
  keysOf(room, told, members);
  const opened = sealed(room, log, told);
  expectSound({
    histories: await Promise.all(
      room.here.filter(({ id }) => id !== null).map((one) => historyOf(room, told, one)),
    ),
    sent: [...room.sent.values()],
  });
  return { ...told, opened };
}

async function historyOf(room: Room, told: Told, { name, member, core }: Person): Promise<History> {
  while (member.room?.earlier === true) {
    await member.api.loadEarlier(room.roomId);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const names = new Map(room.here.map(({ id, name: called }) => [String(id), called]));
  const shown = member.items.flatMap((item) =>
    shownOf(item.type === 'message' ? { ...item, senderName: names.get(item.sender) ?? '' } : item),
  );
  // Who was away at the end, its own or the room's, is served the entry that says so and nothing before it.
  const end = core === null ? null : (told.ends.get(core.me) ?? told.closed);
  const unread = core !== null && end !== null && core.position.s < end;
  const foretold = (line: Shown): boolean =>
    unread && ['removed', 'leaving', 'left'].includes(line.type) && 'member' in line && line.member === name;
  const cutOff: readonly Shown[] =
    unread && core.stage === 'closed' ? [{ type: 'leaving', member: name }] : [];
  return {
    member: name,
    // Who went before it heard a name shows none: its place in the order is told by the others.
    shown: [
      ...shown.filter((line) => !('member' in line && line.member === '') && !foretold(line)),
      ...cutOff,
    ],
    alarms: member.alarms,
  };
}
