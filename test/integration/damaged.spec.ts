/**
 * A disk that gives back something else than what was stored (docs/protocol.md section 9): a record that cannot be
 * read costs itself, or its room, and nothing beside.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { exported } from '../support/exported.js';
import { Member, value } from '../support/member.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

let relay: RelayProcess;
const members: Member[] = [];

beforeAll(async () => {
  relay = await RelayProcess.start();
});
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.remove()));
});
afterAll(() => relay.remove());

async function owner(): Promise<Member> {
  const member = await Member.create('Amina', relay.url);
  members.push(member);
  return member;
}

/** Flips a bit of each record of a store whose key begins so; how many there were. */
function damage(member: Member, store: string, prefix: string): number {
  const db = new DatabaseSync(join(member.folder, 'vault.db'));
  const found = db.prepare('SELECT key, value FROM records WHERE store = ? AND substr(key, 1, ?) = ?');
  const rows = found.all(store, prefix.length, prefix);
  const put = db.prepare('UPDATE records SET value = ? WHERE store = ? AND key = ?');
  for (const { key, value: stored } of rows) {
    const bytes = Uint8Array.from(stored as Uint8Array);
    bytes[bytes.length - 1]! ^= 1;
    put.run(bytes, store, key as string);
  }
  db.close();
  return rows.length;
}

test.each(['slices', 'rooms', 'chain', 'senders', 'outbox'] as const)(
  'a damaged record of %s keeps its own room shut, which says so and can be deleted; the other one goes on',
  async (store) => {
    const amina = await owner();
    const broken = await amina.createRoom('Broken', 100);
    await amina.say(broken, 'in the broken one');
    const whole = await amina.createRoom('Whole', 100);
    await amina.say(whole, 'in the other');
    await amina.has('in the other');
    if (store === 'outbox') {
      await relay.stop();
      await amina.watch(broken);
      await amina.say(broken, 'not sent yet');
    }
    await amina.leave();
    if (store === 'outbox') await relay.start();
    expect(damage(amina, store, broken)).toBeGreaterThan(0);
    await amina.comeBack(whole);
    await amina.live();
    expect(amina.app?.damaged).toEqual([{ roomId: broken, store }]);
    await amina.say(whole, 'and on');
    await amina.has('in the other', 'and on');
    value(await amina.api.forgetRoom(broken));
    await until('nothing of it to be left', () => amina.app?.damaged.length === 0);
    await amina.leave();
    await amina.comeBack(whole);
    await amina.live();
    expect(amina.app?.damaged).toEqual([]);
    expect(amina.app?.rooms.map(({ roomId }) => roomId)).toEqual([whole]);
  },
);

test('damaged lines, indexes and rotations cost only themselves, in an export too', async () => {
  const amina = await owner();
  const roomId = await amina.createRoom('Rive gauche', 100);
  for (const epoch of [2, 3]) {
    await amina.say(roomId, `before epoch ${String(epoch)}`);
    value(await amina.api.rotateNow(roomId));
    await until('the next epoch', () => amina.room?.key?.epoch === epoch);
  }
  await amina.leave();
  for (const store of ['messages', 'effects', 'rotations']) damage(amina, store, roomId);
  expect(damage(amina, 'log', `${roomId}/0000000000000004`)).toBe(1);
  await amina.comeBack(roomId);
  await amina.live();
  await until('the alarm', () => amina.alarms.includes('ALARM_RECORD_DAMAGED'));
  await amina.say(roomId, 'and on');
  await amina.has('and on');
  expect(amina.app?.damaged).toEqual([]);
  expect((await exported(amina.api, 'the passphrase of the file')).length).toBeGreaterThan(0);
});
