/**
 * Fault 17: handshakes from one address kept everybody else out. The frames are taken apart before Themis sees
 * them (libs/crypto/src/link/link.spec.ts); here: whoever comes from elsewhere has its turn after one of theirs.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FRAME_EVENT } from '@0fc/protocol';
import { ClientLink } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { rawSocket } from './relay-peer.js';

const CROWD = 120;
const QUEUE = 40;
let relay: RunningRelay;

beforeAll(async () => {
  await loadThemis();
  relay = await startRelay({
    environment: {
      PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', TRUST_PROXY: '1', HANDSHAKE_QUEUE: String(QUEUE), HANDSHAKE_MS: '60000',
    },
    inMemory: true,
  }); // prettier-ignore
});
afterAll(() => relay.stop());

async function connected(address: string): Promise<ReturnType<typeof rawSocket>> {
  const socket = rawSocket(relay.url, { address });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return socket;
}
const hello = (): Uint8Array =>
  ClientLink.open({ identity: generateKeyPair(), relayKey: relay.publicKey }).start();

describe('handshakes', () => {
  test('of a crowd at one address leave the others their turn, with the queue full as well', async () => {
    const crowd = await Promise.all(Array.from({ length: CROWD }, () => connected('198.51.100.7')));
    const others = await Promise.all([1, 2, 3].map((n) => connected(`203.0.113.${String(n)}`)));
    const order: ('crowd' | 'other' | 'gone')[] = [];
    const all = [
      ...crowd.map((socket) => ({ socket, who: 'crowd' as const, frame: hello() })),
      ...others.map((socket) => ({ socket, who: 'other' as const, frame: hello() })),
    ];
    const ends = all.map(
      ({ socket, who }) =>
        new Promise<void>((resolve) => {
          socket.once(FRAME_EVENT, () => resolve(void order.push(who)));
          socket.once('disconnect', () => resolve(void order.push('gone')));
        }),
    );
    // The crowd's are all there before the others'.
    for (const { socket, frame } of all) socket.emit(FRAME_EVENT, frame);
    await Promise.all(ends);
    expect(order.filter((who) => who === 'other')).toHaveLength(others.length);
    expect(order.filter((who) => who === 'gone').length).toBeGreaterThan(0);
    // Some of the crowd had come before; then it is by turns.
    const served = order.filter((who) => who !== 'gone');
    expect(served.length - served.lastIndexOf('other')).toBeGreaterThan(QUEUE / 4);
    for (const { socket } of all) socket.disconnect();
  });
});
