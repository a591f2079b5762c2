/**
 * What a member keeps on its own device, through a real relay process and real Themis: a window on a long
 * conversation, drafts, what the relay sees, an export taken while others talk, a room that is forgotten.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNodeClient } from '@0fc/client/node';
import { exported } from '../support/exported.js';
import { Member, value } from '../support/member.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

let relay: RelayProcess;
let owner: Member;
let guest: Member;
let roomId: string;

beforeAll(async () => {
  relay = await RelayProcess.start();
  owner = await Member.create('Amina', relay.url, createNodeClient);
  roomId = await owner.createRoom('Rive droite', 10_000);
  guest = await Member.create('Tomás', relay.url, createNodeClient);
  value(await guest.api.join((await owner.invite(roomId)).link, 'Tomás'));
  await guest.admitted(roomId);
});

afterAll(async () => {
  await Promise.all([owner, guest].map((member) => member.remove()));
  await relay.remove();
});

test('a long conversation opens at its end, and goes back to its beginning on request', async () => {
  const texts = Array.from({ length: 450 }, (_, n) => `message ${String(n)}`);
  for (const text of texts) await owner.say(roomId, text);
  await guest.has('message 449');
  await guest.leave();
  await guest.comeBack(roomId);
  await guest.has('message 449');
  expect(guest.messages.length).toBeLessThanOrEqual(200);
  for (let steps = 0; guest.room?.earlier === true && steps < 10; steps++) {
    const { length } = guest.items;
    value(await guest.api.loadEarlier(roomId));
    await until('older items', () => guest.items.length > length);
  }
  expect(guest.texts).toEqual(texts);
  expect(guest.room?.earlier).toBe(false);
});

test('one who comes back within a minute sees at once who is here, and is seen', async () => {
  const here = (who: Member, other: Member): boolean | undefined =>
    who.room?.members.find(({ memberId }) => memberId === other.room?.me)?.online;
  await until('both to see each other', () => here(owner, guest) && here(guest, owner));
  await guest.leave();
  await guest.comeBack(roomId);
  const back = Date.now();
  await until('the owner to be here', () => {
    const seen = guest.room?.members.find(({ owner: is }) => is)?.lastSeen ?? 0;
    return here(guest, owner) && seen >= back;
  });
});

test('the relay has sealed entries beside the words that this device reads', async () => {
  await owner.say(roomId, 'sealed words');
  await guest.has('sealed words');
  const row = value(await guest.api.relaySees(roomId, 500)).findLast(({ says }) => says === 'sealed words');
  expect(row).toMatchObject({ kind: 'message', what: 'text', senderName: 'Amina', sender: owner.room?.me });
  expect(row?.payloadBytes).toBeGreaterThan(100);
  expect(Buffer.from(row?.sample ?? '', 'hex').includes('sealed')).toBe(false);
  expect(await guest.api.relaySees(roomId, 501)).toMatchObject({
    ok: false,
    error: { code: 'OUT_OF_RANGE' },
  });
});

test('a draft outlives the lock, and an export taken while others talk opens whole on another device', async () => {
  value(await guest.api.setDraft(roomId, 'not sent yet'));
  const talking = Promise.all(
    Array.from({ length: 30 }, (_, n) => owner.say(roomId, `meanwhile ${String(n)}`)),
  );
  const file = await exported(guest.api, 'an export passphrase of its own');
  await talking;
  await guest.has('meanwhile 29');
  await guest.leave();
  const folder = await mkdtemp(join(tmpdir(), '0fc-import-'));
  const imported = await createNodeClient({ folder, relayUrl: relay.url });
  try {
    let draft = '';
    await imported.subscribe((event) => {
      if (event.type === 'app') draft = event.app.rooms[0]?.draft ?? '';
    });
    value(
      await imported.importVault(file, 'an export passphrase of its own', 'a passphrase of the new device'),
    );
    await until('the draft', () => draft === 'not sent yet');
  } finally {
    await imported.close();
    await rm(folder, { recursive: true, force: true });
  }
  await guest.comeBack(roomId);
  await until('the draft', () => guest.room?.draft === 'not sent yet');
  value(await guest.api.setDraft(roomId, ''));
  await until('no draft', () => guest.app?.rooms[0]?.draft === '');
});

test('a room is forgotten once it is over, and nothing of it comes back', async () => {
  const refused = await guest.api.forgetRoom(roomId);
  expect(refused).toEqual({ ok: false, error: { code: 'STILL_MEMBER' } });
  value(await guest.api.leaveRoom(roomId));
  await until('to have left', () => guest.app?.rooms[0]?.stage === 'left');
  value(await guest.api.forgetRoom(roomId));
  await until('the room to be gone', () => guest.app?.rooms.length === 0);
  expect(await guest.api.forgetRoom(roomId)).toMatchObject({ ok: false, error: { code: 'ROOM_UNKNOWN' } });
  await guest.leave();
  await guest.comeBack();
  await until('the vault to be open', () => guest.app?.vault === 'open');
  expect(guest.app?.rooms).toEqual([]);
});
