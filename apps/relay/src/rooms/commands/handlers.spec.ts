import { describe, expect, test } from '@jest/globals';
import { REQUEST_KINDS } from '@0fc/protocol';
import { HANDLERS } from './handlers.js';

describe('the catalogue', () => {
  test('has a handler for every request, and no handler without a row', () => {
    expect(Object.keys(HANDLERS).sort()).toEqual([...REQUEST_KINDS].sort());
  });
});
