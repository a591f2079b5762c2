/** The codec (docs/protocol.md section 2): one value, one encoding, and a typed error for everything else. */
import { decodeCbor, encodeCbor, equalBytes, type Bytes } from '@0fc/protocol';
import type { Dice } from '../../support/random.js';
import type { Corpus } from '../corpus.js';
import { mutate, randomBytes } from '../mutate.js';
import { expectThat, judged, type Keep, type Outcome, type Target } from '../target.js';
import { randomValue } from '../values.js';

/** Values that mutations begin from and take parts of; made before the first case, so that each case stands alone. */
const SEEDS = 64;

/** Heads of CBOR items with arguments of any width, one after the other: mostly wrong, never far from right. */
function pseudo(dice: Dice): Bytes {
  const parts: number[] = dice.once(20) ? Array.from({ length: dice.below(40) }, () => 0x81) : [];
  for (let left = 1 + dice.below(8); left > 0; left--) {
    const major = dice.below(8) << 5;
    const width = dice.below(9);
    if (width < 5) parts.push(major | dice.below(24));
    else if (width === 5) parts.push(major | 24, dice.below(256));
    else if (width === 6) parts.push(major | 25, ...randomBytes(dice, 2));
    else if (width === 7)
      parts.push(major | 26, ...(dice.once(2) ? [0, 0] : [255, 255]), ...randomBytes(dice, 2));
    else parts.push(major | (27 + dice.below(5)), ...randomBytes(dice, 8));
    if (dice.once(3)) parts.push(...randomBytes(dice, dice.below(6)));
  }
  return Uint8Array.from(parts);
}

/** decode∘encode is the identity on what decodes; what does not is refused with MALFORMED. */
export function judgeCodec(input: Bytes): Outcome {
  const before = Uint8Array.from(input);
  const outcome = judged(() => {
    const value = decodeCbor(input);
    const again = encodeCbor(value);
    expectThat(equalBytes(again, input), 'a second encoding decodes');
    expectThat(equalBytes(encodeCbor(decodeCbor(again)), again), 'decoding is not stable');
  });
  expectThat(equalBytes(before, input), 'the input was changed');
  expectThat(outcome === 'ok' || outcome.startsWith('MALFORMED'), `refused with ${outcome}`);
  return outcome;
}

export const codecTarget = (corpus: Corpus): Target => ({
  name: 'codec',
  share: 560_000,
  limitMs: 2_000,
  settleEvery: 10_000,
  prepare: async (dice: Dice, keep: Keep) => {
    const values = Array.from({ length: SEEDS }, () => encodeCbor(randomValue(dice)));
    const seeds: readonly Bytes[] = [...corpus.of('decode'), ...values];
    return {
      run(one) {
        const kind = one.below(8);
        const fresh = kind < 3 ? encodeCbor(randomValue(one)) : null;
        const input =
          kind === 0 && fresh !== null
            ? fresh
            : kind < 6
              ? mutate(one, fresh ?? one.of(seeds), seeds)
              : kind === 6
                ? pseudo(one)
                : randomBytes(one, one.below(48));
        if (fresh !== null) {
          expectThat(judgeCodec(fresh) === 'ok', 'an encoded value does not decode');
        }
        const outcome = judgeCodec(input);
        keep('decode', outcome, input);
        return outcome;
      },
    };
  },
});
