/** The committed corpus: each input still ends as it did, or the change of the outcome is meant. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import type { Bytes } from '@0fc/protocol';
import { Corpus } from './corpus.js';
import type { Outcome } from './target.js';
import { judgeCodec } from './targets/codec.js';
import { frameSteps } from './targets/frames.js';
import { replayInvite } from './targets/invites.js';
import { judgeShape, plainOutcome, staticShapes } from './targets/schemas.js';

const REPLAYS: Readonly<Record<string, (group: string, input: Bytes) => Outcome | Promise<Outcome>>> = {
  codec: (_group, input) => judgeCodec(input),
  schemas(group, input) {
    const shape = staticShapes.find(({ name }) => name === group);
    if (shape === undefined) throw new Error(`no schema ${group}`);
    return plainOutcome(judgeShape(shape, input));
  },
  frames(group, input) {
    const step = frameSteps[group];
    if (step === undefined) throw new Error(`no step ${group}`);
    return step.judge(input);
  },
  invites: (_group, input) => replayInvite(input),
};

beforeAll(() => loadThemis());

describe.each(Object.keys(REPLAYS))('the corpus of %s', (name) => {
  const corpus = new Corpus(name);

  test('ends as it did', async () => {
    const rows = corpus.all();
    expect(rows.length).toBeGreaterThan(0);
    for (const { group, outcome, input } of rows) {
      const now = await REPLAYS[name]?.(group, input);
      expect([group, now]).toEqual([group, outcome]);
    }
  });
});
