/** What is said of a Node.js that the relay cannot run on. */
import { describe, expect, test } from '@jest/globals';
import { nodeTooOld } from './node-version.js';

describe('a version of Node.js', () => {
  test.each(['v24.0.0', 'v24.21.0', 'v25.1.0', 'v100.0.0', 'v26.0.0-nightly20260101', process.version])(
    '%s runs the relay',
    (version) => {
      expect(nodeTooOld(version)).toBeNull();
    },
  );

  test.each(['v20.20.2', 'v22.13.0', 'v23.11.1', 'v8.0.0', 'v0.12.18', '', 'something else'])(
    '%j does not, which is one line with what to do',
    (version) => {
      const line = nodeTooOld(version);
      expect(line).toContain(version);
      expect(line).toMatch(/^Node\.js .*24 or later.*npm start.*install a newer one\.$/);
    },
  );
});
