/**
 * Both ends of a link in this process (docs/protocol.md section 3; G5, G12, G13): frames that were changed
 * before, during and after the handshake. What has failed stays dead, and no peer is ever taken for another.
 */
import { isDeepStrictEqual } from 'node:util';
import { concat, encodeFrame, equalBytes, FRAME_TYPES, type Bytes, type SessionMessage } from '@0fc/protocol';
import { ClientLink, RelayLink, type Received } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import type { Dice } from '../../support/random.js';
import { mutate, randomBytes } from '../mutate.js';
import { expectThat, outcomeOf, type Outcome, type Target } from '../target.js';

const LINK_CODES =
  /^(HANDSHAKE_FAILED|RELAY_KEY_MISMATCH|SESSION_BROKEN|OUT_OF_SEQUENCE|MALFORMED|TOO_LARGE|UNSUPPORTED_VERSION)/;
const RECORDED = 32;

export function spoiled(dice: Dice, frame: Bytes, recorded: readonly Bytes[]): Bytes {
  switch (dice.below(5)) {
    case 0:
      return recorded.length > 0 ? dice.of(recorded) : mutate(dice, frame);
    case 1:
      return encodeFrame(
        dice.of([FRAME_TYPES.handshake, FRAME_TYPES.session]),
        randomBytes(dice, 1 + dice.below(300)),
      );
    case 2:
      // The structure of the frame stays, its bytes do not.
      return concat(frame.subarray(0, 2), mutate(dice, frame.slice(2), recorded));
    default:
      return mutate(dice, frame, recorded);
  }
}

export const handshakesTarget = (): Target => ({
  name: 'handshakes',
  share: 15_000,
  limitMs: 5_000,
  settleEvery: 1_000,
  prepare: async () => {
    const [relay, member] = [generateKeyPair(), generateKeyPair()];
    const ping: SessionMessage = { q: 1, kind: 'ack', body: {} };
    const answer: SessionMessage = { r: 1, body: {} };
    // From genuine handshakes of these keys: what somebody on the way could have kept.
    const recorded: Bytes[] = [];

    function exchange(dice: Dice, client: ClientLink, server: RelayLink): Outcome {
      const spoilAt = dice.below(6);
      let changed = false;
      const ends = [server, client] as const;
      let frame = client.start();
      for (let step = 0; step < 6; step++) {
        if (step >= 4) frame = step === 4 ? client.seal([ping]) : server.seal([answer]);
        const sent = step === spoilAt ? spoiled(dice, frame, recorded) : frame;
        changed ||= !equalBytes(sent, frame);
        if (!changed && recorded.length < RECORDED) recorded.push(frame);
        const receiver = ends[step % 2] ?? server;
        let received: Received;
        try {
          received = receiver.receive(sent);
        } catch (error) {
          const outcome = outcomeOf(error);
          expectThat(LINK_CODES.test(outcome), `a link ends in ${outcome}`);
          expectThat(!receiver.established && receiver.peer === null, 'a link that failed has a peer');
          return `${String(step)} ${outcome}`;
        }
        if (server.peer !== null) expectThat(equalBytes(server.peer, member.publicKey), 'another member');
        if (client.peer !== null) expectThat(equalBytes(client.peer, relay.publicKey), 'another relay');
        // Four bytes that Themis neither reads nor covers may differ: what is read is what was said, once.
        const said: readonly SessionMessage[] = step === 4 ? [ping] : step === 5 ? [answer] : [];
        expectThat(isDeepStrictEqual(received.messages, said), 'something else is read than was said');
        if (step < 3 && received.reply === null) return `${String(step)} no reply`;
        frame = received.reply ?? frame;
      }
      return 'ok';
    }

    return {
      run(dice) {
        const client = ClientLink.open({ identity: member, relayKey: relay.publicKey });
        const server = RelayLink.accept({ relay });
        try {
          return exchange(dice, client, server);
        } finally {
          client.destroy();
          server.destroy();
        }
      },
    };
  },
});
