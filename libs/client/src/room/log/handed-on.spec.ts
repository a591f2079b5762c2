/** Counters that a newcomer has by its owner's word alone (docs/protocol.md sections 5 and 6): they hide nothing and accuse nobody. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES } from '@0fc/protocol';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import {
  alarmsOf,
  change,
  messagesOf,
  readLog,
  readEntry,
  textsOf,
  type Person,
  type RoomLog,
} from './log.spec-support.js';
import { setSender } from '../state/draft.js';
import type { SenderRecord } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let other: Person;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, reader } = await readLog());
  other = log.owner;
});

const handOn = (counter: SenderRecord['counter']): Promise<void> =>
  change(reader, setSender(other.id, { counter, handedOn: true }));
const marks = (): readonly boolean[] => messagesOf(reader).map(({ orderUnknown = false }) => orderUnknown);

/** What an owner may say of a sender whose next line has the counter 5. */
const WORDS: readonly (readonly [string, () => SenderRecord['counter'], boolean])[] = [
  ['the last one', () => ({ instance: other.instance, n: 4 }), false],
  ['a higher one', () => ({ instance: other.instance, n: 9 }), true],
  ['the highest one', () => ({ instance: other.instance, n: Number.MAX_SAFE_INTEGER }), true],
  ['a lower one', () => ({ instance: other.instance, n: 1 }), true],
  ['one of another instance', () => ({ instance: nodeRandom.bytes(16), n: 4 }), true],
  ['none', () => null, true],
];

describe('by the owner’s word', () => {
  test.each(WORDS)(
    '%s: all lines of its are drawn, no alarm, the first one marked where it does not follow',
    async (_w, counter, marked) => {
      other.n = 4;
      await handOn(counter());
      for (const text of ['five', 'six', 'seven']) await readEntry(reader, await log.say(other, text));
      expect(textsOf(reader)).toEqual(['five', 'six', 'seven']);
      expect(alarmsOf(reader)).toEqual([]);
      expect(marks()).toEqual([marked, false, false]);
      expect(messagesOf(reader).some(({ late = false }) => late)).toBe(false);
    },
  );

  test('nobody is held to an instance that it never had', async () => {
    await handOn({ instance: nodeRandom.bytes(16), n: 7 });
    await readEntry(reader, await log.say(other, 'one'));
    expect(marks()).toEqual([false]);
    expect(reader.sender(other.id).retired).toEqual([]);
  });

  test('a line that the relay holds back before the first one is taken when it comes', async () => {
    await handOn({ instance: other.instance, n: 3 });
    const held = log.seal(other, log.body(other, { type: 'text', text: 'four' }, { n: 4 }));
    other.n = 4;
    await readEntry(reader, await log.say(other, 'five'));
    await readEntry(reader, await log.add('message', other.id, held.payload, held.clear));
    expect(textsOf(reader)).toEqual(['five', 'four']);
    expect(alarmsOf(reader)).not.toContain(ALARM_CODES.ALARM_DUPLICATE_N);
  });
});

test('once a sender has been seen here, a gap and a copied counter are alarms as ever', async () => {
  await handOn({ instance: other.instance, n: 90 });
  other.n = 4;
  await readEntry(reader, await log.say(other, 'five'));
  await readEntry(reader, await log.say(other, 'again', { n: 5 }));
  other.n = 8;
  await readEntry(reader, await log.say(other, 'nine'));
  expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_DUPLICATE_N, ALARM_CODES.ALARM_MESSAGE_GAP]);
});
