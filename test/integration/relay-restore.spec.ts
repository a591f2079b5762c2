/** A store that was put back from a copy, and what may be brought back to it (docs/protocol.md section 6). */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS, type Bytes, type Entry, type RotationCommand } from '@0fc/protocol';
import { applyRoster, transcriptHash } from '@0fc/crypto/verify';
import { generateKeyPair, signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { Dice, seedOfRun } from '../support/random.js';
import { until } from '../support/wait.js';
import { proofs, Reader } from './relay-log.js';
import { Peer } from './relay-peer.js';
import { anyBytes, message, newInviteId, SETTINGS, TestRoom } from './relay-room.js';

const SEED = seedOfRun();
const BASE = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', HANDSHAKE_MS: '60000' };
const relays: RunningRelay[] = [];
const folders: string[] = [];
let relay: RunningRelay;

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), '0fc-restore-'));
  folders.push(folder);
  return folder;
}
async function start(environment: Record<string, string> = {}): Promise<RunningRelay> {
  const DATA_DIR = environment.DATA_DIR ?? (await newFolder());
  const started = await startRelay({ environment: { ...BASE, ...environment, DATA_DIR } });
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

/** A relay on a folder of its own, which can be copied while it is stopped, and put back. */
class Copied {
  running!: RunningRelay;
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(): Promise<Copied> {
    const made = new Copied(join(await newFolder(), 'data'));
    await made.again();
    return made;
  }

  async again(): Promise<void> {
    this.running = await start({ DATA_DIR: this.folder });
  }

  async copy(): Promise<string> {
    await this.running.stop();
    const copy = join(await newFolder(), 'copy');
    await cp(this.folder, copy, { recursive: true });
    await this.again();
    return copy;
  }

  async putBack(copy: string): Promise<void> {
    await this.running.stop();
    await rm(this.folder, { recursive: true });
    await cp(copy, this.folder, { recursive: true });
    await this.again();
  }

  /** The owner, live, on the relay as it runs now. */
  async owner(room: TestRoom): Promise<Peer> {
    room.owner = await Peer.connect(this.running, room.made.identity);
    return room.owner;
  }
}

const append = async (peer: Peer, count: number, epoch = 1) => {
  const { placed } = await peer.request('append', {
    messages: Array.from({ length: count }, () => message(epoch)),
  });
  expect(placed).toHaveLength(count);
};
const restore = (peer: Peer, room: TestRoom, entries: Entry[]) =>
  peer.request('restore', { roomId: room.roomId, entries });
const entryOf = (room: TestRoom, payload: Bytes): Entry => ({
  position: { g: 1, s: 0 }, kind: 'roster', sender: room.owner.memberId, time: 0, clear: new Uint8Array(0), payload,
}); // prettier-ignore
const rotationOf = (room: TestRoom, { clear, payload }: RotationCommand): Entry => ({
  ...entryOf(room, payload),
  kind: 'rotation',
  clear,
});

describe('a store put back from a copy', () => {
  test('says where it goes on from, each time, and never gives a position out twice', async () => {
    const copied = await Copied.start();
    const room = await TestRoom.create(copied.running);
    const reader = await Reader.atGenesis(room);
    await append(room.owner, 5);
    await reader.read(room, room.owner);
    const copy = await copied.copy();
    await copied.owner(room);
    await reader.read(room, room.owner);
    await append(room.owner, 4);
    await until('them', () => room.owner.entries.length === 4);
    for (const entry of room.owner.entries) await reader.take(entry);

    await copied.putBack(copy);
    await copied.owner(room);
    await reader.read(room, room.owner);
    expect(reader.lost).toEqual([[6, 9]]);
    expect(reader.generations.at(-1)?.from).toEqual({ g: 1, s: 5 });
    await append(room.owner, 2);
    await until('them', () => room.owner.entries.length === 2);
    for (const entry of room.owner.entries) await reader.take(entry);

    // The same copy again: its generation is above the first one's, though it knows nothing of it.
    await copied.putBack(copy);
    await copied.owner(room);
    await reader.read(room, room.owner);
    expect(reader.lost).toEqual([[6, 9], [6, 7]]); // prettier-ignore
    const numbers = reader.generations.map(({ generation }) => generation);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    await append(room.owner, 1);
    await reader.read(room, room.owner);

    // Who only comes now has no loss, and the same transcript.
    const late = await Reader.atGenesis(room);
    await late.read(room, room.owner);
    expect(late.lost).toEqual([]);
    expect([late.position, late.t]).toEqual([reader.position, reader.t]);
    const places = reader.entries.map(({ position }) => `${String(position.g)}/${String(position.s)}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test('that is older than a removal and 20 rotations takes them back: chain, epoch, wraps, and writes again', async () => {
    const copied = await Copied.start();
    const room = await TestRoom.create(copied.running);
    const guest = await Peer.connect(copied.running);
    const gone = await Peer.connect(copied.running);
    await room.join(guest);
    await room.join(gone);
    const reader = await Reader.atGenesis(room);
    const copy = await copied.copy();
    await copied.owner(room);
    await reader.read(room, room.owner);
    const made: Entry[] = [];
    let last: RotationCommand | null = null;
    for (let n = 0; n < 20; n++) {
      last = await room.rotate();
      made.push(rotationOf(room, last));
      await append(room.owner, 1, room.epoch);
      if (n !== 9) continue;
      const { entry, rotation } = await room.change('remove', { member: gone.memberId, reason: 'removed' });
      made.push(entryOf(room, entry), rotationOf(room, rotation!));
    }
    expect(room.epoch).toBe(22);
    await reader.read(room, room.owner);
    const before = reader.position.s;

    await copied.putBack(copy);
    await copied.owner(room);
    const member = await Peer.connect(copied.running, guest.identity);
    await reader.read(room, room.owner);
    expect(reader.lost).toEqual([[3, before]]);
    expect(await room.open(member)).toMatchObject({ role: 'member', epoch: 1 });
    // At its epoch nobody can write who knows better; who was removed is back, until the entry is.
    expect(await member.request('append', { messages: [message(22)] })).toMatchObject({
      refused: 'EPOCH_AHEAD',
    });
    const removed = await Peer.connect(copied.running, gone.identity);
    expect(await room.open(removed)).toMatchObject({ role: 'member' });

    // The one who was removed holds its own removal, and may bring it back: in its own place, and in no other.
    const early = (entry: Entry) => removed.refusal('restore', { roomId: room.roomId, entries: [entry] });
    expect(await early(made[10]!)).toBe('EPOCH_AHEAD');
    expect(await early(made[11]!)).toBe('EPOCH_AHEAD');
    // All of it, over a member's connection, in pieces that overlap.
    expect(await restore(member, room, made.slice(0, 11))).toMatchObject({ restored: 11, epoch: 11 });
    await removed.gone();
    expect(await restore(member, room, made.slice(5))).toEqual({
      restored: made.length - 11,
      head: room.roster.head,
      epoch: 22,
    });
    expect(await restore(member, room, made)).toMatchObject({ restored: 0, epoch: 22 });
    await reader.read(room, room.owner);
    expect(proofs(reader.entries.slice(-made.length)).map(({ payload }) => payload)).toEqual(
      made.map(({ payload }) => payload),
    );

    // The owner still has the wraps of its last rotation: repeating it brings in what is missing.
    const wrapFor = async (peer: Peer) => {
      const { entries } = await room.open(peer, reader.entries.at(-2)!.position);
      return entries.at(-1)?.wrap;
    };
    expect(await wrapFor(member)).toBeUndefined();
    const { placed } = await room.owner.request('rotate', last!);
    expect(placed.position).toEqual(reader.position);
    expect(await wrapFor(member)).toEqual(last!.wraps[guest.memberId]);

    await append(member, 1, 22);
    await room.rotate();
    await append(room.owner, 1, 23);
    const back = await Peer.connect(copied.running, gone.identity);
    expect(await room.open(back)).toMatchObject({ role: 'departed', epoch: 11 });
    const late = await Reader.atGenesis(room);
    await late.read(room, member);
    await reader.read(room, room.owner);
    expect([late.position, late.t]).toEqual([reader.position, reader.t]);
  });
});

/** A room of four whose store was copied; what happened since is in `made`, and gone again. */
async function putBack(happen: (room: TestRoom, peers: readonly Peer[], made: Entry[]) => Promise<void>) {
  const copied = await Copied.start();
  const room = await TestRoom.create(copied.running);
  const peers: Peer[] = [];
  for (let n = 0; n < 3; n++) {
    const peer = await Peer.connect(copied.running);
    await room.join(peer);
    peers.push(peer);
  }
  const copy = await copied.copy();
  const again = (peer: Peer) => Peer.connect(copied.running, peer.identity);
  const live = await Promise.all(peers.map(again));
  for (const peer of [await copied.owner(room), ...live]) await room.open(peer);
  const made: Entry[] = [];
  await happen(room, live, made);
  await copied.putBack(copy);
  const [first, second, third] = (await Promise.all(live.map(again))) as [Peer, Peer, Peer];
  return { copied, room, made, first, second, third };
}

/** The room goes to a member with its consent, and its first act is a rotation. */
async function transferOwnership(room: TestRoom, to: Peer, made: Entry[]): Promise<void> {
  const fields = {
    roomId: room.roomId,
    epoch: room.epoch,
    old: room.owner.memberId,
    new: to.memberId,
    nonce: anyBytes(16),
  };
  const acceptance = signBody(to.identity, 'transferAcceptance', fields);
  made.push(entryOf(room, (await room.change('transfer', { to: to.memberId, acceptance })).entry));
  room.owner = to;
  made.push(rotationOf(room, await room.rotate()));
}

async function remove(room: TestRoom, who: Peer, made: Entry[]): Promise<void> {
  const { entry, rotation } = await room.change('remove', { member: who.memberId, reason: 'removed' });
  made.push(entryOf(room, entry), rotationOf(room, rotation!));
}

describe('the order of entries and rotations is the one that was signed', () => {
  test('a removed member puts a hand-over back before the rotations that came before it: refused, and the room goes on', async () => {
    const { copied, room, made, first, second, third } = await putBack(async (room, [next, , gone], made) => {
      made.push(rotationOf(room, await room.rotate()), rotationOf(room, await room.rotate()));
      await transferOwnership(room, next!, made);
      await remove(room, gone!, made);
    });
    const transfer = made.findIndex(({ kind }) => kind === 'roster');
    expect(transfer).toBe(2);
    // Whoever was removed reads it all until then, and is a member again after the loss.
    expect(await room.open(third)).toMatchObject({ role: 'member', epoch: 1 });
    for (const at of [2, 3, 4, 5]) {
      const refused = await third.refusal('restore', { roomId: room.roomId, entries: [made[at]!] });
      expect([at, refused]).toEqual([at, at === 2 ? 'EPOCH_AHEAD' : expect.any(String)]);
    }
    expect(await restore(second, room, made)).toEqual({ restored: 6, head: room.roster.head, epoch: 5 });
    await third.gone();
    room.owner = first;
    expect(await room.open(first)).toMatchObject({ role: 'owner', epoch: 5 });
    await room.rotate();
    await append(second, 1, 6);
    expect(await room.open(await Peer.connect(copied.running, third.identity))).toMatchObject({
      role: 'departed',
    });
  });

  test(`whatever somebody tries, in whatever order, the log is the honest one (seed ${String(SEED)})`, async () => {
    const dice = new Dice(SEED);
    for (let round = 0; round < 4; round++) {
      const { room, made, second, copied } = await putBack(async (room, [next, , gone], made) => {
        const acts = [
          async () => {
            made.push(rotationOf(room, await room.rotate()));
          },
          async () => {
            const history = 100 + dice.below(100);
            const { entry } = await room.change('settings', { settings: { ...SETTINGS, history } });
            made.push(entryOf(room, entry));
          },
        ];
        const some = async (most: number) => {
          for (let n = dice.below(most + 1); n > 0; n--) await dice.of(acts)();
        };
        await some(3);
        await transferOwnership(room, next!, made);
        await some(3);
        await remove(room, gone!, made);
        await some(3);
      });
      // Anybody may try: refused or taken, nothing but the order in which it was signed comes of it.
      const stranger = await Peer.connect(copied.running);
      for (let n = 0; n < 2 * made.length; n++) {
        await stranger.refusal('restore', { roomId: room.roomId, entries: [dice.of(made)] });
      }
      await restore(second, room, made);
      const reader = await Reader.atGenesis(room);
      await reader.read(room, second);
      expect(
        proofs(reader.entries)
          .slice(-made.length)
          .map(({ payload }) => payload),
      ).toEqual(made.map(({ payload }) => payload));
      await append(second, 1, room.epoch);
      await copied.running.stop();
    }
  });

  test('who asks to leave before its own ownership is back keeps it from nobody', async () => {
    const { copied, room, made, first, second, third } = await putBack(async (room, [next, after], made) => {
      await transferOwnership(room, next!, made);
      await transferOwnership(room, after!, made);
    });
    const request = room.leaveRequest(first);
    await room.open(first);
    await first.request('leaveRequest', { request });
    await first.gone();
    expect(await restore(third, room, made)).toMatchObject({ restored: 4, epoch: 3 });
    room.owner = second;
    expect(await room.open(second)).toMatchObject({ role: 'owner' });
    await room.change('leave', { member: first.memberId, request });
    await append(third, 1, 4);
    expect(await room.open(await Peer.connect(copied.running, first.identity))).toMatchObject({
      role: 'departed',
    });
  });

  test('a removal that was brought back alone gets its rotation from the owner who had not read either', async () => {
    const { room, made, copied, third } = await putBack(async (room, [, , gone], made) => {
      await remove(room, gone!, made);
    });
    await restore(third, room, made.slice(0, 1));
    expect(await room.open(third)).toMatchObject({ role: 'departed' });
    await copied.owner(room);
    await room.open(room.owner);
    const [{ payload: entry }, { clear, payload }] = made as [Entry, Entry];
    const wraps = Object.fromEntries([...room.roster.members.keys()].map((id) => [id, anyBytes(200)]));
    const rotation = { clear, payload, wraps };
    const { placed, rotation: rotated } = await room.owner.request('roster', { entry, rotation });
    expect(rotated?.position.s).toBe(placed.position.s + 1);
    // The same command again is what it was, and another rotation is not its.
    expect(await room.owner.request('roster', { entry, rotation })).toEqual({ placed, rotation: rotated });
    await append(room.owner, 1, 2);
    const other = await room.rotation();
    expect(await room.owner.refusal('roster', { entry, rotation: other.command })).toBe('STALE_EPOCH');
  });
});

describe('what is brought back', () => {
  test('a removal without its rotation stops the room until that follows', async () => {
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const entry = await room.signed('remove', { member: guest.memberId, reason: 'removed' });
    const { roster } = await applyRoster(nodeHash, room.roster, entry);
    const { command, done } = await room.rotation(roster);
    const stranger = await Peer.connect(relay);
    await restore(stranger, room, [entryOf(room, entry)]);
    await guest.gone();
    room.roster = roster;
    // Whatever came after it came after its rotation: nothing may take its place.
    const settings = await room.signed('settings', { epoch: 2, settings: SETTINGS });
    expect(await room.owner.refusal('roster', { entry: settings })).toBe('EPOCH_AHEAD');
    expect(
      await stranger.refusal('restore', { roomId: room.roomId, entries: [entryOf(room, settings)] }),
    ).toBe('EPOCH_AHEAD');
    await room.owner.request('rotate', command);
    done();
    await room.owner.request('roster', { entry: settings });
    await append(room.owner, 1, 2);
  });

  test('an admission of which the invite was lost makes a member', async () => {
    const copied = await Copied.start();
    const room = await TestRoom.create(copied.running);
    // A store that was stopped says that it may have lost something.
    await copied.copy();
    await room.open(await copied.owner(room));
    const joiner = await Peer.connect(copied.running);
    const inviteId = newInviteId();
    const entry = await room.admit(joiner, inviteId);
    expect(await room.owner.refusal('roster', { entry })).toBe('INVITE_UNKNOWN');
    await restore(room.owner, room, [entryOf(room, entry)]);
    expect(await room.open(joiner)).toMatchObject({ role: 'member', live: true });
    expect(await joiner.refusal('claim', { roomId: room.roomId, inviteId })).toBe('ALREADY_MEMBER');
    await append(joiner, 1);
  });

  test('proves itself, comes in order, and is a roster entry or a rotation', async () => {
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const stranger = await Peer.connect(relay);
    const { roomId } = room;
    const one = await room.signed('settings', { settings: { ...SETTINGS, history: 7 } });
    const { roster: next } = await applyRoster(nodeHash, room.roster, one);
    const before = room.roster;
    room.roster = next;
    const two = await room.signed('settings', { settings: { ...SETTINGS, history: 8 } });
    const { command: rotation } = await room.rotation();
    room.roster = before;
    const other = await TestRoom.create(relay);
    const refusal = (who: Peer, ...entries: Entry[]) => who.refusal('restore', { roomId, entries });
    await room.open(guest);
    const body = { roomId, epoch: 1, head: before.head, owner: room.owner.memberId };
    const forged = signBody(guest.identity, 'close', body);
    const cases: [string | null, Entry[]][] = [
      ['BAD_SIGNATURE', [entryOf(room, forged)]],
      ['STALE_HEAD', [entryOf(room, two)]],
      ['STALE_HEAD', [rotationOf(room, rotation)]],
      ['BAD_SIGNATURE', [entryOf(room, other.made.container)]],
      ['BAD_ENTRY', [{ ...entryOf(room, one), kind: 'message' }]],
      ['BAD_ENTRY', [{ ...entryOf(room, room.leaveRequest(guest)), kind: 'leaveRequest' }]],
      ['BAD_ENTRY', [{ ...rotationOf(room, rotation), payload: anyBytes(40) }]],
      // What came before the bad one stays, as it would have alone.
      ['BAD_SIGNATURE', [entryOf(room, one), entryOf(room, forged)]],
      [null, [entryOf(room, one), entryOf(room, two)]],
    ];
    for (const [code, entries] of cases) {
      // A rotation of another payload is refused for the head before anything else is looked at.
      const expected = entries[0]?.kind === 'rotation' ? 'STALE_HEAD' : code;
      // Of a room that it proves nothing of a stranger hears as of one that is not there.
      const hidden = expected?.startsWith('BAD_') === true ? 'ROOM_UNKNOWN' : expected;
      expect([code, await refusal(stranger, ...entries)]).toEqual([code, hidden]);
      expect([code, await refusal(guest, ...entries)]).toEqual([code, expected]);
    }
    expect(await room.open(guest)).toMatchObject({ role: 'member' });
  });

  test('tells a stranger what it brought and no more, and lets it hear nothing', async () => {
    const room = await TestRoom.create(relay);
    await room.rotate();
    const genesis = entryOf(room, room.made.container);
    await room.change('settings', { settings: { ...SETTINGS, history: 9 } });
    await room.rotate();
    const first = transcriptHash((await Reader.atGenesis(room)).t); // the head of genesis
    const stranger = await Peer.connect(relay);
    expect(await restore(stranger, room, [genesis])).toEqual({ restored: 0, head: first, epoch: 1 });
    await append(room.owner, 1, 3);
    expect(await stranger.refusal('chain', { from: 0 })).toBe('NOT_BOUND');
    expect(stranger.events.map(({ kind }) => kind)).toEqual(['hello']);
    expect(await restore(room.owner, room, [genesis])).toEqual({
      restored: 0,
      head: room.roster.head,
      epoch: 3,
    });
    // An unknown room and one that it has nothing of are told apart by nobody who has no entry.
    const unknown = entryOf(room, signBody(generateKeyPair(), 'close', {
      roomId: room.roomId, epoch: 1, head: anyBytes(32), owner: room.owner.memberId,
    })); // prettier-ignore
    expect(await stranger.refusal('restore', { roomId: room.roomId, entries: [unknown] })).toBe(
      'ROOM_UNKNOWN',
    );
  });

  test('one’s own wrap may come along, also when somebody else was first', async () => {
    const room = await TestRoom.create(relay);
    const [one, two] = [await Peer.connect(relay), await Peer.connect(relay)];
    await room.join(one);
    await room.join(two);
    const { command, done } = await room.rotation();
    const entry = rotationOf(room, command);
    const wrapped = (peer: Peer): Entry => ({ ...entry, wrap: command.wraps[peer.memberId]! });
    await restore(one, room, [wrapped(one)]);
    // Not for another: what it says is its own wrap is kept for itself alone.
    expect(await restore(two, room, [wrapped(two)])).toMatchObject({ restored: 0 });
    done();
    for (const peer of [one, two]) {
      const { entries } = await room.open(peer, { g: 1, s: 2 });
      expect(entries).toMatchObject([{ kind: 'rotation', wrap: command.wraps[peer.memberId]! }]);
    }
    expect((await room.open(room.owner, { g: 1, s: 2 })).entries[0]).not.toHaveProperty('wrap');
    await room.owner.request('rotate', command);
    expect((await room.open(room.owner, { g: 1, s: 2 })).entries[0]?.wrap).toEqual(
      command.wraps[room.owner.memberId],
    );
  });

  test('a close ends the room, for whoever comes later too, and nothing brings that back', async () => {
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const genesis = entryOf(room, room.made.container);
    const close = await room.signed('close', {});
    const stranger = await Peer.connect(relay);
    // It was in the room's roster when it brought the close, or it was nobody: nothing but that is told.
    expect(await stranger.refusal('restore', { roomId: room.roomId, entries: [entryOf(room, close)] })).toBe(
      'ROOM_UNKNOWN',
    );
    await Promise.all([guest.gone(), room.owner.gone()]);
    const back = await Peer.connect(relay, guest.identity);
    expect(await room.open(back)).toMatchObject({ role: 'departed', entries: [{ payload: close }] });
    expect(await restore(back, room, [entryOf(room, close)])).toMatchObject({ restored: 0 });
    expect(await stranger.refusal('restore', { roomId: room.roomId, entries: [genesis] })).toBe(
      'ROOM_UNKNOWN',
    );
  });

  test('a lost room comes back where rooms need a token only if its owner shows that', async () => {
    const token = 'a token of some length';
    const strict = await start({ ROOM_CREATION: 'token', ROOM_CREATION_TOKEN: token });
    const room = await TestRoom.create(relay);
    await room.rotate();
    const all = proofs((await room.open(room.owner, null)).entries);
    const anybody = await Peer.connect(strict);
    expect(await anybody.refusal('restore', { roomId: room.roomId, entries: all })).toBe('ROOM_UNKNOWN');
    const owner = await Peer.connect(strict, room.made.identity);
    const genesis = room.made.container;
    expect(await owner.refusal('create', { genesis })).toBe('ROOM_CREATION_REFUSED');
    await owner.request('create', { genesis, ticket: token });
    expect(await restore(anybody, room, all)).toMatchObject({ restored: 1, epoch: 2 });
  });

  test('costs its sender: an address brings back so many entries, and is told to wait', async () => {
    const slow = await start({ RESTORES_PER_SECOND: '1', RESTORES_BURST: String(LIMITS.restoreEntries) });
    const room = await TestRoom.create(slow);
    const one = entryOf(room, room.made.container);
    const full = Array.from({ length: LIMITS.restoreEntries }, () => one);
    const peers = [await Peer.connect(slow), await Peer.connect(slow)];
    expect(await restore(peers[0]!, room, full)).toMatchObject({ restored: 0 });
    expect(await peers[0]!.refusal('restore', { roomId: room.roomId, entries: full })).toBe('RATE_LIMITED');
    // Another connection is no way around it; others of the relay go on.
    expect(await peers[1]!.refusal('restore', { roomId: room.roomId, entries: full })).toBe('RATE_LIMITED');
    await append(room.owner, 1);
  });
});
