/** A member that does not read: it is cut, nobody else is, and it finds everything when it is back. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LIMITS } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { until } from '../support/wait.js';
import { Peer } from './relay-peer.js';
import { message, TestRoom } from './relay-room.js';

const LENGTH = 32_768;

let relay: RunningRelay;
beforeAll(async () => {
  await loadThemis();
  relay = await startRelay({
    environment: {
      PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'silent',
      SERVE_WEB: 'false',
      HANDSHAKE_MS: '60000',
      QUEUE_BYTES: String(LIMITS.frameBytes),
      APPEND_PER_SECOND: '100000',
      APPEND_BURST: '100000',
      REQUESTS_PER_SECOND: '100000',
      REQUESTS_BURST: '100000',
    },
    inMemory: true,
  });
});
afterAll(() => relay.stop());

const metrics = async (): Promise<string> =>
  (await fetch(`http://127.0.0.1:${String(relay.metricsPort)}/metrics`)).text();
const queued = (text: string): number => Number(/^relay_queue_bytes (\S+)$/m.exec(text)?.[1]);

/** The TCP connection under a peer. */
function wireOf(peer: Peer): { pause(): unknown; resume(): unknown } {
  const { transport } = peer.socket.io.engine as unknown as {
    transport: { ws: { _socket: { pause(): unknown; resume(): unknown } } };
  };
  return transport.ws._socket;
}

test('a reader that stops reading is cut with SLOW_CONSUMER and reads on where it was', async () => {
  const room = await TestRoom.create(relay);
  const [slow, other] = [await Peer.connect(relay), await Peer.connect(relay)];
  for (const peer of [slow, other]) await room.join(peer);
  wireOf(slow).pause();

  let last = 0;
  let most = 0;
  let cut = false;
  // The system's own buffers fill first; how much they take is its secret.
  while (!cut) {
    const { placed } = await room.owner.request('append', { messages: [message(1, LENGTH)] });
    last = placed[0]?.position.s ?? last;
    const text = await metrics();
    most = Math.max(most, queued(text));
    cut = text.includes('relay_refusals_total{code="SLOW_CONSUMER"} 1');
  }
  // What waits is bounded, and so is what the socket holds: one frame, which is on its way.
  expect(most).toBeLessThanOrEqual(LIMITS.frameBytes * 3);
  wireOf(slow).resume();
  await slow.gone();
  expect(slow.closing).toBe('SLOW_CONSUMER');
  await until('the other reader to have everything', () => other.entries.at(-1)?.position.s === last);

  const had = slow.entries.at(-1)?.position ?? { g: 1, s: 0 };
  expect(had.s).toBeLessThan(last);
  const back = await Peer.connect(relay, slow.identity);
  const seqs: number[] = [];
  for (let after = had; after.s < last;) {
    const page = await room.open(back, after);
    if (!('entries' in page)) throw new Error('no page');
    seqs.push(...page.entries.map(({ position }) => position.s));
    after = page.entries.at(-1)?.position ?? { g: after.g, s: last };
  }
  expect(seqs).toEqual(Array.from({ length: last - had.s }, (_, n) => had.s + n + 1));
  for (const peer of [room.owner, other, back]) peer.leave();
});
