/** Leaving, handing over, closing, and what a room may hold: what the relay refuses, by name (docs/protocol.md section 4). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS, type Bytes } from '@0fc/protocol';
import { createGenesis, signBody } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { Peer } from './relay-peer.js';
import { anyBytes, message, newInviteId, ports, SETTINGS, TestRoom } from './relay-room.js';

const BASE = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', HANDSHAKE_MS: '60000' };
const relays: RunningRelay[] = [];
let relay: RunningRelay;

async function start(environment: Record<string, string> = {}): Promise<RunningRelay> {
  const started = await startRelay({ environment: { ...BASE, ...environment }, inMemory: true });
  relays.push(started);
  return started;
}

beforeAll(async () => {
  await loadThemis();
  relay = await start();
});
afterAll(() => Promise.all(relays.map((one) => one.stop())));

const roomOf = async (size: number): Promise<{ room: TestRoom; members: Peer[] }> => {
  const room = await TestRoom.create(relay);
  const members: Peer[] = [];
  for (let n = 1; n < size; n++) {
    const peer = await Peer.connect(relay);
    await room.join(peer);
    members.push(peer);
  }
  return { room, members };
};

/** The room goes to a member, with its consent; the same acceptance may be given again by a test. */
async function transferOwnership(room: TestRoom, to: Peer): Promise<{ entry: Bytes; acceptance: Bytes }> {
  const { roomId, owner } = room;
  const fields = { roomId, old: owner.memberId, new: to.memberId, nonce: anyBytes(16) };
  await owner.request('transferOffer', {
    to: to.memberId,
    offer: signBody(owner.identity, 'transferOffer', { ...fields, head: room.roster.head }),
  });
  const acceptance = signBody(to.identity, 'transferAcceptance', { ...fields, epoch: room.epoch });
  await to.request('transferAcceptance', { acceptance });
  const { entry } = await room.change('transfer', { to: to.memberId, acceptance });
  room.owner = to;
  return { entry, acceptance };
}

describe('leaving', () => {
  test('is by one’s own signed request, and is told the leaver until the owner’s entry is', async () => {
    const { room, members } = await roomOf(3);
    const [leaver, other] = members as [Peer, Peer];
    const request = room.leaveRequest(leaver);
    expect(await other.refusal('leaveRequest', { request })).toBe('BAD_SIGNATURE');
    expect(await room.owner.refusal('leaveRequest', { request })).toBe('FORBIDDEN');
    const placed = (await leaver.request('leaveRequest', { request })).placed.position;
    await leaver.gone();
    expect(leaver.entries.at(-1)).toMatchObject({ kind: 'leaveRequest', position: placed });
    const back = await Peer.connect(relay, leaver.identity);
    expect(await room.open(back)).toMatchObject({
      role: 'departed',
      tip: placed,
      entries: [{ kind: 'leaveRequest', payload: request, position: placed }],
    });
    expect(await back.refusal('append', { messages: [message()] })).toBe('FORBIDDEN');

    // It is on the roster until then, so a rotation names it; but nobody hands it a key any more.
    const command = await room.rotate();
    expect(Object.keys(command.wraps)).toContain(leaver.memberId);
    expect((await room.owner.request('prekeys', {})).prekeys).toHaveLength(3);
    expect(await room.open(back)).toMatchObject({ entries: [{ payload: request }] });
    const { entry } = await room.change('leave', { member: leaver.memberId, request });
    // Who listens at that moment is cut: it asks again, and is told.
    await back.gone();
    const again = await Peer.connect(relay, leaver.identity);
    expect(await room.open(again)).toMatchObject({
      role: 'departed',
      entries: [{ kind: 'roster', payload: entry }],
    });
    expect((await room.owner.request('prekeys', {})).prekeys).toHaveLength(2);
    expect(await again.refusal('claim', { roomId: room.roomId, inviteId: newInviteId() })).toBe('WAS_MEMBER');
  });

  test('of a leaver that is removed instead serves the removal', async () => {
    const { room, members } = await roomOf(2);
    const [leaver] = members as [Peer];
    await leaver.request('leaveRequest', { request: room.leaveRequest(leaver) });
    const { entry } = await room.change('remove', { member: leaver.memberId, reason: 'removed' });
    const back = await Peer.connect(relay, leaver.identity);
    expect(await room.open(back)).toMatchObject({ role: 'departed', entries: [{ payload: entry }] });
  });

  test('an owner hands over or closes: it neither leaves nor removes itself', async () => {
    const { room } = await roomOf(2);
    const { owner } = room;
    const request = room.leaveRequest(owner);
    expect(await owner.refusal('leaveRequest', { request })).toBe('FORBIDDEN');
    const { command: rotation } = await room.rotation();
    const remove = await room.signed('remove', { member: owner.memberId, reason: 'removed' });
    expect(await owner.refusal('roster', { entry: remove, rotation })).toBe('BAD_ENTRY');
    const leave = await room.signed('leave', { member: owner.memberId, request });
    expect(await owner.refusal('roster', { entry: leave, rotation })).toBe('BAD_ENTRY');
    expect(await room.open(owner)).toMatchObject({ role: 'owner' });
  });
});

describe('handing over', () => {
  test('happens once on one acceptance; the same entry again has succeeded', async () => {
    const { room, members } = await roomOf(3);
    const [next] = members as [Peer];
    const old = room.owner;
    const { entry, acceptance } = await transferOwnership(room, next);
    expect(await old.refusal('roster', { entry })).toBe('FORBIDDEN');
    const again = await next.request('roster', { entry });
    expect(again.placed.position).toEqual((await room.open(next, null)).tip);
    expect(await next.refusal('transferAcceptance', { acceptance })).toBe('FORBIDDEN');
    // Back, and out once more on the old consent: refused.
    await transferOwnership(room, old);
    const replay = await room.signed('transfer', { to: next.memberId, acceptance });
    expect(await old.refusal('roster', { entry: replay })).toBe('BAD_ENTRY');
    expect(await next.refusal('transferAcceptance', { acceptance })).toBe('BAD_ENTRY');
    await transferOwnership(room, next);
    expect(await room.open(next)).toMatchObject({ role: 'owner' });
  });

  test('is accepted in one epoch, and made in that one', async () => {
    const { room, members } = await roomOf(2);
    const [next] = members as [Peer];
    const { roomId, owner } = room;
    const fields = { roomId, old: owner.memberId, new: next.memberId, nonce: anyBytes(16) };
    const offer = signBody(owner.identity, 'transferOffer', { ...fields, head: room.roster.head });
    await owner.request('transferOffer', { to: next.memberId, offer });
    const acceptedIn = (epoch: number) => signBody(next.identity, 'transferAcceptance', { ...fields, epoch });
    const before = room.epoch;
    await next.request('transferAcceptance', { acceptance: acceptedIn(before) });
    await room.rotate();
    const refusals = [before, before + 2].map((epoch) =>
      next.refusal('transferAcceptance', { acceptance: acceptedIn(epoch) }),
    );
    expect(await Promise.all(refusals)).toEqual(['STALE_EPOCH', 'EPOCH_AHEAD']);
    const kept = await room.signed('transfer', { to: next.memberId, acceptance: acceptedIn(before) });
    expect(await owner.refusal('roster', { entry: kept })).toBe('BAD_ENTRY');
    const acceptance = acceptedIn(room.epoch);
    await next.request('transferAcceptance', { acceptance });
    await room.change('transfer', { to: next.memberId, acceptance });
    expect(await room.open(next)).toMatchObject({ role: 'owner' });
  });

  test('to who is removed, leaving or nobody is refused, whatever they once accepted', async () => {
    const { room, members } = await roomOf(4);
    const [removed, leaving] = members as [Peer, Peer];
    const { roomId, owner } = room;
    const consent = (peer: Peer) =>
      signBody(peer.identity, 'transferAcceptance', {
        roomId, epoch: room.epoch, old: owner.memberId, new: peer.memberId, nonce: anyBytes(16),
      }); // prettier-ignore
    const offer = (peer: Peer) =>
      owner.refusal('transferOffer', {
        to: peer.memberId,
        offer: signBody(owner.identity, 'transferOffer', {
          roomId, head: room.roster.head, old: owner.memberId, new: peer.memberId, nonce: anyBytes(16),
        }), // prettier-ignore
      });
    expect(await offer(removed)).toBeNull();
    await room.change('remove', { member: removed.memberId, reason: 'removed' });
    await leaving.request('leaveRequest', { request: room.leaveRequest(leaving) });
    const nobody = await Peer.connect(relay);
    for (const peer of [removed, leaving, nobody]) expect([await offer(peer)]).toEqual(['BAD_ENTRY']);
    for (const peer of [removed, nobody]) {
      const entry = await room.signed('transfer', { to: peer.memberId, acceptance: consent(peer) });
      expect(await owner.refusal('roster', { entry })).toBe('BAD_ENTRY');
    }
    // Of a leaver the roster does not know yet: the store does.
    const entry = await room.signed('transfer', { to: leaving.memberId, acceptance: consent(leaving) });
    expect(await owner.refusal('roster', { entry })).toBe('BAD_ENTRY');
    expect(await room.open(owner)).toMatchObject({ role: 'owner' });
  });
});

describe('closing', () => {
  test('twice has succeeded; each who was in it reads what proves its end', async () => {
    const { room, members } = await roomOf(5);
    const [removed, left, leaving, away] = members as [Peer, Peer, Peer, Peer];
    const removal = (await room.change('remove', { member: removed.memberId, reason: 'removed' })).entry;
    const request = room.leaveRequest(left);
    await left.request('leaveRequest', { request });
    const leave = (await room.change('leave', { member: left.memberId, request })).entry;
    await leaving.request('leaveRequest', { request: room.leaveRequest(leaving) });
    away.leave();
    const close = await room.signed('close', {});
    const [one, two] = room.owner.raw(
      { kind: 'roster', body: { entry: close } },
      { kind: 'roster', body: { entry: close } },
    );
    // In one frame the second is dropped with the connection, unless it was served before that.
    const first = (await one) as { placed: { position: unknown } };
    await Promise.allSettled([two]);
    await room.owner.gone();
    const owner = await Peer.connect(relay, room.made.identity);
    expect(await room.open(owner)).toMatchObject({ role: 'departed', entries: [{ payload: close }] });
    expect(await owner.request('roster', { entry: close })).toMatchObject({
      placed: { position: first.placed.position },
    });
    const other = await room.signed('settings', { settings: SETTINGS });
    expect(await owner.refusal('roster', { entry: other })).toBe('ROOM_UNKNOWN');
    const expected: [Peer, Bytes][] = [[removed, removal], [left, leave], [leaving, close], [away, close]]; // prettier-ignore
    for (const [peer, payload] of expected) {
      const back = await Peer.connect(relay, peer.identity);
      expect(await room.open(back)).toMatchObject({ role: 'departed', live: false, entries: [{ payload }] });
      // Up to what proves its end, and nothing behind that.
      const { entries } = await back.request('chain', { from: 0 });
      expect(entries.at(-1)).toEqual(payload);
    }
    const stranger = await Peer.connect(relay);
    expect(await stranger.refusal('open', { roomId: room.roomId, after: null, head: null, epoch: 0 })).toBe(
      'ROOM_UNKNOWN',
    );
    expect(await stranger.refusal('create', { genesis: room.made.container })).toBe('FORBIDDEN');
    const recreating = await Peer.connect(relay, room.made.identity);
    expect(await recreating.refusal('create', { genesis: room.made.container })).toBe('ROOM_UNKNOWN');
  });
});

describe('limits', () => {
  test('members: the relay’s own for what a room may ask for, the room’s own for who enters', async () => {
    const small = await start({ MAX_MEMBERS: '3' });
    await expect(TestRoom.create(small, { maxMembers: 4 })).rejects.toThrow('BAD_ENTRY');
    const room = await TestRoom.create(small, { maxMembers: 2 });
    const [one, two] = [await Peer.connect(small), await Peer.connect(small)];
    expect(one.told('hello')[0]?.maxMembers).toBe(3);
    await room.join(one);
    await expect(room.join(two)).rejects.toThrow('ROOM_FULL');
    const change = (settings: object) => room.change('settings', { settings: { ...SETTINGS, ...settings } });
    await expect(change({ maxMembers: 4 })).rejects.toThrow('BAD_ENTRY');
    await change({ maxMembers: 3 });
    await room.join(two);
    const three = await Peer.connect(small);
    await expect(room.join(three)).rejects.toThrow('ROOM_FULL');
  });

  test('settings out of range cannot be encoded, and changed afterwards they are nobody’s', async () => {
    const room = await TestRoom.create(relay);
    const { head } = room.roster;
    const good = await room.signed('settings', { settings: { ...SETTINGS, rotateEvery: 1_000_000 } });
    // CBOR's head of a 32-bit number, 1,000,000: 1a 00 0f 42 40.
    const at = good.findIndex((_, n) => good[n] === 0x1a && good[n + 1] === 0x00 && good[n + 2] === 0x0f);
    expect(at).toBeGreaterThan(0);
    const bad = Uint8Array.from(good);
    bad[at + 1] = 0x7f;
    expect(await room.owner.refusal('roster', { entry: bad })).toBe('BAD_SIGNATURE');
    for (const settings of [
      { rotateEvery: 0 },
      { maxMembers: 1 },
      { maxMembers: LIMITS.maxMembers + 1 },
      { history: -1 },
    ]) {
      await expect(room.signed('settings', { settings: { ...SETTINGS, ...settings } })).rejects.toThrow(
        'MALFORMED',
      );
    }
    expect(await room.open(room.owner)).toMatchObject({ head });
  });

  test('invites: so many open, claimed ones counted, so no more joins can wait', async () => {
    const few = await start({ MAX_INVITES_OPEN: '2' });
    const room = await TestRoom.create(few);
    const expires = Date.now() + 60_000;
    const ids = [newInviteId(), newInviteId(), newInviteId()] as const;
    for (const inviteId of ids.slice(0, 2)) await room.owner.request('invite', { inviteId, expires });
    expect(await room.owner.refusal('invite', { inviteId: ids[2], expires })).toBe('INVITE_LIMIT');
    const joiner = await Peer.connect(few);
    await joiner.request('claim', { roomId: room.roomId, inviteId: ids[0] });
    await joiner.request('joinRequest', { inviteId: ids[0], request: anyBytes(100) });
    expect(
      await joiner.refusal('joinRequest', {
        inviteId: ids[0],
        request: anyBytes(LIMITS.joinRequestBytes + 1),
      }),
    ).toBe('MALFORMED');
    expect(await room.owner.refusal('invite', { inviteId: ids[2], expires })).toBe('INVITE_LIMIT');
    await room.owner.request('joinDrop', { inviteId: ids[0], release: false, reason: 'declined' });
    await room.owner.request('invite', { inviteId: ids[2], expires });
    expect(
      await room.owner.refusal('invite', {
        inviteId: newInviteId(),
        expires: expires + 2 * LIMITS.inviteLifetimeMs,
      }),
    ).not.toBeNull();
  });

  test('rooms of an address: another waits, the same again does not count, nor does one brought back', async () => {
    const few = await start({ ROOMS_PER_ADDRESS_PER_DAY: '2' });
    const room = await TestRoom.create(few);
    await room.owner.request('create', { genesis: room.made.container });
    await TestRoom.create(few);
    await expect(TestRoom.create(few)).rejects.toThrow('RATE_LIMITED');
    const elsewhere = await createGenesis(ports, { settings: SETTINGS });
    const stranger = await Peer.connect(few);
    const entry = {
      position: { g: 1, s: 0 }, kind: 'roster', sender: stranger.memberId, time: 0, clear: new Uint8Array(0),
    } as const; // prettier-ignore
    const restore = (roomId: typeof room.roomId, payload: Bytes) =>
      stranger.refusal('restore', { roomId, entries: [{ ...entry, payload }] });
    expect(await restore(elsewhere.roomId, elsewhere.container)).toBe('RATE_LIMITED');
    expect(await restore(room.roomId, room.made.container)).toBeNull();
  });
});
