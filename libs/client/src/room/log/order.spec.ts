/** The one order of roster entries and rotations: each names its epoch (docs/protocol.md section 4). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, toBase64Url, type Body, type Bytes, type Entry } from '@0fc/protocol';
import { generateKeyPair, makePrekey, signBody } from '@0fc/crypto/keys';
import { memberIdOf } from '@0fc/crypto/verify';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  alarmsOf, change, recordsOf, RoomLog, readEntry, readGeneration, type Person,
} from './log.spec-support.js'; // prettier-ignore
import { extendChain, set } from '../state/draft.js';
import type { PendingCommand } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';
import { isVoid } from './pending.js';

let log: RoomLog;
let guest: Person;
let third: Person;
let reader: RoomState;

async function take(...entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) expect(await readEntry(reader, entry)).toBe('applied');
}

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  const [first, second] = [await log.admit(), await log.admit()];
  guest = first.person;
  third = second.person;
  reader = await log.reader(guest);
  await take(first.entry, second.entry, await log.rotate(guest.id));
  expect(reader.core.epoch).toBe(2);
});

const KINDS = ['admit', 'remove', 'leave', 'transfer', 'settings', 'close'] as const;

/** Signed by the owner on the head of this moment, and right but for its epoch. */
async function signed(kind: (typeof KINDS)[number], epoch: number): Promise<Bytes> {
  const { roomId, head, settings, members } = log.roster;
  const by = log.owner.identity;
  const on = { roomId, epoch, head, owner: log.owner.id };
  switch (kind) {
    case 'admit': {
      const identity = generateKeyPair();
      const id = await memberIdOf(nodeHash, identity.publicKey);
      const { prekey } = await makePrekey(
        { hash: nodeHash, random: nodeRandom },
        { identity, roomId, memberId: id, k: 1 },
      );
      const inviteId = toBase64Url(nodeRandom.bytes(16)) as Body<'admit'>['inviteId'];
      return signBody(by, kind, { ...on, key: identity.publicKey, prekey, inviteId });
    }
    case 'remove':
      return signBody(by, kind, { ...on, member: third.id, reason: 'removed' });
    case 'leave': {
      const admit = members.get(third.id)!.admit;
      const request = signBody(third.identity, 'leaveRequest', { roomId, member: third.id, admit });
      return signBody(by, kind, { ...on, member: third.id, request });
    }
    case 'transfer': {
      const fields = { roomId, epoch, old: log.owner.id, new: third.id, nonce: nodeRandom.bytes(16) };
      const acceptance = signBody(third.identity, 'transferAcceptance', fields);
      return signBody(by, kind, { ...on, to: third.id, acceptance });
    }
    case 'settings':
      return signBody(by, kind, { ...on, settings });
    case 'close':
      return signBody(by, kind, on);
  }
}

const served = async (container: Bytes): Promise<Entry> => log.add('roster', log.owner.id, container);

describe.each(KINDS)('%s', (kind) => {
  test.each([
    ['before', 1],
    ['after', 3],
  ])('in an epoch %s the one that it names is an alarm, and moves nothing', async (_, epoch) => {
    const { head, length } = reader.roster;
    await take(await served(await signed(kind, epoch)));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_ROSTER]);
    expect(reader.roster).toMatchObject({ head, length });
    const { stage, paused, chainShown, logLength } = reader.core;
    expect({ stage, paused, chainShown, logLength }).toEqual({
      stage: 'member', paused: false, chainShown: length, logLength: length,
    }); // prettier-ignore
    // What was signed for this place is taken there all the same.
    await take(await served(await signed(kind, 2)));
    expect(alarmsOf(reader)).toHaveLength(1);
    expect(reader.roster.length).toBe(length + 1);
  });

  test('is void as the owner’s command once its epoch has passed', async () => {
    reader = await log.reader(log.owner);
    const pending = async (epoch: number): Promise<PendingCommand> => ({
      kind: 'roster', entry: await signed(kind, epoch), rotation: null, candidate: null, inviteId: null, reply: null,
    }); // prettier-ignore
    await change(reader, set({ epoch: 2 }), extendChain(log.genesis, log.roster.head, log.roster));
    expect(await isVoid(nodeHash, reader, await pending(2))).toBe(false);
    expect(await isVoid(nodeHash, reader, await pending(1))).toBe(true);
  });
});

describe('after a trimmed range', () => {
  test('any later epoch will do, an earlier one never', async () => {
    await change(reader, set({ skipped: true }));
    await take(await served(await signed('settings', 1)));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_ROSTER]);
    const late = await signed('settings', 7);
    await take(await served(late));
    expect(reader.chain.get(reader.chain.size - 1)).toEqual(late);
    // How far the epochs are is the next rotation's to say.
    expect(reader.core.epoch).toBe(2);
    // The chain's own never fall, however much was trimmed.
    log.roster = reader.roster;
    await take(await served(await signed('settings', 6)));
    expect(reader.chain.get(reader.chain.size - 1)).toEqual(late);
    expect(alarmsOf(reader)).toHaveLength(2);
  });
});

describe('a former owner whose hand-over the store has lost', () => {
  const lose = async (before: RoomLog['position'], generation: number): Promise<void> => {
    await readGeneration(reader, await log.lose(before, generation), 9_000);
  };

  test('signs a second entry on the old head: proof against it, and nothing follows it', async () => {
    const before = log.position;
    const old = log.owner;
    const second = await signed('settings', 2);
    await take(await served(await signed('transfer', 2)));
    expect(reader.roster.owner).toBe(third.id);
    const { head } = reader.roster;
    await lose(before, 1_000);
    await take(await log.add('roster', third.id, second));
    const shown = recordsOf(reader).flatMap(({ items }) =>
      items.flatMap((item) => (item.type === 'alarm' ? [[item.code, item.member]] : [])),
    );
    expect(shown).toEqual([
      [ALARM_CODES.ALARM_RELAY_LOST, null],
      // Whoever signed it, not whom the relay names.
      [ALARM_CODES.ALARM_OWNER_EQUIVOCATED, old.id],
    ]);
    expect(reader.roster).toMatchObject({ head, owner: third.id });
  });

  test('signs a second rotation: the same', async () => {
    const before = log.position;
    await take(await log.rotate(guest.id));
    const { key } = reader.current;
    await take(await served(await signed('transfer', 3)));
    await lose(before, 1_000);
    await take(await log.rotate(guest.id));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST, ALARM_CODES.ALARM_OWNER_EQUIVOCATED]);
    expect(reader.current).toMatchObject({ epoch: 3, key });
  });

  test('what anybody else signs there in its name is an alarm, and no proof', async () => {
    const { head, roomId } = log.roster;
    const owner = log.owner.id;
    await take(await served(await signed('transfer', 2)));
    for (const { identity } of [guest, third]) {
      await take(await served(signBody(identity, 'close', { roomId, epoch: 2, head, owner })));
    }
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_ROSTER, ALARM_CODES.ALARM_BAD_ROSTER]);
  });
});
