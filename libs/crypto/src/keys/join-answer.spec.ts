/** docs/protocol.md section 5, step 6; G2: a reply is its owner's word to one joiner, whoever else holds the join key. */
import { describe, expect, it } from '@jest/globals';
import {
  ctx,
  encodeAs,
  equalBytes,
  joinReplyBody,
  LIMITS,
  pad,
  signedJoinReply,
  type Body,
  type Bytes,
  type JoinReplyBody,
} from '@0fc/protocol';
import {
  asInviteToken,
  asJoinKey,
  asPrivateKey,
  asRoomKey,
  makeJoinReply,
  openJoinReply,
  signBody,
} from './index.js';
import type { Hash } from '../ports.js';
import { sealCell } from '../cell.js';
import { codeOf, hash, makeWorld, newMemberId, newRoomId, random } from '../world.spec-support.js';

const world = await makeWorld();
const { roomId, roster, owner, bob, room } = world;
const ownerKey = owner.identity.publicKey;
const [joinKey, token] = [asJoinKey(random.bytes(32)), asInviteToken(random.bytes(32))];
const request = random.bytes(700);
const joiner = newMemberId();
const place = { joinKey, token, roomId, joiner, request };
const reply: JoinReplyBody = {
  epoch: 1,
  key: room.roomKey,
  head: roster.head,
  rotation: null,
  floor: { g: 1, s: 0 },
  t: random.bytes(32),
  counters: [],
  profiles: [],
  roomName: null,
};
const encoded = encodeAs(joinReplyBody, reply);
const word: Body<'joinReply'> = {
  roomId,
  epoch: 1,
  joiner,
  request: await hash.sha256(request),
  reply: await hash.sha256(encoded),
};

/** As one who holds join key and token could put it together. */
async function sealed(signed: Bytes, said = encoded): Promise<Bytes> {
  const context = ctx('join-reply', roomId, 1, token, await hash.sha256(request));
  return sealCell(joinKey, pad(encodeAs(signedJoinReply, [signed, said])), context);
}
const open = (payload: Bytes): Promise<JoinReplyBody> =>
  openJoinReply(hash, { ...place, ownerKey, epoch: 1, payload });

describe('a join reply', () => {
  it('put together by hand opens when its owner has signed it', async () => {
    expect(await open(await sealed(signBody(owner.identity, 'joinReply', word)))).toEqual(reply);
  });

  it('of a member, with the true room key under the true join key, is refused', async () => {
    const payload = await makeJoinReply(hash, { ...place, owner: bob.identity, reply });
    expect(await codeOf(() => open(payload))).toBe('INVITE_REPLY_INVALID');
  });

  // What the owner has signed for somebody else, or for another request of the same joiner.
  it.each<[string, Partial<Body<'joinReply'>>]>([
    ['another room', { roomId: newRoomId() }],
    ['another epoch', { epoch: 2 }],
    ['another joiner', { joiner: newMemberId() }],
    ['another request', { request: random.bytes(32) }],
    ['another reply', { reply: random.bytes(32) }],
  ])('signed for %s is refused', async (_name, over) => {
    const payload = await sealed(signBody(owner.identity, 'joinReply', { ...word, ...over }));
    expect(await codeOf(() => open(payload))).toBe('INVITE_REPLY_INVALID');
  });

  it('with any other body beside the signature is refused', async () => {
    const signed = signBody(owner.identity, 'joinReply', word);
    const others = [
      encodeAs(joinReplyBody, { ...reply, key: asRoomKey(random.bytes(32)) }),
      encodeAs(joinReplyBody, { ...reply, t: random.bytes(32) }),
      encodeAs(joinReplyBody, { ...reply, floor: { g: 1, s: 1 } }),
    ];
    for (const other of others)
      expect(await codeOf(async () => open(await sealed(signed, other)))).toBe('INVITE_REPLY_INVALID');
  });

  it('beside another kind of body of the owner’s is refused', async () => {
    const close = signBody(owner.identity, 'close', { roomId, epoch: 1, head: roster.head, owner: owner.id });
    expect(await codeOf(async () => open(await sealed(close)))).toBe('INVITE_REPLY_INVALID');
  });

  it('leaves none of its bytes behind, whether it is made and opened or not', async () => {
    const seen: Bytes[] = [];
    const noting: Hash = {
      sha256: (data) => {
        // What the owner signs for is the body that holds the room key.
        if (equalBytes(data, encoded)) seen.push(data);
        return hash.sha256(data);
      },
    };
    const payload = await makeJoinReply(noting, { ...place, owner: owner.identity, reply });
    await openJoinReply(noting, { ...place, ownerKey, epoch: 1, payload });
    const unusable = { ...owner.identity, privateKey: asPrivateKey(new Uint8Array(45)) };
    expect(await codeOf(() => makeJoinReply(noting, { ...place, owner: unusable, reply }))).toBe('BAD_KEY');
    const elsewhere = await sealed(signBody(owner.identity, 'joinReply', { ...word, joiner: newMemberId() }));
    const opened = openJoinReply(noting, { ...place, ownerKey, epoch: 1, payload: elsewhere });
    expect(await codeOf(() => opened)).toBe('INVITE_REPLY_INVALID');
    expect(seen).toEqual(Array.from({ length: 4 }, () => new Uint8Array(encoded.length)));
  });

  it('to the largest room, each member with the longest name and a counter, is within the limit', async () => {
    const members = Array.from({ length: LIMITS.maxMembers }, () => newMemberId());
    const full: JoinReplyBody = {
      ...reply,
      counters: members.map((sender) => ({ sender, instance: random.bytes(16), n: 2 ** 40 })),
      profiles: members.map((sender) =>
        signBody(bob.identity, 'message', {
          roomId,
          epoch: 2 ** 32,
          sender,
          instance: random.bytes(16),
          n: 2 ** 40,
          mid: random.bytes(16),
          seen: { position: { g: Date.now(), s: 2 ** 40 }, t: random.bytes(32) },
          sentAt: Date.now(),
          content: { type: 'profile', name: '🦊'.repeat(32) },
        }),
      ),
    };
    const payload = await makeJoinReply(hash, { ...place, owner: owner.identity, reply: full });
    expect(payload.length).toBeLessThanOrEqual(LIMITS.joinReplyBytes);
    expect((await open(payload)).profiles).toHaveLength(LIMITS.maxMembers);
  });
});
