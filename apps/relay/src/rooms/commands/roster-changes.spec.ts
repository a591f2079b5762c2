/** What becomes of a roster entry that stands, whatever the store makes of what comes with it. */
import { beforeAll, expect, test } from '@jest/globals';
import type { MemberId, RoomId } from '@0fc/protocol';
import { createGenesis, generateKeyPair, makePrekey, signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { memberIdOf, startRoster, type Roster } from '@0fc/crypto/verify';
import type { Peer } from '../delivery/peer.js';
import { StoreError } from '../port/result.js';
import type { RelayContext } from './context.js';
import { roster } from './roster-changes.js';

const ports = { hash: nodeHash, random: nodeRandom, clock: { now: () => 5_000 } };
const INVITE = 'CCCCCCCCCCCCCCCCCCCCCA' as never;

beforeAll(async () => {
  await loadThemis();
});

/** An admit with the joiner's first prekey, to a relay whose store takes the one and refuses the other. */
async function admitted(refusal: StoreError) {
  const settings = {
    rotateEvery: 100,
    maxMembers: 10,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const { identity, container } = await createGenesis(ports, { settings });
  const before = await startRoster(nodeHash, container);
  const { roomId, owner, head } = before;
  const joiner = generateKeyPair();
  const memberId = await memberIdOf(nodeHash, joiner.publicKey);
  const { prekey, ek } = await makePrekey(ports, { identity: joiner, roomId, memberId, k: 1 });
  const entry = signBody(identity, 'admit', {
    roomId, head, owner, key: joiner.publicKey, prekey, epoch: 1, inviteId: INVITE,
  }); // prettier-ignore
  const kept: Roster[] = [];
  const due: RoomId[] = [];
  const faults: unknown[] = [];
  const placed = { position: { g: 1, s: 2 }, time: 5_000 };
  const context = {
    hash: nodeHash,
    limits: { maxMembers: 10 },
    rosters: { at: async () => before, keep: (next: Roster) => void kept.push(next) },
    trimmer: { due: (room: RoomId) => void due.push(room) },
    store: {
      readRoom: async () => ({ ok: true, role: 'owner', room: { roomId, head, epoch: 1, closed: false } }),
      findRoster: async () => ({ ok: true, placed: null }),
      appendRoster: async () => ({ ok: true, placed }),
      putPrekey: () => Promise.reject(refusal),
    },
  } as unknown as RelayContext;
  const peer = {
    memberId: owner,
    subscription: { roomId },
    failed: (error: unknown) => void faults.push(error),
  } as unknown as Peer;
  if (roster.authorizedBy !== 'store') throw new Error('the handler authorizes its sender itself');
  const { reply } = await roster.handle(context, peer, { entry, ek });
  return { reply, placed, memberId: memberId satisfies MemberId, roomId, kept, due, faults };
}

test.each(['STORE_FULL', 'TRY_AGAIN'] as const)(
  'an admit that stands is answered so and remembered, although the store has no place for the prekey: %s',
  async (code) => {
    const refusal = new StoreError(code);
    const { reply, placed, memberId, roomId, kept, due, faults } = await admitted(refusal);
    expect(reply).toEqual({ placed });
    expect(kept.map(({ members }) => members.has(memberId))).toEqual([true]);
    expect(due).toEqual([roomId]);
    expect(faults).toEqual([refusal]);
  },
);
