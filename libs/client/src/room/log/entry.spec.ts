/** What a client makes of a log, honest or not (docs/protocol.md sections 4, 6, 7). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, decodeBody, type Entry } from '@0fc/protocol';
import {
  asInviteToken,
  asJoinKey,
  generateHybridKeyPair,
  generateKeyPair,
  makeRotation,
} from '@0fc/crypto/keys';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import { containerBody, transcriptHash } from '@0fc/crypto/verify';
import {
  alarmsOf,
  change,
  crypto,
  type RoomLog,
  readLog,
  readEntry,
  readGap,
  readGeneration,
  textsOf,
  type Person,
} from './log.spec-support.js';
import { putInvite, set } from '../state/draft.js';
import type { OwnerInvite } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

const take = (...entries: readonly Entry[]) =>
  entries.reduce<Promise<unknown>>(
    (before, entry) => before.then(() => readEntry(reader, entry)),
    Promise.resolve(),
  );

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

describe('an honest log', () => {
  test('is shown in order, without an alarm, over rotations', async () => {
    await take(
      await log.say(log.owner, 'one'),
      await log.say(guest, 'two'),
      await log.rotate(guest.id),
      await log.say(log.owner, 'three'),
      await log.rotate(guest.id),
      await log.say(guest, 'four'),
    );
    expect(textsOf(reader)).toEqual(['one', 'two', 'three', 'four']);
    expect(alarmsOf(reader)).toEqual([]);
    expect(reader.core.epoch).toBe(3);
    expect(reader.core.t).toEqual(log.t);
  });

  test('G8: a key is gone two rotations after its epoch', async () => {
    await take(await log.rotate(guest.id), await log.rotate(guest.id));
    expect(reader.core.keys.map((key) => key.epoch)).toEqual([2, 3]);
  });

  test('G8: a key that a join was answered under stays until its admission, and no longer', async () => {
    const payload = nodeRandom.bytes(64);
    const { publicKey: key } = generateKeyPair();
    const kept: Omit<OwnerInvite, 'inviteId'> = {
      made: 0, expires: 0, pair: null, token: asInviteToken(nodeRandom.bytes(32)), stage: 'confirmed', approved: true,
      replies: [{ epoch: 1, payload }], repliedAt: 0, dropReason: null,
      joiner: { key, name: 'Noé', joinKey: asJoinKey(nodeRandom.bytes(32)), prekey: payload, ek: nodeRandom.bytes(1_184),
        request: payload },
    }; // prettier-ignore
    const rotations = [await log.rotate(guest.id), await log.rotate(guest.id)];
    const { entry } = await log.admit();
    const { inviteId } = decodeBody(containerBody(entry.payload), 'admit').body;
    await change(reader, putInvite({ ...kept, inviteId }));
    await take(...rotations);
    expect(reader.core.keys.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    await take(entry);
    expect(reader.core.keys.map(({ epoch }) => epoch)).toEqual([2, 3]);
    expect(reader.invites.size).toBe(0);
  });

  test('an entry that was taken in before changes nothing', async () => {
    const entry = await log.say(log.owner, 'once');
    await take(entry, entry);
    expect(textsOf(reader)).toEqual(['once']);
    expect(alarmsOf(reader)).toEqual([]);
  });
});

describe('G3: the sender', () => {
  test('is whoever signed, not whom the relay names', async () => {
    const sealed = log.seal(guest, log.body(guest, { type: 'text', text: 'as the owner' }));
    await take(await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    expect(textsOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toHaveLength(1);
  });

  test('cannot be claimed inside the seal either', async () => {
    const body = log.body(guest, { type: 'text', text: 'as the owner' }, { sender: log.owner.id });
    const sealed = log.seal(guest, body);
    await take(await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    expect(textsOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_SIGNATURE]);
  });

  test('must be on the roster', async () => {
    const identity = generateKeyPair();
    const stranger = { ...guest, identity, id: 'BBBBBBBBBBBBBBBBBBBBBA' as Person['id'], n: 0 };
    await take(await log.say(stranger, 'let me in'));
    expect(textsOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_SIGNATURE]);
  });
});

describe('G4 and W2: kinds', () => {
  test('a chat line relabelled as a rotation is no key', async () => {
    const sealed = log.seal(log.owner, log.body(log.owner, { type: 'text', text: 'hello' }));
    await take(await log.add('rotation', log.owner.id, sealed.payload, sealed.clear));
    expect(reader.core.epoch).toBe(1);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
  });

  test('a rotation relabelled as a chat line shows nothing', async () => {
    const rotation = await log.rotate(guest.id);
    await take({ ...rotation, kind: 'message', clear: log.clear(1) });
    expect(textsOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_UNREADABLE]);
  });
});

describe('G5: replay', () => {
  test('of a message in a later place is dropped', async () => {
    const first = await log.say(log.owner, 'once');
    const again = await log.add('message', first.sender, first.payload, first.clear);
    await take(first, again);
    expect(textsOf(reader)).toEqual(['once']);
  });

  test('of a counter for other content is an alarm', async () => {
    await take(await log.say(log.owner, 'first', { n: 1 }), await log.say(log.owner, 'second', { n: 1 }));
    expect(textsOf(reader)).toEqual(['first']);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_DUPLICATE_N]);
  });

  test('of an older instance is an alarm', async () => {
    const older = log.owner.instance;
    await take(
      await log.say(log.owner, 'a', { n: 1 }),
      await log.say(log.owner, 'b', { n: 1, instance: nodeRandom.bytes(16) }),
      await log.say(log.owner, 'c', { n: 2, instance: older }),
    );
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_OLD_INSTANCE]);
  });
});

describe('G6: loss', () => {
  test('of an entry is a gap, and then an alarm in its place', async () => {
    await log.say(log.owner, 'withheld');
    const after = await log.say(log.owner, 'after');
    expect(await readEntry(reader, after)).toBe('gap');
    await readGap(reader, after);
    await take(after);
    expect(textsOf(reader)).toEqual(['after']);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_GAP, ALARM_CODES.ALARM_MESSAGE_GAP]);
  });

  test('told first and then taken back is a fork, shown once', async () => {
    const withheld = [await log.say(log.owner, 'withheld'), await log.say(log.owner, 'this too')];
    const after = await log.say(log.owner, 'after');
    await readGap(reader, after);
    await take(after);
    for (const entry of withheld) expect(await readEntry(reader, entry)).toBe('known');
    expect(textsOf(reader)).toEqual(['after']);
    expect(alarmsOf(reader)).toEqual([
      ALARM_CODES.ALARM_GAP, ALARM_CODES.ALARM_MESSAGE_GAP, ALARM_CODES.ALARM_FORK,
    ]); // prettier-ignore
  });

  test('of a sender’s message with the positions closed up is shown', async () => {
    await take(await log.say(log.owner, 'first'));
    log.owner.n += 1;
    await take(await log.say(log.owner, 'third'));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_MESSAGE_GAP]);
  });

  test('of the store’s tail is shown, and nothing but the position goes back', async () => {
    await take(
      await log.say(log.owner, 'kept'),
      await log.rotate(guest.id),
      await log.say(log.owner, 'lost'),
    );
    await readGeneration(reader, { generation: 1_700_000_000_000, from: { g: 1, s: 2 } }, 9_000);
    expect(reader.core.position).toEqual({ g: 1_700_000_000_000, s: 2 });
    expect(reader.core.epoch).toBe(2);
    expect(textsOf(reader)).toEqual(['kept', 'lost']);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
  });
});

describe('G7: a fork', () => {
  test('shows at the first message from the other side, once per sender', async () => {
    await take(await log.say(log.owner, 'common'));
    const forged = nodeRandom.bytes(32);
    await take(await log.say(log.owner, 'a', { seen: { position: log.position, t: forged } }));
    await take(await log.say(log.owner, 'b', { seen: { position: log.position, t: forged } }));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FORK]);
    expect(textsOf(reader)).toEqual(['common', 'a', 'b']);
  });

  test('two entries under one position are an alarm', async () => {
    const entry = await log.say(log.owner, 'one');
    await take(entry, {
      ...entry,
      payload: Uint8Array.from(entry.payload, (byte, at) => (at === 50 ? byte ^ 1 : byte)),
    });
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FORK]);
  });

  test('a sender that has seen less than before is shown', async () => {
    const early = { position: log.position, t: transcriptHash(log.t) };
    await take(
      await log.say(log.owner, 'a'),
      await log.say(log.owner, 'b'),
      await log.say(log.owner, 'c', { seen: early }),
    );
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_SEEN_REGRESSED]);
  });
});

describe('G11: authority', () => {
  test('a rotation that a member signs is foreign', async () => {
    const made = await makeRotation(crypto, {
      identity: guest.identity,
      roster: { ...log.roster, owner: guest.id },
      epoch: 1,
      roomKey: log.key,
      prekeys: log.prekeys(),
      base: null,
      least: new Map(),
    });
    const entry = await log.add('rotation', log.owner.id, made.command.payload, made.command.clear);
    await take(entry);
    expect(reader.core.epoch).toBe(1);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
  });

  test('an entry that does not stand on the head is shown and not applied', async () => {
    const { entry } = await log.admit();
    const skipped = await log.admit();
    await change(reader, set({ position: entry.position }));
    await take(skipped.entry);
    expect(reader.roster.members.size).toBe(2);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_BAD_ROSTER]);
  });

  test('a member’s message is no name for the room', async () => {
    const sealed = log.seal(guest, log.body(guest, { type: 'roomName', name: 'Mine' }));
    await take(await log.add('message', guest.id, sealed.payload, sealed.clear));
    expect(reader.core.roomName).toBeNull();
  });
});

describe('a key that does not come', () => {
  test('without a wrap: shown, and the room goes on', async () => {
    const rotation = await log.rotate(guest.id);
    const { wrap, ...bare } = rotation;
    expect(wrap).toBeDefined();
    await take(bare);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_NO_KEY]);
    expect(reader.current.key).toBeNull();
  });

  test('G9: the old key alone opens nothing', async () => {
    await change(reader, set({ prekeys: [{ k: 1, pair: generateHybridKeyPair(nodeRandom) }] }));
    await take(await log.rotate(guest.id));
    expect(reader.current.key).toBeNull();
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_NO_KEY]);
  });
});
