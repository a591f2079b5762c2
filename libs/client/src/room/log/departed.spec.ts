/** The chain up to one's own departure, which a member that was away follows (docs/protocol.md section 4). */
import { beforeAll, expect, test } from '@jest/globals';
import type { Bytes, Entry } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { eventsOf, readLog, recordsOf, readEntry, RoomLog, type Person } from './log.spec-support.js';
import { ITEMS_PER_RECORD } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';
import { applyDepartureInChain, applyOwnDeparture } from './departed.js';

beforeAll(async () => {
  await loadThemis();
});

/** A reader that is away while the room goes to and fro between two others, and is removed then. */
async function removedAfter(times: number): Promise<{ reader: RoomState; chain: readonly Bytes[] }> {
  const { log, reader } = await readLog();
  const { person, entry } = await log.admit();
  await readEntry(reader, entry);
  const from = log.containers.length;
  let [owner, next] = [log.owner, person];
  for (let at = 0; at < times; at++) {
    await log.transferOwnership(next);
    [owner, next] = [next, owner];
  }
  await log.change('remove', { member: reader.core.me, reason: 'removed' });
  return { reader, chain: log.containers.slice(from) };
}

const follow = (reader: RoomState, chain: readonly Bytes[]): Promise<boolean> =>
  reader.write((draft) => applyDepartureInChain(nodeHash, draft, chain, 5_000));

test.each([[1], [ITEMS_PER_RECORD - 1], [ITEMS_PER_RECORD], [ITEMS_PER_RECORD + 4]])(
  'after %i hand-overs shows each of them and then the removal',
  async (times) => {
    const { reader, chain } = await removedAfter(times);
    const before = eventsOf(reader).length;
    expect(await follow(reader, chain)).toBe(true);
    expect(reader.core.stage).toBe('removed');
    const transfers = Array.from({ length: times }, () => 'transferred');
    expect(eventsOf(reader).slice(before)).toEqual([...transfers, 'removed']);
  },
);

test('with an entry that does not prove itself leaves everything as it was', async () => {
  const { reader, chain } = await removedAfter(ITEMS_PER_RECORD + 4);
  const [core, records] = [reader.core, recordsOf(reader)];
  const forged = chain.map((container, at) =>
    at === ITEMS_PER_RECORD
      ? Uint8Array.from(container, (byte, i) => (i === 70 ? byte ^ 1 : byte))
      : container,
  );
  expect(await follow(reader, forged)).toBe(false);
  expect(await follow(reader, chain.slice(0, -1))).toBe(false);
  expect([reader.core, recordsOf(reader)]).toEqual([core, records]);
});

const requestOf = ({ roster }: RoomLog, { id, identity }: Person): Bytes =>
  signBody(identity, 'leaveRequest', {
    roomId: roster.roomId,
    member: id,
    admit: roster.members.get(id)!.admit,
  });

const lastLine = (reader: RoomState) => recordsOf(reader).at(-1)?.items;

test.each([
  ['a removal', (log, { id }) => log.change('remove', { member: id, reason: 'removed' })],
  ['a departure', (log, me) => log.change('leave', { member: me.id, request: requestOf(log, me) })],
  ['the closing', (log) => log.change('close', {})],
] satisfies readonly (readonly [string, (log: RoomLog, me: Person) => Promise<Entry>])[])(
  '%s is the same line in the log, served alone, and in the chain',
  async (_what, make) => {
    const log = await RoomLog.begin();
    const { person, entry: admission } = await log.admit();
    const [inLog, alone, byChain] = [
      await log.reader(person),
      await log.reader(person),
      await log.reader(person),
    ];
    for (const reader of [inLog, alone, byChain]) await readEntry(reader, admission);
    const entry = await make(log, person);
    await readEntry(inLog, entry);
    expect(await alone.write((draft) => applyOwnDeparture(draft, [entry]))).toBe(true);
    expect(await follow(byChain, [entry.payload])).toBe(true);
    expect(lastLine(inLog)).toHaveLength(1);
    expect([lastLine(alone), lastLine(byChain)]).toEqual([lastLine(inLog), lastLine(inLog)]);
  },
);

test('by one’s own request names nobody else', async () => {
  const { log, guest, reader } = await readLog();
  const request = await log.add('leaveRequest', guest.id, requestOf(log, guest));
  expect(await reader.write((draft) => applyOwnDeparture(draft, [request]))).toBe(true);
  expect(lastLine(reader)).toMatchObject([{ event: 'left', actor: null, member: guest.id }]);
});
