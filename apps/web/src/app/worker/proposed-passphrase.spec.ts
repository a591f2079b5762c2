import { describe, expect, it } from '@jest/globals';
import { ratePassphrase } from '@0fc/client';

import { suggestPassphrase } from '../core/passphrase';

describe('a passphrase that the page proposes', () => {
  it.each(['fr', 'en'] as const)('is accepted at full strength, in %s', async (language) => {
    for (let draw = 0; draw < 50; draw++) {
      const phrase = suggestPassphrase(language);
      // The phrase itself is what a failure has to show: it protects nothing.
      expect({ phrase, ...(await ratePassphrase(phrase)) }).toEqual({
        phrase,
        acceptable: true,
        strength: 4,
        weakness: null,
      });
    }
  });
});
