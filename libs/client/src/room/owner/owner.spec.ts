/** What the owner's client makes of a wish that comes while it cannot be granted at once. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { change, RoomLog } from '../log/log.spec-support.js';
import { Outgoing } from '../outgoing/lane.js';
import { Owner } from './owner.js';
import { set } from '../state/draft.js';

beforeAll(async () => {
  await loadThemis();
});

async function owned(): Promise<{ room: FakeRoom; owner: Owner }> {
  const log = await RoomLog.begin();
  const room = new FakeRoom(await log.reader(log.owner), new FakeClock(1_000_000));
  return { room, owner: new Owner(room) };
}

describe('a new key that is asked for', () => {
  test('while the log is read again is made once it has been read', async () => {
    const { room, owner } = await owned();
    room.live = false;
    const outgoing = new Outgoing(room, [owner]);
    const rotated = owner.rotateNow();
    await room.settled();
    expect(room.state.core.rotationWanted).toBe(true);
    outgoing.signal();
    await room.settled();
    expect(room.sent).toEqual([]);

    room.live = true;
    outgoing.signal();
    await room.settled();
    expect(room.sent.map(({ kind }) => kind)).toContain('prekeys');
    owner.stop();
    await expect(rotated).rejects.toMatchObject({ code: 'OFFLINE' });
  });

  test('without a link is refused, and nothing of it is kept', async () => {
    const { room, owner } = await owned();
    room.connectionState = 'offline';
    await expect(owner.rotateNow()).rejects.toMatchObject({ code: 'OFFLINE' });
    expect(room.state.core.rotationWanted).toBe(false);
  });
});

describe('a change of the settings that waits', () => {
  test('is taken back by the values of now: nothing is signed', async () => {
    const { room, owner } = await owned();
    const { rotateEvery } = room.state.roster.settings;
    room.live = false;
    await owner.changeSettings({ rotateEvery: 7, history: 5 });
    await owner.changeSettings({ rotateEvery });
    expect(room.state.core.tasks.settings).toEqual({ ...room.state.roster.settings, history: 5 });
    await owner.changeSettings({ history: room.state.roster.settings.history });
    expect(room.state.core.tasks.settings).toBeNull();
    room.live = true;
    expect(await owner.next()).toBeNull();
    expect(room.state.core.pending).toBeNull();
  });

  test('and is signed already comes first, and what takes it back after it', async () => {
    const { room, owner } = await owned();
    const was = room.state.roster.settings;
    await owner.changeSettings({ rotateEvery: 7 });
    await owner.next();
    const entry = room.state.core.pending?.entry ?? null;
    expect(entry).not.toBeNull();
    await owner.changeSettings({ rotateEvery: was.rotateEvery });
    expect(room.state.core.pending?.entry).toBe(entry);
    expect(room.state.core.tasks.settings).toEqual(was);
  });

  test('and was taken back while it was signed is not signed again once it is void', async () => {
    const { room, owner } = await owned();
    const was = room.state.roster.settings;
    await owner.changeSettings({ rotateEvery: 7 });
    await owner.next();
    await owner.changeSettings({ rotateEvery: was.rotateEvery });
    await change(room.state, set({ pending: null }));
    expect(await owner.next()).toBeNull();
    expect(room.state.core.pending).toBeNull();
  });
});
