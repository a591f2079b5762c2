/** Who a line names as having done something: its verified signer, whatever sender the relay writes beside the entry (G3, G11). */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Entry, MemberId } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { readLog, recordsOf, readEntry, type Person, type RoomLog } from './log.spec-support.js';
import type { RoomState } from '../state/state.js';
import { signerOf } from './room-keys.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

const settings = {
  rotateEvery: 7,
  maxMembers: 9,
  history: 900,
  approval: true,
  joinDeadline: 86_400_000,
};

/** What a relay may serve as signed by its owner, of every kind. */
const SIGNED: readonly (readonly [string, () => Promise<Entry>])[] = [
  ['an admission', async () => (await log.admit()).entry],
  ['other settings', () => log.change('settings', { settings })],
  ['a removal', () => log.change('remove', { member: guest.id, reason: 'removed' })],
  ['a rotation', () => log.rotate(guest.id)],
  ['the closing', () => log.change('close', {})],
  [
    'a hand-over',
    () => {
      const { roomId } = log.roster;
      const body = {
        roomId,
        epoch: log.epoch,
        old: log.owner.id,
        new: guest.id,
        nonce: nodeRandom.bytes(16),
      };
      return log.change('transfer', {
        to: guest.id,
        acceptance: signBody(guest.identity, 'transferAcceptance', body),
      });
    },
  ],
  [
    'a departure',
    async () => {
      const { roomId, members } = log.roster;
      const admit = members.get(guest.id)!.admit;
      const request = signBody(guest.identity, 'leaveRequest', { roomId, member: guest.id, admit });
      return log.change('leave', { member: guest.id, request });
    },
  ],
];

test.each(SIGNED)('of %s the actor is its owner, though the relay names a member', async (_what, make) => {
  const entry = await make();
  const owner = log.owner.id;
  const before = recordsOf(reader).length;
  const spoken = reader.sender(guest.id).lastEntry;
  await readEntry(reader, { ...entry, sender: guest.id });
  const lines = recordsOf(reader)
    .slice(before)
    .flatMap(({ items }) => items);
  expect(lines.map(({ type }) => type)).toEqual(lines.map(() => 'system'));
  expect(lines.length).toBeGreaterThan(0);
  const actors = lines.flatMap((item): readonly (MemberId | null)[] =>
    item.type === 'system' ? [item.actor] : [],
  );
  expect(actors.filter((actor) => actor !== null && actor !== owner)).toEqual([]);
  // Nor does it count as a sign of life of whom the relay names.
  expect(reader.sender(guest.id).lastEntry).toBe(spoken);
  expect(reader.sender(owner).lastEntry).toBe(entry.time);
});

test('of the genesis the actor is whose key it names', async () => {
  const entry = { kind: 'roster', sender: guest.id, clear: new Uint8Array(), payload: log.genesis } as const;
  expect(await signerOf(nodeHash, entry)).toBe(log.owner.id);
});
