/** Thousands of claims over many links, by keys that prove nothing: bounded time, bounded records, and the next joiner gets in. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { InviteId, RoomId } from '@0fc/protocol';
import { parseInvite } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { Peer, Refused } from '../../integration/relay-peer.js';
import { openHurried } from '../../support/platform.js';
import { vaultSize } from '../../support/vault-size.js';
import { codeOf, Stage } from '../stage.js';

const LINKS = 40;
/** `CLAIM_KEYS=…` for more of them: each claims every link. */
const KEYS = Number(process.env.CLAIM_KEYS ?? 60);
/** The first of them ask as well, with nonsense, wherever they were the first: each costs the owner an answer. */
const ASKING = 6;
/** What a link that nobody comes in by may leave with its owner: a line with a count, and its own record. */
const LINES_A_LINK = 2;
const RECORDS_A_LINK = 4;
const BYTES_A_LINK = 8_192;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

async function endOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'done';
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

/** Claims all links, and may ask with nonsense wherever it was the first; how often it was. */
async function claims(roomId: RoomId, invites: readonly InviteId[], asking: boolean): Promise<number> {
  const peer = await Peer.connect(stage.relay);
  const bodies = invites.map((inviteId) => ({ kind: 'claim', body: { roomId, inviteId } }));
  const ends = await Promise.all(peer.raw(...bodies).map(endOf));
  for (const end of ends)
    expect(end).toMatch(/^(done|INVITE_TAKEN|INVITE_USED|INVITE_REVOKED|INVITE_UNKNOWN|ALREADY_BOUND)$/);
  const won = invites.filter((_, at) => ends[at] === 'done');
  const asks = won.map((inviteId) => ({
    kind: 'joinRequest',
    body: { inviteId, request: nodeRandom.bytes(400) },
  }));
  // The owner may have heard of another one meanwhile, and the claim be gone.
  if (asking && asks.length > 0) await Promise.all(peer.raw(...asks).map(endOf));
  peer.leave();
  return won.length;
}

describe('thousands of claims', () => {
  test('G14 G16 thousands of claims over many links cost their owner little, and the next joiner gets in', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const links = [];
    for (let left = LINKS; left > 0; left--) links.push(await owner.invite(roomId));
    const invites = links.map(({ inviteId }) => inviteId as InviteId);
    const room = (await parseInvite(nodeHash, links[0]!.link)).roomId;
    const before = { size: vaultSize(owner), items: owner.items.length };
    let won = 0;
    for (let key = 0; key < KEYS; key++) {
      won += await claims(room, invites, key < ASKING);
      // Between two keys the owner goes on as ever.
      if (key % 20 === 0) await stage.goesOn(roomId, [owner, tomas], `beside key ${String(key)},`);
    }
    expect(won).toBeGreaterThanOrEqual(LINKS);
    await stage.goesOn(roomId, [owner, tomas], 'after it all,');
    const after = vaultSize(owner);
    const lines = owner.items.filter(({ type }) => type !== 'message').length;
    expect(lines - before.items).toBeLessThanOrEqual(LINKS * LINES_A_LINK);
    const talk = 4 * owner.messages.length;
    expect(after.records - before.size.records).toBeLessThanOrEqual(LINKS * RECORDS_A_LINK + talk);
    expect(after.bytes - before.size.bytes).toBeLessThanOrEqual(LINKS * BYTES_A_LINK + talk * 1_024);
    expect(stage.relay.requests('joinReply').filter(({ body }) => invites.includes(body.inviteId))).toEqual(
      [],
    );

    // Some have ended by what did not prove them.
    for (const inviteId of invites)
      expect(['done', 'INVITE_UNKNOWN']).toContain(codeOf(await owner.api.revokeInvite(roomId, inviteId)));
    const dora = await stage.joined(owner, roomId, 'Dora');
    await stage.goesOn(roomId, [owner, tomas, dora], 'among three,');
  });
});
