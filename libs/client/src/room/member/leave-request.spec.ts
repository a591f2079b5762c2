/** Leaving beside a hand-over: whoever the room needs stays until somebody else holds what it holds (section 4). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { signBody } from '@0fc/crypto/keys';
import type { Bytes, Entry } from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { Outgoing } from '../outgoing/lane.js';
import { change, crypto, RoomLog, readEntry, type Person } from '../log/log.spec-support.js';
import { isVoid } from '../log/pending.js';
import { set } from '../state/draft.js';
import type { PendingCommand } from '../../vault/records.js';
import { LeaveRequest } from './leave-request.js';
import { OwnershipTransfer } from './ownership-transfer.js';

beforeAll(async () => {
  await loadThemis();
});

let log: RoomLog;
let owner: Person;
let guest: Person;
let third: Person;
let admitted: readonly Entry[];
let room: FakeRoom;
let request: LeaveRequest;

/** A room of three, as one of them has read it, and its part that leaves. */
async function readBy(who: Person): Promise<void> {
  room = new FakeRoom(await log.reader(who), new FakeClock(2_000));
  for (const entry of admitted) await readEntry(room.state, entry);
  request = new LeaveRequest(room);
}

beforeEach(async () => {
  log = await RoomLog.begin();
  ({ owner } = log);
  const [first, second] = [await log.admit(), await log.admit()];
  guest = first.person;
  third = second.person;
  admitted = [first.entry, second.entry];
});

/** How many requests to leave the relay has got once all that is due was sent. */
async function asked(): Promise<number> {
  new Outgoing(room, [request]).signal();
  await room.settled();
  return room.sent.filter(({ kind }) => kind === 'leaveRequest').length;
}

const nonce = crypto.random.bytes(16);
const acceptanceOf = (who: Person): Bytes =>
  signBody(who.identity, 'transferAcceptance', {
    roomId: log.roster.roomId,
    epoch: log.epoch,
    old: owner.id,
    new: who.id,
    nonce,
  });

/** The room goes to a member. */
async function handOver(to: Person): Promise<Entry> {
  const entry = await log.change('transfer', { to: to.id, acceptance: acceptanceOf(to) });
  log.owner = to;
  return entry;
}

describe('who has accepted the room', () => {
  test('asks to leave once it went to somebody else, and not before', async () => {
    await readBy(guest);
    const part = new OwnershipTransfer(room);
    const fields = { roomId: log.roster.roomId, head: log.roster.head, old: owner.id, new: guest.id, nonce };
    await part.onOffered({ from: owner.id, offer: signBody(owner.identity, 'transferOffer', fields) });
    await part.accept();
    await request.leave();
    expect(room.state.core.leaveRequest).not.toBeNull();
    expect(room.state.core.ownershipTransfer?.acceptance).not.toBeNull();
    expect(await asked()).toBe(0);
    await readEntry(room.state, await handOver(third));
    expect(await asked()).toBe(1);
  });

  test('does not ask while the room is its own', async () => {
    await readBy(guest);
    await request.leave();
    await readEntry(room.state, await handOver(guest));
    expect(room.state.isOwner).toBe(true);
    expect(await asked()).toBe(0);
  });
});

describe('who has handed the room over', () => {
  test('asks to leave once it has read the first rotation of the new owner, and not before', async () => {
    await readBy(owner);
    await readEntry(room.state, await handOver(third));
    await request.leave();
    expect(await asked()).toBe(0);
    await readEntry(room.state, await log.rotate(owner.id));
    expect(await asked()).toBe(1);
  });
});

describe('an owner that has signed a transfer', () => {
  let pending: PendingCommand;

  beforeEach(async () => {
    await readBy(owner);
    const { roomId, head } = log.roster;
    const entry = signBody(owner.identity, 'transfer', {
      roomId, head, epoch: 1, owner: owner.id, to: guest.id, acceptance: acceptanceOf(guest),
    }); // prettier-ignore
    pending = { kind: 'roster', entry, rotation: null, candidate: null, inviteId: null, reply: null };
    await change(room.state, set({ pending }));
  });

  test('offers the room to nobody beside it', async () => {
    const offer = new OwnershipTransfer(room).offer(guest.id);
    await expect(offer).rejects.toMatchObject({ code: 'NOT_OWNER' });
    expect(room.state.core.ownershipTransfer).toBeNull();
  });

  test('signs nothing else on its state, though the next owner asks to leave: the transfer may be in the log', async () => {
    const { admit } = log.roster.members.get(guest.id)!;
    const fields = { roomId: log.roster.roomId, member: guest.id, admit };
    const asks = signBody(guest.identity, 'leaveRequest', fields);
    await readEntry(room.state, await log.add('leaveRequest', guest.id, asks));
    expect(room.state.core.leaving.map(({ memberId }) => memberId)).toEqual([guest.id]);
    expect(await isVoid(nodeHash, room.state, pending)).toBe(false);
  });
});
