/**
 * Fault 12: the chain is never trimmed, and settings entries alone could be added to it without end. They have a
 * rate and a quota, both published; nothing else in the chain is ever refused for them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Entry } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { Peer } from './relay-peer.js';
import { SETTINGS, TestRoom } from './relay-room.js';

const relays: RunningRelay[] = [];
const peers: Peer[] = [];

async function start(environment: Record<string, string>): Promise<RunningRelay> {
  const base = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false' };
  const started = await startRelay({ environment: { ...base, ...environment }, inMemory: true });
  relays.push(started);
  return started;
}
beforeAll(() => loadThemis());
afterEach(() => {
  for (const peer of peers.splice(0)) peer.leave();
});
afterAll(() => Promise.all(relays.map((one) => one.stop())));

async function roomOfThree(relay: RunningRelay): Promise<{ room: TestRoom; guests: [Peer, Peer] }> {
  const room = await TestRoom.create(relay);
  const guests: [Peer, Peer] = [await Peer.connect(relay), await Peer.connect(relay)];
  peers.push(room.owner, ...guests);
  for (const guest of guests) await room.join(guest);
  return { room, guests };
}
const settingsOf = (history: number) => ({ settings: { ...SETTINGS, history } });
const refusedSettings = async (room: TestRoom, history: number): Promise<string | null> =>
  room.owner.refusal('roster', { entry: await room.signed('settings', settingsOf(history)) });
const entryOf = (room: TestRoom, payload: Entry['payload']): Entry => ({
  position: { g: 1, s: 0 },
  kind: 'roster',
  sender: room.owner.memberId,
  time: 0,
  clear: new Uint8Array(),
  payload,
});

/** What an owner must be able to do whatever it has done before. */
async function carriesOn(room: TestRoom, [leaver, heir]: readonly [Peer, Peer]): Promise<void> {
  const late = await Peer.connect(room.relay);
  peers.push(late);
  await room.join(late);
  await room.change('remove', { member: late.memberId, reason: 'removed' });
  const request = room.leaveRequest(leaver);
  await leaver.request('leaveRequest', { request });
  await room.change('leave', { member: leaver.memberId, request });
  await room.rotate();
  expect(heir.closed).toBeNull();
  await room.owner.request('roster', { entry: await room.signed('close', {}) });
}

describe('settings entries', () => {
  test('have a quota for a room’s life, told in hello; nothing else is refused for it', async () => {
    const relay = await start({ SETTINGS_ENTRIES: '5' });
    const { room, guests } = await roomOfThree(relay);
    expect(room.owner.told('hello')[0]).toMatchObject({ settingsEntries: 5 });
    for (let n = 0; n < 5; n++) await room.change('settings', settingsOf(n));
    expect(await refusedSettings(room, 9)).toBe('SETTINGS_LIMIT');
    // Somebody else's room has its own.
    const other = await roomOfThree(relay);
    await other.room.change('settings', settingsOf(1));
    await carriesOn(room, guests);
  });

  test('have a rate, told in hello; nothing else is refused for it', async () => {
    const relay = await start({ SETTINGS_PER_HOUR: '3' });
    const { room, guests } = await roomOfThree(relay);
    expect(room.owner.told('hello')[0]).toMatchObject({ settingsPerHour: 3 });
    for (let n = 0; n < 3; n++) await room.change('settings', settingsOf(n));
    const entry = await room.signed('settings', settingsOf(7));
    expect(await room.owner.refusal('roster', { entry })).toBe('RATE_LIMITED');
    await carriesOn(room, guests);
  });

  test('that stand already succeed again, however many there have been', async () => {
    const relay = await start({ SETTINGS_ENTRIES: '1', SETTINGS_PER_HOUR: '1' });
    const { room } = await roomOfThree(relay);
    const { entry } = await room.change('settings', settingsOf(1));
    for (let n = 0; n < 5; n++) expect(await room.owner.refusal('roster', { entry })).toBeNull();
  });

  test('come back after a loss whatever rate and quota are by now', async () => {
    const relay = await start({ SETTINGS_ENTRIES: '4', SETTINGS_PER_HOUR: '4' });
    const { room } = await roomOfThree(relay);
    const made: Entry[] = [];
    for (let n = 0; n < 4; n++)
      made.push(entryOf(room, (await room.change('settings', settingsOf(n))).entry));
    const { entries } = await room.open(room.owner, null);
    const signed = entries.filter(({ kind }) => kind === 'roster');
    const bare = await start({ SETTINGS_ENTRIES: '4', SETTINGS_PER_HOUR: '1' });
    const bringer = await Peer.connect(bare, room.made.identity);
    peers.push(bringer);
    const { roomId } = room;
    expect(await bringer.request('restore', { roomId, entries: signed })).toMatchObject({
      restored: signed.length,
      head: room.roster.head,
    });
    const more = entryOf(room, await room.signed('settings', settingsOf(8)));
    // Signed under another quota, perhaps: the protocol's own holds for it (room-store.contract).
    expect(await bringer.refusal('restore', { roomId, entries: [more] })).toBeNull();
    expect(made).toHaveLength(4);
  });
});
