/** How the client on Node asks a deployment: over connections that were kept, and that the other side has closed. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Outcome } from '../contract/api.js';
import { createNodeClient, type NodeClient } from './client.js';

const ROOM = { name: 'x', displayName: 'Amina', rotateEvery: 5, approval: false };

let server: Server;
let client: NodeClient;
let answer: RequestListener;
beforeEach(async () => {
  server = createServer((request, response) => {
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = await createNodeClient({ folder: ':memory:', relayUrl: `http://127.0.0.1:${String(port)}` });
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
});

const codeOf = (outcome: Outcome<unknown>): string => (outcome.ok ? 'ok' : outcome.error.code);

/** A connection is kept for the next question a moment after its answer was read: a few questions, and one is. */
const MOST_QUESTIONS = 20;

test('a connection that was kept and has been closed meanwhile is replaced, and the question asked again', async () => {
  const answered = new Set<Socket>();
  let closed = 0;
  answer = ({ socket }, response) => {
    if (answered.has(socket)) {
      // As a server closes a connection that it has kept for long enough, when the next request is on its way.
      closed++;
      socket.destroy();
    } else {
      answered.add(socket);
      response.end('{"relayPublicKey":"AAAA"}');
    }
  };
  await client.createVault('a long enough passphrase');
  const codes: string[] = [];
  while (closed === 0 && codes.length < MOST_QUESTIONS) codes.push(codeOf(await client.createRoom(ROOM)));
  expect(closed).toBeGreaterThan(0);
  // What was answered, and never that nobody answers.
  expect(new Set(codes)).toEqual(new Set(['BAD_KEY']));
});

test('a server that closes every connection is not there: it is asked once more, and no more', async () => {
  let asked = 0;
  answer = ({ socket }) => {
    asked++;
    socket.destroy();
  };
  await client.createVault('a long enough passphrase');
  const before = asked;
  expect(codeOf(await client.createRoom(ROOM))).toBe('RELAY_UNREACHABLE');
  expect(asked - before).toBe(2);
});
