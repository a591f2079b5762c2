/** A relay that is there and says nothing: stopped as a whole, in a process of its own (docs/decisions/0043). */
import { once } from 'node:events';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { clientParser } from '@0fc/protocol/socket-io';
import { MemberProcess } from '../support/member-process.js';
import { RelayProcess } from '../support/relay-process.js';
import { Talk } from '../support/talk.js';

jest.setTimeout(180_000);

let relay: RelayProcess;
const everybody: MemberProcess[] = [];

beforeAll(async () => {
  relay = await RelayProcess.start({ HEARTBEAT_MS: '500', HANDSHAKE_MS: '60000' });
});
afterAll(async () => {
  process.kill(relay.pid, 'SIGCONT');
  await Promise.all(everybody.map((made) => made.remove()));
  await relay.remove();
});

test('members know a silent relay for dead long before their socket does, lose nothing, and are back with it', async () => {
  const [amina, tomas] = await Promise.all(
    ['Amina', 'Tomás'].map((name) => MemberProcess.create(name, relay.url)),
  );
  everybody.push(amina!, tomas!);
  await amina!.createRoom('Silence');
  await tomas!.join(await amina!.invite());
  const talk = new Talk();
  await talk.round(everybody);
  // Socket.IO alone, on the same relay.
  const socket = io(relay.url, { transports: ['websocket'], reconnection: false, parser: clientParser });
  await once(socket as unknown as NodeJS.EventEmitter, 'connect');

  process.kill(relay.pid, 'SIGSTOP');
  for (const member of everybody)
    await member.sees('that nobody answers', () => member.room?.connection !== 'connected');
  expect(socket.connected).toBe(true);
  const waiting = [await talk.say(amina!), await talk.say(tomas!)];
  process.kill(relay.pid, 'SIGCONT');
  await talk.arrived(waiting, everybody);
  socket.disconnect();
  await talk.judge(everybody);
});
