/**
 * The relay over real sockets and real Themis, spoken to by bare peers
 * (docs/protocol.md sections 3 to 8).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBody, encodeFrame, FRAME_EVENT, fromBase64Url, LIMITS, type Bytes } from '@0fc/protocol';
import { asRoomKey, makeKeyGrant, makeKeyRequest, signBody } from '@0fc/crypto/keys';
import { applyRoster, containerBody } from '@0fc/crypto/verify';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { Peer, rawSocket, type RelayAddress } from './relay-peer.js';
import { anyBytes, message, newInviteId, ports, TestRoom } from './relay-room.js';

const BASE = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', HANDSHAKE_MS: '60000' };
const relays: RunningRelay[] = [];
const folders: string[] = [];
let relay: RunningRelay;

async function start(environment: Record<string, string> = {}): Promise<RunningRelay> {
  const folder = await mkdtemp(join(tmpdir(), '0fc-relay-'));
  folders.push(folder);
  const started = await startRelay({ environment: { ...BASE, DATA_DIR: folder, ...environment } });
  relays.push(started);
  return started;
}

beforeAll(async () => {
  await loadThemis();
  relay = await start();
});
afterAll(async () => {
  await Promise.all(relays.map((one) => one.stop()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** Resolves when a socket tells of this. */
const heard = (socket: ReturnType<typeof rawSocket>, event: 'connect' | 'connect_error' | 'disconnect') =>
  new Promise<void>((resolve) => {
    socket.once(event, () => resolve());
  });

const pairOf = async (): Promise<{ room: TestRoom; guest: Peer }> => {
  const room = await TestRoom.create(relay);
  const guest = await Peer.connect(relay);
  await room.join(guest);
  return { room, guest };
};
const seqs = (entries: readonly { position: { s: number } }[]): number[] =>
  entries.map(({ position }) => position.s);

describe('the link', () => {
  test('begins with hello, which names the relay and its limits', async () => {
    const peer = await Peer.connect(relay);
    expect(peer.events[0]).toMatchObject({ kind: 'hello', body: { version: 2, maxMembers: 256 } });
    expect(peer.told('hello')[0]?.relay).toEqual(relay.publicKey);
    peer.leave();
  });

  test('an unknown request is refused by name, a malformed body as such, and the session goes on', async () => {
    const peer = await Peer.connect(relay);
    const answers = peer.raw({ kind: 'become', body: {} }, { kind: 'chain', body: { from: 'zero' } });
    await expect(answers[0]).rejects.toThrow('UNKNOWN_KIND');
    await expect(answers[1]).rejects.toThrow('MALFORMED');
    expect(await peer.refusal('chain', { from: 0 })).toBe('NOT_BOUND');
    peer.leave();
  });

  test('a message that is no request ends the session with the reason', async () => {
    const peer = await Peer.connect(relay);
    peer.socket.emit(FRAME_EVENT, peer.link.seal([{ e: 'hello', body: {} }]));
    await peer.gone();
    expect(peer.closing).toBe('MALFORMED');
  });

  test('a handshake that does not come is not waited for', async () => {
    const strict = await start({ HANDSHAKE_MS: '100' });
    const socket = rawSocket(strict.url);
    await heard(socket, 'disconnect');
  });

  test('frames that are not frames end their connection and no other', async () => {
    const { room, guest } = await pairOf();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.boolean(), async (garbage, framed) => {
        const socket = rawSocket(relay.url);
        await heard(socket, 'connect');
        const ended = heard(socket, 'disconnect');
        socket.emit(
          FRAME_EVENT,
          Buffer.from(framed && garbage.length > 0 ? encodeFrame(0, garbage) : garbage),
        );
        await ended;
      }),
      { seed: 20_261_124, numRuns: 60 },
    );
    const { placed } = await guest.request('append', { messages: [message()] });
    await until('the message', () => seqs(room.owner.entries).includes(placed[0]?.position.s ?? -1));
  });

  test('a replayed, a changed and a skipped frame end the session', async () => {
    const spoil: ((peer: Peer) => void)[] = [
      (peer) => {
        const frame = peer.link.seal([{ q: 1, kind: 'chain', body: { from: 0 } }]);
        peer.socket.emit(FRAME_EVENT, frame);
        peer.socket.emit(FRAME_EVENT, frame);
      },
      (peer) => {
        const frame = peer.link.seal([{ q: 1, kind: 'chain', body: { from: 0 } }]);
        frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 1;
        peer.socket.emit(FRAME_EVENT, frame);
      },
      (peer) => {
        peer.link.seal([{ q: 1, kind: 'chain', body: { from: 0 } }]);
        peer.socket.emit(FRAME_EVENT, peer.link.seal([{ q: 2, kind: 'chain', body: { from: 0 } }]));
      },
    ];
    for (const act of spoil) {
      const peer = await Peer.connect(relay);
      // The relay's answer to the first frame has nobody waiting for it.
      peer.socket.off(FRAME_EVENT);
      act(peer);
      await peer.gone();
    }
  });

  test('other Socket.IO packets, other events and oversize frames end the connection', async () => {
    const odd: ((socket: ReturnType<typeof rawSocket>) => void)[] = [
      (socket) => socket.emit('message', 'text'),
      (socket) => socket.emit(FRAME_EVENT, 'text'),
      (socket) => socket.emit(FRAME_EVENT, Buffer.alloc(10), Buffer.alloc(10)),
      (socket) => socket.emit('another', Buffer.alloc(10)),
      (socket) => socket.emit(FRAME_EVENT, Buffer.alloc(10), () => undefined),
    ];
    const oversize = (socket: ReturnType<typeof rawSocket>): unknown =>
      socket.emit(FRAME_EVENT, Buffer.alloc(LIMITS.frameBytes + 2_000));
    for (const act of [...odd, oversize]) {
      const socket = rawSocket(relay.url, { foreign: act !== oversize });
      await heard(socket, 'connect');
      const ended = heard(socket, 'disconnect');
      act(socket);
      await ended;
    }
  });

  test('a page of another host gets no socket', async () => {
    const refused = rawSocket(relay.url, { origin: 'https://elsewhere.example' });
    await heard(refused, 'connect_error');
    const own = rawSocket(relay.url, { origin: relay.url });
    await heard(own, 'connect');
    own.disconnect();
  });

  test('connections of one address are counted, and given back', async () => {
    const small = await start({ MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const [one, two] = [await Peer.connect(small), await Peer.connect(small)];
    await expect(Peer.connect(small)).rejects.toThrow('closed');
    one.leave();
    const three = await until('a free place', () => Peer.connect(small).catch(() => null));
    two.leave();
    three.leave();
  });
});

describe('a room', () => {
  test('is created once, by the key that its genesis names', async () => {
    const room = await TestRoom.create(relay);
    const genesis = room.made.container;
    expect(await room.owner.request('create', { genesis })).toMatchObject({ roomId: room.roomId });
    const thief = await Peer.connect(relay);
    expect(await thief.refusal('create', { genesis })).toBe('FORBIDDEN');
    const damaged = Uint8Array.from(genesis);
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    expect(await thief.refusal('create', { genesis: damaged })).not.toBeNull();
  });

  test('tells its members everything once and in one order, the sender included', async () => {
    const { room, guest } = await pairOf();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? room.owner : guest).request('append', { messages: [message(), message()] }),
      ),
    );
    const expected = Array.from({ length: 40 }, (_, n) => n + 2);
    const messages = (peer: Peer) => peer.entries.filter(({ kind }) => kind === 'message');
    await until('all of it', () => messages(room.owner).length === 40 && messages(guest).length === 40);
    expect(seqs(messages(room.owner))).toEqual(expected);
    expect(messages(guest).map(({ payload }) => payload)).toEqual(
      messages(room.owner).map(({ payload }) => payload),
    );
  });

  test('reads by pages, and goes live without a gap while others write', async () => {
    const { room, guest } = await pairOf();
    guest.leave();
    const many = LIMITS.pageEntries + 40;
    for (let sent = 0; sent < many; sent += 28) {
      await room.owner.request('append', { messages: Array.from({ length: 28 }, () => message()) });
    }
    const back = await Peer.connect(relay, guest.identity);
    const writing = (async () => {
      for (let n = 0; n < 20; n++) await room.owner.request('append', { messages: [message()] });
    })();
    const read: number[] = [];
    for (let live = false, after = { g: 1, s: 1 }; !live;) {
      const page = await room.open(back, after);
      read.push(...seqs(page.entries));
      after = page.entries.at(-1)?.position ?? after;
      ({ live } = page);
    }
    await writing;
    const { tip } = await room.open(room.owner);
    await until('the rest', () => read.length + back.entries.length >= tip.s - 1);
    expect([...read, ...seqs(back.entries)]).toEqual(Array.from({ length: tip.s - 1 }, (_, n) => n + 2));
  });

  test('strangers may do nothing in it, members nothing of the owner’s', async () => {
    const { room, guest } = await pairOf();
    const { roomId } = room;
    const stranger = await Peer.connect(relay);
    expect(await stranger.refusal('open', { roomId, after: null, head: null, epoch: 0 })).toBe(
      'ROOM_UNKNOWN',
    );
    expect(await stranger.refusal('append', { messages: [message()] })).toBe('NOT_BOUND');
    expect(await stranger.refusal('claim', { roomId, inviteId: newInviteId() })).toBe('INVITE_UNKNOWN');
    const inviteId = newInviteId();
    expect(await guest.refusal('invite', { inviteId, expires: Date.now() + 9_000 })).toBe('FORBIDDEN');
    expect(await guest.refusal('joinDrop', { inviteId, release: false, reason: 'other' })).toBe('FORBIDDEN');
    expect(await guest.refusal('prekeys', {})).toBe('FORBIDDEN');
    const { command } = await room.rotation();
    expect(await guest.refusal('rotate', command)).toBe('FORBIDDEN');
    const close = await room.signed('close', {});
    expect(await guest.refusal('roster', { entry: close })).toBe('FORBIDDEN');
    expect(await room.owner.refusal('leaveRequest', { request: close })).toBe('FORBIDDEN');
  });

  test('of two connections of one member the newer stays', async () => {
    const { room, guest } = await pairOf();
    const second = await Peer.connect(relay, guest.identity);
    await room.open(second);
    await guest.gone();
    expect(guest.closing).toBe('REPLACED');
    const { placed } = await room.owner.request('append', { messages: [message()] });
    await until('the message', () => seqs(second.entries).includes(placed[0]?.position.s ?? -1));
    expect(second.closed).toBeNull();
  });

  test('is closed by a signed last entry, and then is gone', async () => {
    const { room, guest } = await pairOf();
    const entry = await room.signed('close', {});
    await room.owner.request('roster', { entry });
    await Promise.all([guest.gone(), room.owner.gone()]);
    expect(guest.entries.at(-1)?.payload).toEqual(entry);
    const back = await Peer.connect(relay, guest.identity);
    expect(await room.open(back)).toMatchObject({
      role: 'departed',
      live: false,
      entries: [{ payload: entry }],
    });
    const stranger = await Peer.connect(relay);
    expect(await stranger.refusal('claim', { roomId: room.roomId, inviteId: newInviteId() })).toBe(
      'INVITE_UNKNOWN',
    );
  });
});

describe('invites and joins', () => {
  test('one of two claimants wins, and the joiner and the owner hear each step', async () => {
    const room = await TestRoom.create(relay);
    const { owner, roomId } = room;
    const inviteId = newInviteId();
    await owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    const claimants = [await Peer.connect(relay), await Peer.connect(relay)];
    const results = await Promise.all(claimants.map((peer) => peer.refusal('claim', { roomId, inviteId })));
    expect([...results].sort()).toEqual(['INVITE_TAKEN', null].sort());
    const winner = claimants[results.indexOf(null)]!;
    const request = anyBytes(300);
    await winner.request('joinRequest', { inviteId, request });
    await until('the owner to hear', () => owner.told('join').length === 1);
    expect(owner.told('join')[0]).toMatchObject({
      inviteId,
      request,
      replied: 0,
      joinerKey: winner.identity.publicKey,
    });
    // Who is in the room is for whom the owner has answered.
    expect(await winner.refusal('chain', { from: 0 })).toBe('FORBIDDEN');
    await owner.request('joinReply', { inviteId, epoch: 1, payload: anyBytes(100) });
    await until('the reply', () => winner.told('joinState').some(({ stage }) => stage === 'replied'));
    expect((await winner.request('chain', { from: 0 })).entries).toEqual([room.made.container]);
    expect(await winner.refusal('append', { messages: [message()] })).toBe('FORBIDDEN');
    await winner.request('joinConfirm', { inviteId, epoch: 1, payload: anyBytes(100) });
    await until('the confirm', () => owner.told('join').some(({ confirm }) => confirm !== undefined));

    const loser = claimants[results.indexOf('INVITE_TAKEN')]!;
    // Only the key that holds the claim is admitted by it.
    expect(await owner.refusal('roster', { entry: await room.admit(loser, inviteId) })).toBe(
      'INVITE_UNKNOWN',
    );
    const entry = await room.admit(winner, inviteId);
    const placed = await owner.request('roster', { entry });
    expect(await owner.request('roster', { entry })).toEqual(placed);
    await until('the admission', () => winner.told('joinState').at(-1)?.stage === 'admitted');
    await room.apply(entry);
    expect(await room.open(winner)).toMatchObject({ role: 'member', live: true });
    expect(await loser.refusal('claim', { roomId, inviteId })).toBe('INVITE_USED');
  });

  test('an owner that comes back hears of the joins that waited', async () => {
    const room = await TestRoom.create(relay);
    const inviteId = newInviteId();
    await room.owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    room.owner.leave();
    const joiner = await Peer.connect(relay);
    await joiner.request('claim', { roomId: room.roomId, inviteId });
    await joiner.request('joinRequest', { inviteId, request: anyBytes(100) });
    const owner = await Peer.connect(relay, room.made.identity);
    await room.open(owner);
    await until('the join', () => owner.told('join').length === 1);
    await owner.request('joinDrop', { inviteId, release: true, reason: 'badProof' });
    await until('the release', () => joiner.told('joinState').at(-1)?.stage === 'dropped');
    expect(joiner.told('joinState').at(-1)).toEqual({ stage: 'dropped', reason: 'badProof' });
    expect(await joiner.refusal('joinRequest', { inviteId, request: anyBytes(100) })).toBe('ROOM_UNKNOWN');
  });
});

describe('rotations and departures', () => {
  test('each member gets its own wrap; the same rotation again stands where it is', async () => {
    const { room, guest } = await pairOf();
    const { command, done } = await room.rotation();
    const placed = await room.owner.request('rotate', command);
    expect(await room.owner.request('rotate', command)).toEqual(placed);
    done();
    await until('the rotation', () => guest.entries.some(({ kind }) => kind === 'rotation'));
    const own = guest.entries.find(({ kind }) => kind === 'rotation');
    expect(own?.wrap).toEqual(command.wraps[guest.memberId]);
    expect(await guest.request('append', { messages: [message(1)] })).toMatchObject({
      placed: [],
      refused: 'STALE_EPOCH',
    });
    expect(await guest.request('append', { messages: [message(3)] })).toMatchObject({
      refused: 'EPOCH_AHEAD',
    });
    const incomplete = await room.rotation();
    const { [guest.memberId]: _, ...fewer } = incomplete.command.wraps;
    expect(await room.owner.refusal('rotate', { ...incomplete.command, wraps: fewer })).toBe('BAD_WRAPS');
  });

  test('a removal is served to the removed, who is cut, with nothing after it', async () => {
    const { room, guest } = await pairOf();
    const entry = await room.signed('remove', { member: guest.memberId, reason: 'removed' });
    expect(await room.owner.refusal('roster', { entry })).toBe('BAD_ENTRY');
    const { roster } = await applyRoster(nodeHash, room.roster, entry);
    const { command, done } = await room.rotation(roster);
    const answer = await room.owner.request('roster', { entry, rotation: command });
    expect(await room.owner.request('roster', { entry, rotation: command })).toEqual(answer);
    done();
    await guest.gone();
    expect(guest.entries.at(-1)?.payload).toEqual(entry);
    await room.owner.request('append', { messages: [message(2)] });
    const back = await Peer.connect(relay, guest.identity);
    const page = await room.open(back);
    expect(page).toMatchObject({ role: 'departed', epoch: 1, live: false, tip: answer.placed.position });
    expect(page.entries).toMatchObject([{ payload: entry }]);
    expect(await back.refusal('append', { messages: [message(2)] })).toBe('FORBIDDEN');
    // What it may still follow ends with what ended its own membership.
    room.roster = roster;
    await room.change('settings', { settings: { ...roster.settings, rotateEvery: 9 } });
    const { entries } = await back.request('chain', { from: 0 });
    expect(entries.at(-1)).toEqual(entry);
    expect(await back.refusal('claim', { roomId: room.roomId, inviteId: newInviteId() })).toBe('WAS_MEMBER');
  });

  test('a leaver is cut at its own request, which the owner’s entry then closes', async () => {
    const { room, guest } = await pairOf();
    const { roomId } = room;
    const member = room.roster.members.get(guest.memberId)!;
    const request = signBody(guest.identity, 'leaveRequest', {
      roomId,
      member: guest.memberId,
      admit: member.admit,
    });
    await guest.request('leaveRequest', { request });
    await guest.gone();
    await until('the request', () => room.owner.entries.some(({ kind }) => kind === 'leaveRequest'));
    const entry = await room.signed('leave', { member: guest.memberId, request });
    const { roster } = await applyRoster(nodeHash, room.roster, entry);
    const { command } = await room.rotation(roster);
    await room.owner.request('roster', { entry, rotation: command });
    const back = await Peer.connect(relay, guest.identity);
    expect(await room.open(back)).toMatchObject({ role: 'departed', entries: [{ payload: entry }] });
  });

  test('a hand-over makes the member the owner, at once', async () => {
    const { room, guest } = await pairOf();
    const { roomId, owner } = room;
    const fields = { roomId, old: owner.memberId, new: guest.memberId, nonce: anyBytes(16) };
    await owner.request('transferOffer', {
      to: guest.memberId,
      offer: signBody(owner.identity, 'transferOffer', { ...fields, head: room.roster.head }),
    });
    await until('the offer', () => guest.told('transferOffered').length === 1);
    const acceptance = signBody(guest.identity, 'transferAcceptance', { ...fields, epoch: room.epoch });
    await guest.request('transferAcceptance', { acceptance });
    await until('the acceptance', () => owner.told('transferAccepted').length === 1);
    const entry = await room.signed('transfer', { to: guest.memberId, acceptance });
    await owner.request('roster', { entry });
    expect(await owner.refusal('prekeys', {})).toBe('FORBIDDEN');
    expect(await guest.request('prekeys', {})).toMatchObject({ prekeys: [{}, {}] });
  });

  test('prekeys rise, key requests reach the owner, signals reach the others', async () => {
    const { room, guest } = await pairOf();
    const { roomId, owner } = room;
    const [first, second] = [await room.prekey(guest, 1), await room.prekey(guest, 2)];
    await guest.request('prekey', second);
    expect(await guest.refusal('prekey', first)).toBe('BAD_ENTRY');
    expect((await owner.request('prekeys', {})).prekeys.at(-1)?.prekey).toEqual(second);
    const asks = (epoch: number): Bytes =>
      makeKeyRequest(ports, {
        identity: guest.identity,
        roomId,
        memberId: guest.memberId,
        epoch,
        rotation: room.roster.head,
        failed: [],
      }).container;
    const container = asks(1);
    expect(await guest.refusal('needKey', { request: asks(2) })).toBe('EPOCH_AHEAD');
    await guest.request('needKey', { request: container });
    await until('the request', () => owner.told('keyNeeded').length === 1);
    expect(owner.told('keyNeeded')[0]).toEqual({ from: guest.memberId, request: container });
    // Nothing occupies the place of its one answer that is not signed, or is of another epoch or to another request.
    const { grant, news } = await makeKeyGrant(ports, {
      identity: owner.identity, roster: room.roster, epoch: 1, roomKey: asRoomKey(anyBytes(32)), to: guest.memberId,
      request: container, rotation: room.roster.head, news: { profiles: [], roomName: null },
    }); // prettier-ignore
    const { body } = decodeBody(containerBody(grant), 'keyGrant');
    const answer = (signed: Bytes) => ({ to: guest.memberId, grant: signed, news });
    for (const [signed, code] of [
      [signBody(guest.identity, 'keyGrant', body), 'BAD_SIGNATURE'],
      [signBody(owner.identity, 'keyGrant', { ...body, epoch: 2 }), 'BAD_ENTRY'],
      [signBody(owner.identity, 'keyGrant', { ...body, request: anyBytes(32) }), 'BAD_ENTRY'],
    ] as const)
      expect(await owner.refusal('keyGrant', answer(signed))).toBe(code);
    await owner.request('keyGrant', answer(grant));
    const another = signBody(owner.identity, 'keyGrant', body);
    expect(await owner.refusal('keyGrant', answer(another))).toBe('BAD_ENTRY');
    await owner.request('keyGrant', answer(grant));
    await until('the answer', () => guest.told('keyGranted').length === 1);
    expect(guest.told('keyGranted')).toEqual([{ from: owner.memberId, grant, news }]);
    await guest.request('signal', { epoch: 1, payload: anyBytes(50) });
    await until('the signal', () => owner.told('signalled').length === 1);
    // Its sender as well: on the wire nobody tells a signal from an entry.
    expect(guest.told('signalled')).toEqual(owner.told('signalled'));
    expect(await guest.refusal('signal', { epoch: 2, payload: anyBytes(50) })).toBe('STALE_EPOCH');
  });
});

describe('a noisy neighbour', () => {
  test('that does not read is cut; the others read on', async () => {
    const narrow = await start({ APPEND_PER_SECOND: '10000', APPEND_BURST: '100000' });
    const room = await TestRoom.create(narrow);
    const [deaf, guest] = [await Peer.connect(narrow), await Peer.connect(narrow)];
    await room.join(deaf);
    await room.join(guest);
    const raw = (
      deaf.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void; resume(): void } } }
    ).ws;
    raw._socket.pause();
    let sent = 0;
    for (let n = 0; n < 40; n++) {
      const messages = Array.from({ length: 16 }, () => message(1, 30_000));
      sent += (await room.owner.request('append', { messages })).placed.length;
      await until(
        'the guest to have it',
        () => guest.entries.filter(({ kind }) => kind === 'message').length === sent,
      );
    }
    raw._socket.resume();
    await deaf.gone();
    expect(deaf.entries.filter(({ kind }) => kind === 'message').length).toBeLessThan(sent);
    expect(guest.closed).toBeNull();
    // What the deaf one got is a beginning of the log: nothing is dropped in the middle.
    const got = seqs(deaf.entries);
    expect(got).toEqual(got.map((_, at) => (got[0] ?? 0) + at));
  });

  test('that writes too much is told to wait', async () => {
    const slow = await start({ APPEND_PER_SECOND: '1', APPEND_BURST: '32' });
    const room = await TestRoom.create(slow);
    const messages = Array.from({ length: 32 }, () => message());
    expect((await room.owner.request('append', { messages })).placed).toHaveLength(32);
    const answer = await room.owner.request('append', {
      messages: [...messages.slice(0, 5), message(), message()],
    });
    // What is there already costs nothing.
    expect(answer.placed.length).toBeGreaterThanOrEqual(5);
    expect(answer).toMatchObject({ refused: 'RATE_LIMITED' });
    expect(answer.retryMs).toBeGreaterThan(0);
  });
});

describe('restore', () => {
  test('brings a lost room back by its signed entries, from any connection, in order', async () => {
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const { command, done } = await room.rotation();
    await room.owner.request('rotate', command);
    done();
    const { entries } = await room.open(room.owner, null);
    const proofs = entries
      .filter(({ kind }) => kind === 'roster' || kind === 'rotation')
      .map(({ wrap: _, ...entry }) => entry);
    expect(proofs).toHaveLength(3);

    const empty = await start();
    const stranger = await Peer.connect(empty);
    const { roomId } = room;
    const answer = await stranger.request('restore', { roomId, entries: proofs });
    expect(answer).toEqual({ restored: 3, head: room.roster.head, epoch: 2 });
    expect(await stranger.request('restore', { roomId, entries: proofs })).toMatchObject({ restored: 0 });
    const forged = signBody(stranger.identity, 'settings', {
      roomId, epoch: 2, head: room.roster.head, owner: room.owner.memberId, settings: room.roster.settings,
    }); // prettier-ignore
    const entry = { ...proofs[0]!, payload: forged };
    expect(await stranger.refusal('restore', { roomId, entries: [entry] })).toBe('ROOM_UNKNOWN');
    const owner = await Peer.connect(empty, room.made.identity);
    // Its positions were given before, so it goes on in a generation of its own.
    expect(await room.open(owner, null)).toMatchObject({
      role: 'owner',
      live: false,
      entries: [{ kind: 'roster' }],
    });
    expect(await room.open(owner)).toMatchObject({
      epoch: 2,
      live: true,
      generations: [{ from: { g: 1, s: 0 } }],
      entries: [{ kind: 'roster' }, { kind: 'rotation' }],
    });
  });
});

describe('a stop in order', () => {
  test('tells everybody to move, and turns readiness red', async () => {
    const short = await start();
    const room = await TestRoom.create(short);
    expect((await fetch(`${short.url}/health/ready`)).status).toBe(200);
    await short.stop();
    await room.owner.gone();
    expect(room.owner.closing).toBe('TRY_AGAIN');
  });
});

describe('a relay that is killed', () => {
  test('has every acknowledged message, in a new generation', async () => {
    const child = await RelayProcess.start({
      HANDSHAKE_MS: '60000',
      APPEND_PER_SECOND: '10000',
      APPEND_BURST: '10000',
    });
    try {
      const address = async (): Promise<RelayAddress> => {
        const config = (await (await fetch(`${child.url}/config.json`)).json()) as { relayPublicKey: string };
        return { url: child.url, publicKey: fromBase64Url(config.relayPublicKey)! };
      };
      const room = await TestRoom.create(await address());
      const acknowledged: { at: number; payload: Bytes }[] = [];
      const writing = (async () => {
        for (;;) {
          const one = message();
          const { placed } = await room.owner.request('append', { messages: [one] });
          acknowledged.push({ at: placed[0]!.position.s, payload: one.payload });
        }
      })();
      const cut = expect(writing).rejects.toThrow('CLOSED');
      await until('some messages', () => acknowledged.length >= 25);
      await child.stop('SIGKILL');
      await cut;
      await child.start();

      const back = await Peer.connect(await address(), room.made.identity);
      const read = new Map<number, Bytes>();
      const generations: number[] = [];
      for (let live = false, after = { g: 1, s: 0 }; !live;) {
        const page = await room.open(back, after);
        for (const { position, payload } of page.entries) read.set(position.s, payload);
        for (const { generation, from } of page.generations) {
          generations.push(generation);
          after = { g: generation, s: from.s };
        }
        after = page.entries.at(-1)?.position ?? after;
        ({ live } = page);
      }
      expect(generations).toHaveLength(1);
      for (const { at, payload } of acknowledged) expect(read.get(at)).toEqual(payload);
      const { placed } = await back.request('append', { messages: [message()] });
      expect(placed[0]?.position).toEqual({ g: generations[0], s: Math.max(...read.keys()) + 1 });
      back.leave();
    } finally {
      await child.remove();
    }
  });
});

test('two relays on one data folder: the second ends with a line that names the setting', async () => {
  const one = await start();
  const two = await start({ DATA_DIR: one.config.dataDir, PORT: '0' }).catch((error: unknown) => error);
  expect(two).toMatchObject({ name: 'ConfigError', message: expect.stringContaining('DATA_DIR') as unknown });
});
