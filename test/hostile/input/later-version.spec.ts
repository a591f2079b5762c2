/** What a later version wrote (docs/protocol.md section 2): read, believed where it is known, and never sealed behind. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  ctx,
  decodeCbor,
  encodeCbor,
  encodeMessageClear,
  LIMITS,
  pad,
  type CborValue,
  type Entry,
} from '@0fc/protocol';
import { makeRotation } from '@0fc/crypto/keys';
import { applyRoster, containerBody, encodeRoster } from '@0fc/crypto/verify';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { signAnything } from '../../../libs/crypto/src/keys/unchecked.spec-support.js';
import { sealCell } from '../../../libs/crypto/src/cell.js';
import { maySeal } from '../../../libs/client/src/room/log/room-keys.js';
import {
  alarmsOf, change, crypto, eventsOf, messagesOf, newVault, readEntry, readLog, textsOf, type Person, type RoomLog,
} from '../../../libs/client/src/room/log/log.spec-support.js'; // prettier-ignore
import { set } from '../../../libs/client/src/room/state/draft.js';
import { RoomState } from '../../../libs/client/src/room/state/state.js';
import { knownContent } from '../../../libs/client/src/vault/content.js';
import { ROSTER_SLICE, sliceKey, STORES } from '../../../libs/client/src/vault/records.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

/** A roster entry of the owner's with any fields. */
async function entry(kind: string, fields: Record<string, CborValue>): Promise<Entry> {
  const { roomId, head } = log.roster;
  const body = encodeCbor([
    `0fc/2/${kind}`,
    { roomId, epoch: log.epoch, head, owner: log.owner.id, ...fields },
  ]);
  const container = signAnything(log.owner.identity, body);
  ({ roster: log.roster } = await applyRoster(nodeHash, log.roster, container));
  return log.add('roster', log.owner.id, container);
}

/** The fields of a container, and some more. */
function more(container: Uint8Array, fields: Record<string, CborValue>): Uint8Array {
  const [tag, known] = decodeCbor(containerBody(container)) as [string, Record<string, CborValue>];
  return encodeCbor([tag, { ...known, ...fields }]);
}

const settings = { rotateEvery: 9, maxMembers: 9, history: 9, approval: true, joinDeadline: 60_000 };

test.each([
  ['an entry', 'settings', { settings, later: 1 }],
  ['settings', 'settings', { settings: { ...settings, lifetime: 1 } }],
  ['an upgrade', 'upgrade', { version: 3 }],
] as const)('%s of a later version is read, and nothing is sealed behind it', async (_, kind, fields) => {
  expect(maySeal(reader)).toBe(true);
  await readEntry(reader, await entry(kind, fields));
  await readEntry(reader, await log.say(log.owner, 'and on'));
  expect(textsOf(reader)).toEqual(['and on']);
  expect(alarmsOf(reader)).toEqual([]);
  expect(eventsOf(reader).at(-1)).toBe(kind === 'upgrade' ? 'upgraded' : 'settings');
  expect(maySeal(reader)).toBe(false);
});

test('a field that is for whoever knows it changes nothing', async () => {
  await readEntry(
    reader,
    await entry('settings', { settings: { ...settings, 'x-colour': 'blue' }, 'x-own': 1 }),
  );
  expect(reader.roster.settings).toEqual(settings);
  expect(maySeal(reader)).toBe(true);
});

test('a rotation with a field that is not known gives its key, and nothing is sealed before the next one', async () => {
  const rotate = async (fields: Record<string, CborValue>): Promise<void> => {
    const made = await makeRotation(crypto, {
      identity: log.owner.identity, roster: log.roster, epoch: log.epoch, roomKey: log.key, base: log.base,
      prekeys: log.prekeys(), least: new Map(),
    }); // prettier-ignore
    const { payload, wraps } = made.command;
    const clear = signAnything(log.owner.identity, more(made.command.clear, fields));
    log.epoch = made.newEpoch;
    log.key = made.newKey;
    await readEntry(reader, await log.add('rotation', log.owner.id, payload, clear, wraps[guest.id], true));
  };
  await rotate({ later: 1 });
  expect(reader.current.key).toEqual(log.key);
  expect(maySeal(reader)).toBe(false);
  await rotate({ 'x-own': 1 });
  expect(maySeal(reader)).toBe(true);
  expect(alarmsOf(reader)).toEqual([]);
});

/** Levels of lists, one in the other. */
const nested = (levels: number): CborValue => (levels === 0 ? 1 : [nested(levels - 1)]);

test.each([
  ['a text', { type: 'text', text: 'for an hour' }],
  ['one with fields of the names that are used here', { type: 'hologram', of: 'x', fields: 3, content: [1] }],
  ['one as deep as any may be', { type: 'hologram', deep: nested(LIMITS.contentDepth - 1) }],
])(
  'a message with a field that is not known, %s, is kept whole, and shown as what takes a newer client',
  async (_, content) => {
    const body = log.body(log.owner, content);
    const { roomId, epoch, sender } = body;
    const bytes = encodeCbor([
      '0fc/2/message',
      { ...body, expires: 3_600, 'x-own': 1 } as unknown as CborValue,
    ]);
    const container = signAnything(log.owner.identity, bytes);
    const payload = sealCell(log.key, pad(container), ctx('message', roomId, epoch, sender));
    await readEntry(reader, await log.add('message', sender, payload, encodeMessageClear(epoch)));
    const [message] = messagesOf(reader);
    expect(knownContent(message?.content)).toBeNull();
    expect(message?.content).toEqual({
      type: 'newer',
      content: encodeCbor(content),
      fields: encodeCbor({ expires: 3_600 }),
    });
    expect(alarmsOf(reader)).toEqual([]);
    // Its counter counts, and others are sealed as before.
    await readEntry(reader, await log.say(log.owner, 'plain'));
    expect(alarmsOf(reader)).toEqual([]);
    expect(maySeal(reader)).toBe(true);
  },
);

test('what an earlier version of this client did not know is read again by one that does, and stays where it does not', async () => {
  const vault = await newVault();
  const again = async (): Promise<RoomState> => (await RoomState.load(vault, log.roster.roomId, nodeHash))!;
  ({ log, guest, reader } = await readLog(vault));
  await readEntry(reader, await entry('settings', { settings }));
  const { roomId } = log.roster;
  const stored = encodeRoster({ ...log.roster, newer: true });
  await vault.write([{ store: STORES.slices, key: sliceKey(roomId, ROSTER_SLICE), value: stored }]);
  reader = await again();
  expect(reader.roster).toEqual(log.roster);
  expect(maySeal(reader)).toBe(true);
  await readEntry(reader, await log.rotate(guest.id));
  await change(reader, set({ keys: reader.core.keys.map((key) => ({ ...key, newer: true as const })) }));
  expect(maySeal(reader)).toBe(true);
  await readEntry(reader, await entry('settings', { settings, later: 1 }));
  expect(maySeal(reader)).toBe(false);
  expect(maySeal(await again())).toBe(false);
});
