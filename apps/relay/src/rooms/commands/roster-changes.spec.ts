/** What the store is given with a roster entry. */
import { beforeAll, expect, test } from '@jest/globals';
import { decodeAs, publishedPrekey, type RoomId } from '@0fc/protocol';
import { createGenesis, generateKeyPair, makePrekey, signBody } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { memberIdOf, startRoster, type Roster } from '@0fc/crypto/verify';
import type { Peer } from '../delivery/peer.js';
import type { AppendRoster } from '../port/room-store.js';
import type { RelayContext } from './context.js';
import { roster } from './roster-changes.js';

const ports = { hash: nodeHash, random: nodeRandom, clock: { now: () => 5_000 } };
const INVITE = 'CCCCCCCCCCCCCCCCCCCCCA' as never;

beforeAll(async () => {
  await loadThemis();
});

/** An admit with the joiner's first prekey, as the relay hands it to its store. */
async function admitted() {
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
  const given: AppendRoster[] = [];
  const placed = { position: { g: 1, s: 2 }, time: 5_000 };
  const context = {
    hash: nodeHash,
    limits: { maxMembers: 10 },
    rosters: { at: async () => before, keep: (next: Roster) => void kept.push(next) },
    trimmer: { due: (room: RoomId) => void due.push(room) },
    store: {
      readRoom: async () => ({ ok: true, role: 'owner', room: { roomId, head, epoch: 1, closed: false } }),
      findRoster: async () => ({ ok: true, placed: null }),
      appendRoster: async (command: AppendRoster) => {
        given.push(command);
        return { ok: true, placed };
      },
    },
  } as unknown as RelayContext;
  const peer = {
    memberId: owner,
    subscription: { roomId },
  } as unknown as Peer;
  if (roster.authorizedBy !== 'store') throw new Error('the handler authorizes its sender itself');
  const { reply } = await roster.handle(context, peer, { entry, ek });
  return { reply, placed, memberId, roomId, kept, due, given, published: { prekey, ek } };
}

test('an admission is stored with its first prekey in one write: a rotation that follows at once finds it', async () => {
  const { reply, placed, memberId, roomId, kept, due, given, published } = await admitted();
  expect(reply).toEqual({ placed });
  expect(kept.map(({ members }) => members.has(memberId))).toEqual([true]);
  expect(due).toEqual([roomId]);
  const [change] = given.map((command) => command.change);
  if (change?.kind !== 'admit' || change.firstPrekey === undefined) throw new Error('no prekey');
  expect(decodeAs(publishedPrekey, change.firstPrekey)).toEqual(published);
});
