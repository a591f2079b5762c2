import { describe, expect, it } from '@jest/globals';
import { allowedScriptUrl } from './trusted-types';

const ORIGIN = 'https://chat.example';

describe('the default Trusted Types policy', () => {
  it('lets the worker of this origin through', () => {
    expect(allowedScriptUrl(`${ORIGIN}/worker-PHCADD5L.js`, ORIGIN)).toBe(`${ORIGIN}/worker-PHCADD5L.js`);
  });

  it.each([
    'https://evil.example/worker-PHCADD5L.js',
    '//evil.example/worker-PHCADD5L.js',
    '/main-NOZTVAFB.js',
    '/x/worker-PHCADD5L.js',
    '/worker-PHCADD5L.js?x',
    '/worker-PHCADD5L.js/../other.js',
    'data:text/javascript,alert(1)',
    'blob:https://chat.example/1',
    'javascript:alert(1)',
  ])('refuses %s', (url) => {
    expect(() => allowedScriptUrl(url, ORIGIN)).toThrow(TypeError);
  });
});
