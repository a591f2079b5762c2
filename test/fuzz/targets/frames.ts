/** Frames, padding, containers and text forms of bytes: everything that is cut apart by hand. */
import {
  concat, decodeFeedContent, decodeFeedFrame, decodeFrame, decodeSessionFrame, encodeFeedContent, encodeFeedHead, encodeFrame,
  encodeSessionFrame, equalBytes, FEED_TAG_BYTES, FRAME_TYPES, fromBase64Url, pad, padFrame, REQUEST_KINDS, toBase64Url, unpad, unpadFrame, utf8, type Bytes, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { containerBody, parsePublicKey } from '@0fc/crypto/verify';
import { splitForFrames } from '@0fc/crypto/link';
import type { Dice } from '../../support/random.js';
import type { Corpus } from '../corpus.js';
import { mutate, randomBytes } from '../mutate.js';
import { expectThat, judged, type Outcome, type Target } from '../target.js';
import { randomValue } from '../values.js';

interface Step {
  readonly judge: (input: Bytes) => Outcome;
  readonly seed: (dice: Dice) => Bytes;
}

function message(dice: Dice): SessionMessage {
  const body = (): Record<string, unknown> => ({ x: randomValue(dice) });
  switch (dice.below(4)) {
    case 0:
      return { q: 1 + dice.below(9), kind: dice.of(REQUEST_KINDS), body: body() };
    case 1:
      return { r: 1 + dice.below(9), body: body() };
    case 2:
      return { r: 1, error: { code: 'MALFORMED', params: { n: dice.below(9) } } };
    default:
      return { e: 'entries', body: body() };
  }
}

const messages = (dice: Dice): readonly SessionMessage[] =>
  Array.from({ length: 1 + dice.below(4) }, () => message(dice));

const text = new TextDecoder('latin1');

/** By name, as the corpus has them. */
export const frameSteps: Readonly<Record<string, Step>> = {
  frame: {
    judge: (input) =>
      judged(() => {
        const { type, body } = decodeFrame(input);
        expectThat(equalBytes(encodeFrame(type, body), input), 'a frame has two encodings');
      }),
    seed: (dice) => encodeFrame(dice.of(Object.values(FRAME_TYPES)), randomBytes(dice, 1 + dice.below(60))),
  },
  session: {
    judge: (input) =>
      judged(() => {
        const padded = padFrame(input);
        const { messages } = decodeSessionFrame(padded, 0);
        expectThat(equalBytes(encodeSessionFrame(1, messages), padded), 'a session frame has two encodings');
        for (const group of splitForFrames(messages)) encodeSessionFrame(1, group);
      }),
    seed: (dice) => unpadFrame(encodeSessionFrame(1, messages(dice))),
  },
  cell: {
    judge: (input) =>
      judged(() => {
        const padded = padFrame(input);
        expectThat(
          equalBytes(encodeFeedContent(decodeFeedContent(padded).messages), padded),
          'a cell has two encodings',
        );
      }),
    seed: (dice) => unpadFrame(encodeFeedContent(messages(dice))),
  },
  feed: {
    judge: (input) =>
      judged(() => {
        const { cell, ...head } = decodeFeedFrame(input);
        expectThat(
          equalBytes(concat(encodeFeedHead(head), cell).subarray(2), input),
          'a feed frame has two encodings',
        );
      }),
    seed: (dice) => {
      const head = {
        n: 1 + dice.below(9),
        c: 2 ** 32 * dice.below(3) + 1,
        tag: randomBytes(dice, FEED_TAG_BYTES),
      };
      return concat(encodeFeedHead(head), randomBytes(dice, 1 + dice.below(60))).slice(2);
    },
  },
  padded: {
    judge: (input) =>
      judged(() =>
        expectThat(equalBytes(padFrame(unpadFrame(input)), input), 'a padded frame has two forms'),
      ),
    seed: (dice) => padFrame(randomBytes(dice, dice.below(dice.once(8) ? 700 : 40))),
  },
  padding: {
    judge: (input) =>
      judged(() => expectThat(equalBytes(pad(unpad(input)), input), 'a padded text has two forms')),
    seed: (dice) => pad(randomBytes(dice, dice.below(dice.once(8) ? 700 : 40))),
  },
  container: {
    judge: (input) => judged(() => containerBody(input)),
    seed: (dice) => {
      const [body, signature] = [randomBytes(dice, 1 + dice.below(40)), randomBytes(dice, 70)];
      const head = new DataView(new ArrayBuffer(12));
      head.setUint32(0, 0x26042620, true);
      head.setUint32(4, body.length, true);
      head.setUint32(8, signature.length, true);
      return concat(new Uint8Array(head.buffer), body, signature);
    },
  },
  key: {
    judge: (input) => judged(() => expectThat(equalBytes(parsePublicKey(input), input), 'another key')),
    seed: (dice) =>
      concat(
        Uint8Array.of(0x55, 0x45, 0x43, 0x32, 0, 0, 0, 45),
        randomBytes(dice, 4),
        Uint8Array.of(2),
        randomBytes(dice, 32),
      ),
  },
  base64url: {
    judge: (input) => {
      const letters = text.decode(input);
      const bytes = fromBase64Url(letters);
      expectThat(bytes === null || toBase64Url(bytes) === letters, 'bytes have two texts');
      return bytes === null ? 'refused' : 'ok';
    },
    seed: (dice) => utf8(toBase64Url(randomBytes(dice, dice.below(40)))),
  },
};

export const framesTarget = (corpus: Corpus): Target => ({
  name: 'frames',
  share: 60_000,
  limitMs: 2_000,
  settleEvery: 10_000,
  prepare: async (_dice, keep) => {
    const names = Object.keys(frameSteps);
    return {
      run(one) {
        const name = one.of(names);
        const step = frameSteps[name];
        if (step === undefined) throw new Error('no such step');
        const kept = corpus.of(name);
        const seed = kept.length > 0 && one.once(3) ? one.of(kept) : step.seed(one);
        const input = one.once(10) ? seed : mutate(one, seed, kept);
        const outcome = step.judge(input);
        keep(name, outcome, input);
        return outcome;
      },
    };
  },
});
