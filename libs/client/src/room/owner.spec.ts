/** What the owner's client makes of a wish that comes while it cannot be granted at once. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from './handle.spec-support.js';
import { RoomLog } from './log.spec-support.js';
import { Outgoing } from './outgoing/outgoing.js';
import { Owner } from './owner.js';

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
