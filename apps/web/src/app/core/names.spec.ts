import { describe, expect, it } from '@jest/globals';

import { named } from './names';

describe('names', () => {
  it('cannot turn the words around them, and have a stand-in', () => {
    expect(named('\u202eevil\u2066', 'nobody')).toBe('\u2068evil\u2069');
    expect(named('', 'nobody')).toBe('\u2068nobody\u2069');
  });
});
