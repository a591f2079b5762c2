/** Targets with faults in them, never part of a run: what shows that the fuzzer finds any. */
import { Finding, type Outcome, type Target } from '../target.js';

const LIMIT_MS = 1_000;
const LEAK_BYTES = 1_048_576;

export const hangTarget = (): Target => {
  let cases = 0;
  return {
    name: 'hang',
    share: 0,
    limitMs: LIMIT_MS,
    settleEvery: 100,
    prepare: async () => ({
      run(): Outcome {
        cases += 1;
        while (cases > 2);
        return 'ok';
      },
    }),
  };
};

export const wrongTarget = (): Target => {
  let index = -1;
  const leaked: Uint8Array[] = [];
  return {
    name: 'wrong',
    share: 0,
    limitMs: LIMIT_MS,
    settleEvery: 100,
    prepare: async () => ({
      run(): Outcome {
        index += 1;
        leaked.push(new Uint8Array(LEAK_BYTES).fill(index));
        if (index === 3) throw new Finding('a planted finding');
        if (index === 5) throw new TypeError('planted');
        if (index === 7) void Promise.reject(new Error('nobody waits'));
        return 'ok';
      },
    }),
  };
};
