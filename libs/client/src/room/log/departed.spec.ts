/** The chain up to one's own departure, which a member that was away follows (docs/protocol.md section 4). */
import { beforeAll, expect, test } from '@jest/globals';
import type { Bytes } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { eventsOf, readLog, recordsOf, take, type RoomLog } from './log.spec-support.js';
import { ITEMS_PER_RECORD } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';
import { applyDepartureInChain } from './departed.js';

beforeAll(async () => {
  await loadThemis();
});

/** A reader that is away while the room goes to and fro between two others, and is removed then. */
async function removedAfter(handOvers: number): Promise<{ reader: RoomState; chain: readonly Bytes[] }> {
  const { log, reader } = await readLog();
  const { person, entry } = await log.admit();
  await take(reader, entry);
  const from = log.containers.length;
  let [owner, next] = [log.owner, person];
  for (let at = 0; at < handOvers; at++) {
    await handOver(log, next);
    [owner, next] = [next, owner];
  }
  await log.change('remove', { member: reader.core.me, reason: 'removed' });
  return { reader, chain: log.containers.slice(from) };
}

async function handOver(log: RoomLog, to: RoomLog['owner']): Promise<void> {
  const fields = { roomId: log.roster.roomId, old: log.owner.id, new: to.id, nonce: nodeRandom.bytes(16) };
  const acceptance = signBody(to.identity, 'transferAcceptance', fields);
  await log.change('transfer', { to: to.id, acceptance });
  log.owner = to;
}

const follow = (reader: RoomState, chain: readonly Bytes[]): Promise<boolean> =>
  reader.write((draft) => applyDepartureInChain(nodeHash, draft, chain, 5_000));

test.each([[1], [ITEMS_PER_RECORD - 1], [ITEMS_PER_RECORD], [ITEMS_PER_RECORD + 4]])(
  'after %i hand-overs shows each of them and then the removal',
  async (handOvers) => {
    const { reader, chain } = await removedAfter(handOvers);
    const before = eventsOf(reader).length;
    expect(await follow(reader, chain)).toBe(true);
    expect(reader.core.stage).toBe('removed');
    const transfers = Array.from({ length: handOvers }, () => 'transferred');
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
