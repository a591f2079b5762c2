/** A range that the relay has trimmed: what it explains, and what of the roster is known all the same (section 8). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Entry } from '@0fc/protocol';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { system } from './items.js';
import { alarmsOf, type RoomLog, readLog, textsOf, type Person } from './log.spec-support.js';
import { followToEnd } from './skipped.js';
import type { RoomState } from './state.js';
import { takeEntry } from './take.js';

let log: RoomLog;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, reader } = await readLog());
});

/** As the reader takes a trimmed edge in: everything up to where the log is now. */
function skip(): void {
  const { core } = reader;
  const numbers = { from: core.position.s + 1, to: log.position.s };
  reader.append(null, 1, [system('missed', { numbers })]);
  core.position = log.position;
  core.t = log.t;
  core.skipped = true;
}

describe('counters across a range that is told as missed', () => {
  test('G6: as many as it has places are explained by it', async () => {
    await takeEntry(nodeHash, reader, await log.say(log.owner, 'here'));
    for (const text of ['lost', 'lost as well']) await log.say(log.owner, text);
    skip();
    await takeEntry(nodeHash, reader, await log.say(log.owner, 'after'));
    expect(textsOf(reader)).toEqual(['here', 'after']);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('G6: one more, or one after it, is an alarm', async () => {
    await takeEntry(nodeHash, reader, await log.say(log.owner, 'here'));
    await log.say(log.owner, 'lost');
    log.owner.n += 1;
    skip();
    await takeEntry(nodeHash, reader, await log.say(log.owner, 'after'));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_MESSAGE_GAP]);
    log.owner.n += 1;
    await takeEntry(nodeHash, reader, await log.say(log.owner, 'and one withheld'));
    expect(alarmsOf(reader)).toHaveLength(2);
  });
});

describe('the roster at the end of the log', () => {
  const removal = (): Promise<Entry> => log.change('remove', { member: other.id, reason: 'removed' });
  let other: Person;

  beforeEach(async () => {
    const { person, entry } = await log.admit();
    other = person;
    await takeEntry(nodeHash, reader, entry);
  });

  test('G10: a removal that lies in the range is followed, and nothing is sent before its rotation', async () => {
    const { payload } = await removal();
    skip();
    reader.chainAhead = [payload];
    await followToEnd(nodeHash, reader, log.roster.head);
    expect([...reader.roster.members.keys()]).not.toContain(other.id);
    expect(reader.core.paused).toBe(true);
    expect(reader.chainAhead).toEqual([]);
  });

  test('is followed no further than the log is: what comes after it comes as an entry', async () => {
    const { head } = log.roster;
    const entry = await removal();
    reader.chainAhead = [entry.payload];
    await followToEnd(nodeHash, reader, head);
    expect([...reader.roster.members.keys()]).toContain(other.id);
    await takeEntry(nodeHash, reader, entry);
    expect([...reader.roster.members.keys()]).not.toContain(other.id);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('G11: a chain that does not prove itself moves nothing', async () => {
    const { payload } = await removal();
    const { roster } = reader;
    reader.chainAhead = [payload.map((byte, at) => (at === payload.length - 40 ? byte ^ 1 : byte))];
    await followToEnd(nodeHash, reader, log.roster.head);
    expect(reader.roster).toEqual(roster);
    expect(reader.chainAhead).toEqual([]);
  });
});
