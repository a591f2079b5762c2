/** Frames as they come out of the wire: a real Socket.IO server, and a client that reads when it likes. */
import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { FRAME_EVENT, type Bytes } from '@0fc/protocol';
import { clientParser, relayParser } from '@0fc/protocol/socket-io';
import { until } from '../../../../test/support/wait.js';
import { socketWire } from './socket-wire.js';
import type { Wire } from './wire.js';

interface Pair {
  readonly http: HttpServer;
  readonly server: Server;
  readonly client: Socket;
  readonly accepted: ServerSocket;
  readonly wire: Wire;
  readonly got: Buffer[];
  readonly drains: () => number;
}
const pairs: Pair[] = [];

async function connected(): Promise<Pair> {
  const http = createServer();
  const server = new Server(http, {
    transports: ['websocket'],
    parser: relayParser,
    perMessageDeflate: false,
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const accepted = new Promise<ServerSocket>((resolve) => server.on('connection', resolve));
  const url = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`;
  const client = io(url, { transports: ['websocket'], parser: clientParser, forceNew: true });
  const got: Buffer[] = [];
  client.on(FRAME_EVENT, (frame: Buffer) => got.push(frame));
  let drains = 0;
  const socket = await accepted;
  const wire = socketWire(socket, '192.0.2.1', () => (drains += 1));
  const pair = { http, server, client, accepted: socket, wire, got, drains: () => drains };
  pairs.push(pair);
  return pair;
}

afterEach(async () => {
  for (const { client, server } of pairs.splice(0)) {
    client.disconnect();
    await server.close();
  }
});

interface WebSocketOfLibrary {
  send(data: Bytes): void;
  close(): void;
}

const bytes = (length: number, seed: number): Bytes => Uint8Array.from({ length }, (_, at) => at * 31 + seed);
/** The underlying socket of a client, which can stop reading. */
const readerOf = ({ client }: Pair): { pause(): unknown; resume(): unknown } =>
  (
    client.io.engine.transport as unknown as {
      readonly ws: { readonly _socket: { pause(): unknown; resume(): unknown } };
    }
  ).ws._socket;

test('a frame of any length, in one part or two, arrives as it is, and in order', async () => {
  const pair = await connected();
  const around = [125, 126, 127, 65_534, 65_535, 65_536, 65_537];
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(
          fc.oneof(fc.constantFrom(...around), fc.integer({ min: 3, max: 1_000 })),
          fc.double({ min: 0, max: 1, noNaN: true }),
        ),
        { minLength: 1, maxLength: 12 },
      ),
      async (frames) => {
        pair.got.length = 0;
        const sent = frames.map(([length, share], n) => {
          const frame = bytes(length, n);
          const cut = Math.floor(length * share);
          if (cut === 0) pair.wire.send(frame);
          else pair.wire.send(frame.subarray(0, cut), frame.subarray(cut));
          return frame;
        });
        await until('all frames', () => pair.got.length === sent.length);
        expect(pair.got.every((frame, n) => Buffer.compare(frame, sent[n] ?? frame.subarray(1)) === 0)).toBe(
          true,
        );
      },
    ),
    { numRuns: 40 },
  );
  expect(pair.drains()).toBe(0);
});

test('what a reader does not take is not idle, and says once when it has gone', async () => {
  const pair = await connected();
  readerOf(pair).pause();
  const frame = bytes(65_536, 1);
  let sent = 0;
  while (pair.wire.idle()) {
    pair.wire.send(frame);
    sent += 1;
  }
  pair.wire.send(frame);
  expect(pair.drains()).toBe(0);
  readerOf(pair).resume();
  await until('all frames', () => pair.got.length === sent + 1);
  await until('the wire to be idle', () => pair.wire.idle());
  expect(pair.drains()).toBe(1);
  expect(pair.got.every((got) => Buffer.compare(got, frame) === 0)).toBe(true);
});

test('what the libraries send themselves is waited for as well', async () => {
  const pair = await connected();
  readerOf(pair).pause();
  const { socket } = pair.accepted.conn.transport as unknown as { readonly socket: WebSocketOfLibrary };
  while (pair.accepted.request.socket.writableLength === 0) socket.send(bytes(65_536, 1));
  expect([pair.wire.idle(), pair.wire.idle(), pair.drains()]).toEqual([false, false, 0]);
  readerOf(pair).resume();
  await until('a word that it is idle', () => pair.drains() > 0);
  expect([pair.wire.idle(), pair.drains()]).toEqual([true, 1]);
});

test('nothing goes out behind the end of the websocket', async () => {
  const pair = await connected();
  const { socket } = pair.accepted.conn.transport as unknown as { readonly socket: WebSocketOfLibrary };
  const written = (): number => pair.accepted.request.socket.bytesWritten;
  socket.close();
  const before = written();
  pair.wire.send(bytes(100, 1));
  expect(written()).toBe(before);
});

test('what was sent goes out before the end, and nothing after it', async () => {
  const pair = await connected();
  const reasons: string[] = [];
  pair.client.on('disconnect', (reason) => reasons.push(reason));
  for (let n = 0; n < 20; n++) pair.wire.send(bytes(5_000, n));
  pair.wire.close();
  await until('the end', () => reasons.length > 0);
  expect(pair.got.map((frame) => frame[0])).toEqual(Array.from({ length: 20 }, (_, n) => n));
  pair.wire.send(bytes(10, 1));
  pair.wire.destroy();
  pair.wire.send(bytes(10, 1));
  expect(reasons).toEqual(['io server disconnect']);
});
