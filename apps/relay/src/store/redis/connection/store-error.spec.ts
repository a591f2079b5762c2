import { expect, test } from '@jest/globals';
import { StoreError } from '../../../rooms/port/result.js';
import { storeError } from './store-error.js';

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", 'STORE_FULL'],
  ['CLUSTERDOWN The cluster is down', 'TRY_AGAIN'],
  ['READONLY You can’t write against a read only replica.', 'TRY_AGAIN'],
  ['MISCONF Redis is configured to save RDB snapshots', 'TRY_AGAIN'],
])('the server answers %s: %s', (message, code) => {
  const error = reply(message);
  expect(storeError(error)).toBeInstanceOf(StoreError);
  expect(storeError(error)).toMatchObject({ code, cause: error });
});

test.each(['Connection is closed.', 'connect ECONNREFUSED', 'Command timed out'])(
  'nothing is answered (%s): to be tried again',
  (message) => {
    const error = new Error(message);
    expect(storeError(error)).toMatchObject({ name: 'StoreError', code: 'TRY_AGAIN', cause: error });
  },
);

test.each([
  'ERR user_script:12: attempt to index a nil value',
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  'CROSSSLOT Keys in request don’t hash to the same slot',
])('a fault of ours stays what it is: %s', (message) => {
  const error = reply(message);
  expect(storeError(error)).toBe(error);
});

test('so does a fault of the program', () => {
  const error = new TypeError('not a function');
  expect(storeError(error)).toBe(error);
});
