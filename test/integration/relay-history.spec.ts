/** Trimming over real sockets: who was away is told what it missed, and the transcript holds (docs/protocol.md section 8). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS, type Position } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { until } from '../support/wait.js';
import { Reader } from './relay-log.js';
import { Peer } from './relay-peer.js';
import { message, SETTINGS, TestRoom } from './relay-room.js';

const BASE = {
  PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', HANDSHAKE_MS: '60000', APPEND_PER_SECOND: '10000', APPEND_BURST: '100000',
}; // prettier-ignore
const relays: RunningRelay[] = [];
const folders: string[] = [];
let relay: RunningRelay;

async function start(environment: Record<string, string> = {}): Promise<RunningRelay> {
  const folder = await mkdtemp(join(tmpdir(), '0fc-history-'));
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

const send = async (peer: Peer, count: number, epoch = 1): Promise<Position> => {
  const { placed } = await peer.request('append', {
    messages: Array.from({ length: count }, () => message(epoch)),
  });
  expect(placed).toHaveLength(count);
  return placed.at(-1)!.position;
};
/** Waits until the room's log begins after a position. */
const trimmedTo = (room: TestRoom, s: number) =>
  until(`the log to be trimmed to ${String(s)}`, async () => (await room.open(room.owner)).trimmed.s >= s);

describe('trimming', () => {
  test('takes what all have, keeps the transcript, and tells nobody of a loss', async () => {
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const reader = await Reader.atGenesis(room);
    await send(guest, 5);
    await room.rotate();
    const tip = await send(room.owner, 3, 2);
    await reader.read(room, guest);
    for (const peer of [room.owner, guest]) await peer.request('ack', { position: tip });
    await trimmedTo(room, 6);
    // At its beginning the log has the rotation of the epoch, which a newcomer starts from.
    const reply = await room.open(room.owner, null);
    expect(reply.trimmed).toEqual({ g: 1, s: 6 });
    expect(reply.trimmedT).toEqual(reader.at({ g: 1, s: 6 }));
    expect(reply.entries[0]).toMatchObject({ kind: 'rotation', position: { g: 1, s: 7 } });
    await reader.read(room, guest);
    expect(reader.missed).toEqual([]);

    // Another round, from the edge on; and one from behind it reaches the same transcript.
    await room.rotate();
    const next = await send(guest, 2, 3);
    for (const peer of [room.owner, guest]) await peer.request('ack', { position: next });
    await trimmedTo(room, 10);
    await reader.read(room, guest);
    const behind = await Reader.atGenesis(room);
    await behind.read(room, room.owner);
    expect(behind.missed).toEqual([[1, 10]]);
    expect([behind.position, behind.t]).toEqual([reader.position, reader.t]);
    expect(behind.t).toEqual(reader.at(next));
  });

  test('a member that is away holds it back, until it leaves', async () => {
    const room = await TestRoom.create(relay);
    const [guest, away] = [await Peer.connect(relay), await Peer.connect(relay)];
    await room.join(guest);
    await room.join(away);
    const request = room.leaveRequest(away);
    await send(guest, 3);
    await room.rotate();
    const tip = await send(guest, 1, 2);
    for (const peer of [room.owner, guest]) await peer.request('ack', { position: tip });
    const other = await TestRoom.create(relay);
    await send(other.owner, 1);
    await other.rotate();
    await other.owner.request('ack', { position: { g: 1, s: 2 } });
    // The other room's turn came after this one's: had anything been due here, it would be gone.
    await trimmedTo(other, 1);
    expect((await room.open(room.owner)).trimmed).toEqual({ g: 1, s: 0 });
    await away.request('leaveRequest', { request });
    await away.gone();
    await guest.request('ack', { position: tip });
    await trimmedTo(room, 5);
    const back = await Peer.connect(relay, away.identity);
    expect(await room.open(back)).toMatchObject({
      role: 'departed',
      entries: [{ kind: 'leaveRequest', payload: request }],
    });
  });

  test('the room’s own limit waits for nobody: who comes back is told the range, and reads on', async () => {
    const room = await TestRoom.create(relay, { history: 40 });
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const reader = await Reader.atGenesis(room);
    await reader.read(room, guest);
    guest.leave();
    const whole = await Reader.atGenesis(room);
    await whole.read(room, room.owner);
    for (let n = 0; n < 10; n++) await send(room.owner, 16);
    await until('the owner to have it', () => room.owner.entries.length >= 161);
    for (const entry of room.owner.entries) if (entry.position.s > whole.position.s) await whole.take(entry);
    await trimmedTo(room, 121);
    const back = await Peer.connect(relay, guest.identity);
    await reader.read(room, back);
    expect(reader.missed).toEqual([[2, 121]]);
    expect([reader.position, reader.t]).toEqual([whole.position, whole.t]);
    // Settings may narrow it; genesis is in the chain for good.
    await room.change('settings', { settings: { ...SETTINGS, history: 3 } });
    await trimmedTo(room, 159);
    expect((await back.request('chain', { from: 0 })).entries[0]).toEqual(room.made.container);
  });

  test('a joiner whose floor went with the limit is admitted, and told what it missed', async () => {
    const room = await TestRoom.create(relay, { history: 4 });
    const joiner = await Peer.connect(relay);
    await room.rotate(); // 1
    await send(room.owner, 20, 2);
    await trimmedTo(room, 17);
    await room.join(joiner);
    await trimmedTo(room, 18);
    const reader = new Reader({ g: 1, s: 1 }, new Uint8Array(32));
    await reader.read(room, joiner);
    expect(reader.missed).toEqual([[2, 18]]);
    expect(reader.entries.map(({ position }) => position.s)).toEqual([19, 20, 21, 22]);
    await send(joiner, 1, 2);
  });

  test('bytes are a limit of the relay’s', async () => {
    const narrow = await start({ HISTORY_BYTES: String(LIMITS.frameBytes) });
    const room = await TestRoom.create(narrow);
    for (let n = 0; n < 5; n++) {
      const messages = Array.from({ length: 16 }, () => message(1, 30_000));
      await room.owner.request('append', { messages });
    }
    // 80 messages of 30,000 bytes in 1 MiB: 34 stay.
    await trimmedTo(room, 46);
    expect((await room.open(room.owner)).trimmed.s).toBe(46);
  });

  test('goes on across starts of the relay, with each generation in the transcript', async () => {
    const folder = await mkdtemp(join(tmpdir(), '0fc-history-'));
    folders.push(folder);
    let current = await start({ DATA_DIR: folder });
    const room = await TestRoom.create(current, { history: 12 });
    const whole = await Reader.atGenesis(room);
    const away = new Reader(whole.position, whole.t);
    for (let round = 0; round < 3; round++) {
      await whole.read(room, room.owner);
      await send(room.owner, 10);
      await until('them', () => room.owner.entries.filter(({ kind }) => kind === 'message').length === 10);
      for (const entry of room.owner.entries) await whole.take(entry);
      await current.stop();
      current = await start({ DATA_DIR: folder });
      room.owner = await Peer.connect(current, room.made.identity);
    }
    await whole.read(room, room.owner);
    await room.owner.request('ack', { position: whole.position });
    await trimmedTo(room, 18);
    await away.read(room, room.owner);
    expect(away.missed).toEqual([[1, 18]]);
    expect(away.lost).toEqual([]);
    expect([away.position, away.t]).toEqual([whole.position, whole.t]);
    expect(whole.generations).toHaveLength(3);
  });
});
