/** What a relay takes of an owner beyond what a room needs (docs/protocol.md sections 6 and 7). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LIMITS, type Bytes, type Entry, type RotationCommand } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { Peer } from './relay-peer.js';
import { message, newInviteId, TestRoom } from './relay-room.js';

// Only ends a run that hangs: two cores may be busy with other tests.
let folder: string;
let relay: RunningRelay;

const start = (): Promise<RunningRelay> =>
  startRelay({
    environment: {
      PORT: '0',
      LOG_LEVEL: 'silent',
      SERVE_WEB: 'false',
      HANDSHAKE_MS: '60000',
      DATA_DIR: folder,
    },
  });

beforeAll(async () => {
  await loadThemis();
  folder = await mkdtemp(join(tmpdir(), '0fc-owner-limits-'));
  relay = await start();
});
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true, force: true });
});

const entryOf = (room: TestRoom, payload: Bytes): Entry => ({
  position: { g: 1, s: 0 }, kind: 'roster', sender: room.owner.memberId, time: 0, clear: new Uint8Array(0), payload,
}); // prettier-ignore

const rotationOf = (room: TestRoom, { clear, payload }: RotationCommand): Entry => ({
  ...entryOf(room, payload),
  kind: 'rotation',
  clear,
});

test('rotations with nothing said between them are few, and no removal waits behind them', async () => {
  const room = await TestRoom.create(relay);
  const guest = await Peer.connect(relay);
  await room.join(guest);
  for (let n = 0; n < LIMITS.idleRotations; n++) await room.rotate();
  const { command } = await room.rotation();
  expect(await room.owner.refusal('rotate', command)).toBe('RATE_LIMITED');
  // A message makes room for one, whatever came before.
  await room.owner.request('append', { messages: [message(room.epoch)] });
  await room.rotate();
  expect(await room.owner.refusal('rotate', (await room.rotation()).command)).toBe('RATE_LIMITED');
  await room.change('remove', { member: guest.memberId, reason: 'removed' });
  expect(room.roster.members.has(guest.memberId)).toBe(false);
});

test('a room that rotates with every message is never refused', async () => {
  const room = await TestRoom.create(relay, { rotateEvery: 1 });
  for (let n = 0; n < 2 * LIMITS.idleRotations; n++) {
    await room.owner.request('append', { messages: [message(room.epoch)] });
    await room.rotate();
  }
  expect(room.epoch).toBe(1 + 2 * LIMITS.idleRotations);
});

test('an admission that no join led to is brought back only where something was lost, and rotations without end neither', async () => {
  const room = await TestRoom.create(relay);
  const stranger = await Peer.connect(relay);
  const admission = entryOf(room, await room.admit(stranger, newInviteId()));
  const { roomId } = room;
  expect(await room.owner.refusal('restore', { roomId, entries: [admission] })).toBe('BAD_ENTRY');
  // Nor is a rotation that was never there: it counts as any that no message made room for.
  for (let n = 0; n < LIMITS.idleRotations; n++) {
    const { command, done } = await room.rotation();
    await room.owner.request('restore', { roomId, entries: [rotationOf(room, command)] });
    done();
  }
  const { command, done } = await room.rotation();
  const entries = [rotationOf(room, command)];
  expect(await room.owner.refusal('restore', { roomId, entries })).toBe('RATE_LIMITED');
  // Once the store says that it may have lost something, both are what somebody may have kept.
  await relay.stop();
  relay = await start();
  room.owner = await Peer.connect(relay, room.made.identity);
  expect(await room.owner.request('restore', { roomId, entries })).toMatchObject({ restored: 1 });
  done();
  const later = [entryOf(room, await room.admit(stranger, newInviteId()))];
  expect(await room.owner.request('restore', { roomId, entries: later })).toMatchObject({ restored: 1 });
});
