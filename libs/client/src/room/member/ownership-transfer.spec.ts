/** Offers and acceptances of a room: which stand, and what a client makes of a relay that does not take its own. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { signBody } from '@0fc/crypto/keys';
import { applyRoster, verifyTransferAcceptance } from '@0fc/crypto/verify';
import type { Bytes, Entry, ErrorCode, RequestBody } from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { Owner } from '../owner/owner.js';
import { LeaveRequest } from './leave-request.js';
import { OwnershipTransfer } from './ownership-transfer.js';
import { change, crypto, readEntry, RoomLog, type Person } from '../log/log.spec-support.js';
import type { Part } from '../outgoing/part.js';
import { Outgoing } from '../outgoing/lane.js';
import { extendChain, set } from '../state/draft.js';

beforeAll(async () => {
  await loadThemis();
});

/** Sends the due requests of a room, as the room does. */
async function send(room: FakeRoom, part: Part): Promise<void> {
  expect(room.signals).toBeGreaterThan(0);
  new Outgoing(room, [part]).signal();
  await room.settled();
}

/** The room has changed hands in the log, and this client has not read that far. */
async function offering(refuses: ErrorCode): Promise<FakeRoom> {
  const log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  const room = new FakeRoom(await log.reader(log.owner), new FakeClock(entry.time));
  const roster = log.roster;
  await change(room.state, extendChain(entry.payload, roster.head, roster));
  room.refuses = refuses;
  const transfer = new OwnershipTransfer(room);
  await transfer.offer(person.id);
  await send(room, transfer);
  expect(room.sent.map(({ kind }) => kind)).toEqual(['transferOffer']);
  return room;
}

async function accepting(refuses: ErrorCode): Promise<FakeRoom> {
  const log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  const room = new FakeRoom(await log.reader(person), new FakeClock(entry.time));
  await change(room.state, extendChain(entry.payload, log.roster.head, log.roster));
  room.refuses = refuses;
  const transfer = new OwnershipTransfer(room);
  const fields = { roomId: log.roster.roomId, head: log.roster.head, old: log.owner.id, new: person.id };
  const offer = signBody(log.owner.identity, 'transferOffer', { ...fields, nonce: crypto.random.bytes(16) });
  await transfer.onOffered({ from: log.owner.id, offer });
  await transfer.accept();
  await send(room, transfer);
  expect(room.sent.map(({ kind }) => kind)).toEqual(['transferAcceptance']);
  return room;
}

describe.each([
  ['an offer', offering],
  ['an acceptance', accepting],
] as const)('%s', (_, refused) => {
  test.each(['FORBIDDEN', 'BAD_ENTRY', 'OFFLINE'] as const)(
    'that came too late (%s) does not stop the room: the log tells what has become of it',
    async (code) => {
      const room = await refused(code);
      expect(room.halted).toEqual([]);
      expect(room.state.core.ownershipTransfer).not.toBeNull();
    },
  );

  test('that is no message of this version stops the room, and says so', async () => {
    expect((await refused('MALFORMED')).halted).toEqual([{ code: 'MALFORMED' }]);
  });
});

/** A room of three, as one of them has read it, with its offers and acceptances. */
class Company {
  readonly log: RoomLog;
  readonly guest: Person;
  readonly third: Person;
  readonly admitted: readonly Entry[];

  private constructor(log: RoomLog, ...of: readonly { readonly person: Person; readonly entry: Entry }[]) {
    this.log = log;
    [this.guest, this.third] = of.map(({ person }) => person) as [Person, Person];
    this.admitted = of.map(({ entry }) => entry);
  }

  static async begin(): Promise<Company> {
    const log = await RoomLog.begin();
    return new Company(log, await log.admit(), await log.admit());
  }

  async readBy(who: Person): Promise<{ readonly room: FakeRoom; readonly part: OwnershipTransfer }> {
    const room = new FakeRoom(await this.log.reader(who), new FakeClock(2_000));
    for (const entry of this.admitted) await readEntry(room.state, entry);
    return { room, part: new OwnershipTransfer(room) };
  }

  offer(to = this.guest, head = this.log.roster.head, nonce = crypto.random.bytes(16)): Bytes {
    const { owner, roster } = this.log;
    const fields = { roomId: roster.roomId, head, old: owner.id, new: to.id, nonce };
    return signBody(owner.identity, 'transferOffer', fields);
  }

  acceptance(epoch: number, nonce: Bytes): Bytes {
    const { owner, roster } = this.log;
    const fields = { roomId: roster.roomId, epoch, old: owner.id, new: this.guest.id, nonce };
    return signBody(this.guest.identity, 'transferAcceptance', fields);
  }

  /** The room goes to a member, whose first act is a rotation. */
  async handOver(to: Person, reader: Person): Promise<readonly Entry[]> {
    const { log } = this;
    const fields = { epoch: log.epoch, old: log.owner.id, new: to.id, nonce: crypto.random.bytes(16) };
    const acceptance = signBody(to.identity, 'transferAcceptance', { roomId: log.roster.roomId, ...fields });
    const entry = await log.change('transfer', { to: to.id, acceptance });
    log.owner = to;
    return [entry, await log.rotate(reader.id)];
  }
}

describe('an offer of another time of ownership', () => {
  test('of before a hand-over is none, though its owner owns the room once more', async () => {
    const company = await Company.begin();
    const { guest, third, log } = company;
    const { owner } = log;
    const { room, part } = await company.readBy(guest);
    const old = company.offer();
    const since = [...(await company.handOver(third, guest)), ...(await company.handOver(owner, guest))];
    for (const entry of since) await readEntry(room.state, entry);
    await part.onOffered({ from: owner.id, offer: old });
    expect(room.state.core.ownershipTransfer).toBeNull();
    await expect(part.accept()).rejects.toMatchObject({ code: 'NO_OFFER' });
    await part.onOffered({ from: owner.id, offer: company.offer() });
    expect(room.state.core.ownershipTransfer).not.toBeNull();
  });

  test('which was not read yet is kept, and is one once it has been', async () => {
    const company = await Company.begin();
    const { guest, third, log } = company;
    const { owner } = log;
    const { room, part } = await company.readBy(guest);
    const unread = [...(await company.handOver(third, guest)), ...(await company.handOver(owner, guest))];
    await part.onOffered({ from: owner.id, offer: company.offer() });
    // The last of them is a rotation: the head of the offer is the transfer before it.
    for (const entry of unread.slice(0, -1)) {
      await send(room, part);
      expect(room.state.core.ownershipTransfer).toBeNull();
      await readEntry(room.state, entry);
    }
    await send(room, part);
    expect(room.state.core.ownershipTransfer).toMatchObject({ memberId: owner.id, acceptance: null });
  });

  test('of a chain that is read ahead of the log is none before its epoch is here: an acceptance would be of an ended one', async () => {
    const company = await Company.begin();
    const { guest, third, log } = company;
    const { owner } = log;
    const { room, part } = await company.readBy(guest);
    const unread: Entry[] = [];
    for (const to of [third, owner]) {
      const [transfer, rotation] = await company.handOver(to, guest);
      await change(
        room.state,
        extendChain(transfer!.payload, log.roster.head, log.roster),
        set({ skipped: true }),
      );
      unread.push(transfer!, rotation!);
    }
    await part.onOffered({ from: owner.id, offer: company.offer() });
    expect(room.state.core.ownershipTransfer).toBeNull();
    for (const entry of unread) await readEntry(room.state, entry);
    await send(room, part);
    expect(room.state.core).toMatchObject({ epoch: 3, ownershipTransfer: { memberId: owner.id } });
  });
});

describe('an acceptance', () => {
  test('ends with its epoch: the offer stands, and may be accepted once more, or declined', async () => {
    const company = await Company.begin();
    const { guest, log } = company;
    const { room, part } = await company.readBy(guest);
    await part.onOffered({ from: log.owner.id, offer: company.offer() });
    await part.accept();
    await send(room, part);
    await expect(part.end()).rejects.toMatchObject({ code: 'NO_OFFER' });
    await readEntry(room.state, await log.rotate(guest.id));
    expect(room.state.core.ownershipTransfer).toMatchObject({ memberId: log.owner.id, acceptance: null });
    await part.accept();
    await send(room, part);
    const bodies = room.sent.map(({ body }) => (body as RequestBody<'transferAcceptance'>).acceptance);
    const epochs = bodies.map((one) => verifyTransferAcceptance(log.roster, one).epoch);
    expect(epochs).toEqual([1, 2]);
    await readEntry(room.state, await log.rotate(guest.id));
    await part.end();
    expect(room.state.core.ownershipTransfer).toBeNull();
  });

  test('ends with its epoch: whose request to leave has waited for that accepts nothing any more', async () => {
    const company = await Company.begin();
    const { guest, log } = company;
    const { room, part } = await company.readBy(guest);
    const leave = new LeaveRequest(room);
    const offer = company.offer();
    await part.onOffered({ from: log.owner.id, offer });
    await part.accept();
    await leave.leave();
    expect(await leave.next()).toBeNull();
    await readEntry(room.state, await log.rotate(guest.id));
    expect(await leave.next()).toMatchObject({ kind: 'leaveRequest' });
    await part.onOffered({ from: log.owner.id, offer });
    await expect(part.accept()).rejects.toMatchObject({ code: 'NO_OFFER' });
  });

  test('counts for the owner in the epoch that it names: not before, and not after', async () => {
    const company = await Company.begin();
    const { guest, log } = company;
    const { room, part } = await company.readBy(log.owner);
    await part.offer(guest.id);
    const { nonce } = room.state.core.ownershipTransfer!;
    const accepted = (): boolean => room.state.core.ownershipTransfer?.acceptance !== null;
    const first = company.acceptance(1, nonce);
    await part.onAccepted({ from: guest.id, acceptance: company.acceptance(2, nonce) });
    expect(accepted()).toBe(false);
    // It was early: the relay had placed a rotation that is read only now.
    await readEntry(room.state, await log.rotate(log.owner.id));
    await send(room, part);
    expect(accepted()).toBe(true);
    await readEntry(room.state, await log.rotate(log.owner.id));
    expect(accepted()).toBe(false);
    await part.onAccepted({ from: guest.id, acceptance: first });
    await send(room, part);
    expect(accepted()).toBe(false);
  });

  test('is used before a rotation that is due would end it', async () => {
    const company = await Company.begin();
    const { guest, log } = company;
    const { room, part } = await company.readBy(log.owner);
    await part.offer(guest.id);
    const { nonce } = room.state.core.ownershipTransfer!;
    await change(room.state, set({ rotationWanted: true }));
    await part.onAccepted({ from: guest.id, acceptance: company.acceptance(1, nonce) });
    const owner = new Owner(room);
    await owner.next();
    owner.stop();
    const pending = room.state.core.pending;
    expect(pending).toMatchObject({ entry: expect.any(Uint8Array), rotation: null });
    const { roster } = await applyRoster(nodeHash, log.roster, pending!.entry!);
    expect(roster.owner).toBe(guest.id);
  });
});
