/** A range that the relay has trimmed: what it explains, and what of the roster is known all the same (section 8). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Bytes, type Entry } from '@0fc/protocol';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import {
  alarmsOf,
  change,
  type RoomLog,
  readLog,
  readEntry,
  textsOf,
  type Person,
} from './log.spec-support.js';
import { append, holdChain, set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';
import { system } from './items.js';
import { isExplained } from '../outgoing/log-queries.js';
import { followToEnd } from './trimmed.js';

let log: RoomLog;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, reader } = await readLog());
});

/** As the reader takes a trimmed edge in: everything up to where the log is now. */
async function skip(): Promise<void> {
  const numbers = { from: reader.core.position.s + 1, to: log.position.s };
  await change(
    reader,
    append(null, 1, [system('missed', { numbers })]),
    set({ position: log.position, t: log.t, skipped: true }),
  );
}

const follow = (head: Bytes): Promise<void> => reader.write((draft) => followToEnd(nodeHash, draft, head));

describe('counters across a range that is told as missed', () => {
  test('G6: as many as it has places are explained by it', async () => {
    await readEntry(reader, await log.say(log.owner, 'here'));
    for (const text of ['lost', 'lost as well']) await log.say(log.owner, text);
    await skip();
    await readEntry(reader, await log.say(log.owner, 'after'));
    expect(textsOf(reader)).toEqual(['here', 'after']);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('G6: one more, or one after it, is an alarm', async () => {
    await readEntry(reader, await log.say(log.owner, 'here'));
    await log.say(log.owner, 'lost');
    log.owner.n += 1;
    await skip();
    await readEntry(reader, await log.say(log.owner, 'after'));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_MESSAGE_GAP]);
    log.owner.n += 1;
    await readEntry(reader, await log.say(log.owner, 'and one withheld'));
    expect(alarmsOf(reader)).toHaveLength(2);
  });
});

describe('the roster at the end of the log', () => {
  const removal = (): Promise<Entry> => log.change('remove', { member: other.id, reason: 'removed' });
  let other: Person;

  beforeEach(async () => {
    const { person, entry } = await log.admit();
    other = person;
    await readEntry(reader, entry);
  });

  test('G10: a removal that lies in the range is followed, and nothing is sent before its rotation', async () => {
    const { payload } = await removal();
    await skip();
    await change(reader, holdChain([payload]));
    await follow(log.roster.head);
    expect([...reader.roster.members.keys()]).not.toContain(other.id);
    expect(reader.core.paused).toBe(true);
    expect(reader.chainAhead).toEqual([]);
  });

  test('is followed no further than the log is: what comes after it comes as an entry', async () => {
    const { head } = log.roster;
    const entry = await removal();
    await change(reader, holdChain([entry.payload]));
    await follow(head);
    expect([...reader.roster.members.keys()]).toContain(other.id);
    await readEntry(reader, entry);
    expect([...reader.roster.members.keys()]).not.toContain(other.id);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('G11: a chain that does not prove itself moves nothing', async () => {
    const { payload } = await removal();
    const { roster } = reader;
    const forged = payload.map((byte, at) => (at === payload.length - 40 ? byte ^ 1 : byte));
    await change(reader, holdChain([forged]));
    await follow(log.roster.head);
    expect(reader.roster).toEqual(roster);
    expect(reader.chainAhead).toEqual([]);
  });
});

describe('a chain that names a later epoch than any rotation that was served', () => {
  let settings: Entry;

  /** Two rotations and an entry after them; of these the reader is served the chain alone. */
  beforeEach(async () => {
    await log.rotate(reader.core.me);
    await log.rotate(reader.core.me);
    settings = await log.change('settings', { settings: log.roster.settings });
    await skip();
    await change(reader, holdChain([settings.payload]));
    await follow(log.roster.head);
    expect(reader.roster.head).toEqual(log.roster.head);
  });

  test('is no explained end, whatever the relay says: nothing is sealed or signed there', () => {
    const { head } = log.roster;
    expect(isExplained(reader, { head, epoch: 1 })).toBe(false);
    expect(isExplained(reader, { head, epoch: 3 })).toBe(false);
  });

  test('G11: takes no rotation to an epoch that has been, though its owner has signed it', async () => {
    const { key } = log;
    [log.epoch, log.key] = [1, log.firstKey];
    await readEntry(reader, await log.rotate(reader.core.me));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
    expect(reader.core.epoch).toBe(1);
    // The next one goes on from the epoch that the chain names.
    [log.epoch, log.key] = [3, key];
    await readEntry(reader, await log.rotate(reader.core.me));
    expect(reader.core.epoch).toBe(4);
    expect(isExplained(reader, { head: log.roster.head, epoch: 4 })).toBe(true);
  });
});
