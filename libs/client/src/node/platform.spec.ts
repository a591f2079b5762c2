import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { RelayLink } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { FRAME_EVENT, type EventBody } from '@0fc/protocol';
import { relayParser } from '@0fc/protocol/socket-io';
import { Server } from 'socket.io';
import { Connection } from '../link/connection.js';
import { hello } from '../link/connection.spec-support.js';
import { createNodePlatform } from './platform.js';

describe('the platform on Node, over a real socket', () => {
  let http: HttpServer;
  let server: Server;
  beforeEach(async () => {
    http = createServer();
    server = new Server(http, { path: '/relay/socket.io', transports: ['websocket'], parser: relayParser });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
  });
  afterEach(async () => {
    await server.close();
  });
  const url = (): string => `http://127.0.0.1:${String((http.address() as AddressInfo).port)}/relay`;

  it('carries a session and a request, and tells when it closes', async () => {
    const platform = await createNodePlatform({ folder: ':memory:' });
    const relay = generateKeyPair();
    server.on('connection', (socket) => {
      const link = RelayLink.accept({ relay });
      socket.on(FRAME_EVENT, (data: unknown) => {
        const { reply, established, messages } = link.receive(data);
        if (reply !== null) socket.emit(FRAME_EVENT, reply);
        const out = messages.map((message) => ({ r: 'q' in message ? message.q : 0, body: {} }));
        const greeting = { e: 'hello', body: { ...hello(relay.publicKey) } };
        if (established) socket.emit(FRAME_EVENT, link.seal(out.length > 0 ? out : [greeting]));
        if (out.length > 0) socket.disconnect(true);
      });
      socket.on('disconnect', () => link.destroy());
    });
    const states: string[] = [];
    let fell = (): void => undefined;
    const down = new Promise<void>((resolve) => (fell = resolve));
    const greeted = await new Promise<EventBody<'hello'>>((resolve) => {
      const connection = new Connection({
        url: url(),
        relayKey: relay.publicKey,
        identity: generateKeyPair(),
        platform,
        onUp: (body) => {
          resolve(body);
          void connection
            .request('ack', { position: { g: 1, s: 1 } })
            .then((reply) => states.push(JSON.stringify(reply)));
        },
        onEvent: () => undefined,
        onState: (state) => {
          states.push(state);
          if (states.length < 4) return;
          connection.stop();
          fell();
        },
      });
      connection.start();
    });
    await down;
    expect(greeted).toEqual(hello(relay.publicKey));
    expect(states).toEqual(['connecting', 'connected', '{}', 'connecting']);
    await platform.storage.close();
  });

  it('tells once when nobody is there', async () => {
    const platform = await createNodePlatform({ folder: ':memory:' });
    const target = url();
    await server.close();
    const reasons: string[] = [];
    await new Promise<void>((resolve) => {
      platform.socket.connect(target, {
        open: () => reasons.push('open'),
        frame: () => reasons.push('frame'),
        closed: (reason) => {
          reasons.push(reason);
          resolve();
        },
      });
    });
    expect(reasons).toEqual(['unreachable']);
    await platform.storage.close();
  });
});
