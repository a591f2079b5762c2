/** docs/protocol.md section 5, step 5; G2, W1: a request proves the token, and says what the claim says. */
import { describe, expect, it } from '@jest/globals';
import { concat, ctx, pad, type Body, type Bytes } from '@0fc/protocol';
import {
  asInviteToken, asJoinKey, createInvite, generateKeyPair, makePrekey, openJoinRequest, signBody,
} from './index.js'; // prettier-ignore
import { sealCell } from './cell.js';
import { encryptTo } from './envelope.js';
import { codeOf, makeWorld, newInviteId, newRoomId, person, ports, random } from '../world.spec-support.js';

const world = await makeWorld();
const { roomId, owner, bob } = world;
const ownerKey = owner.identity.publicKey;
const relayKeyHash = random.bytes(32);
const invite = await createInvite(ports, { roomId, ownerKey, relayKeyHash, expires: 1 });
const { inviteId, token } = invite;
const dora = await person(roomId);
const joinerKey = dora.identity.publicKey;

const body: Body<'joinRequest'> = {
  roomId,
  inviteId,
  ownerKey,
  joinerKey,
  joinKey: asJoinKey(random.bytes(32)),
  prekey: dora.prekeyContainer,
  name: 'Dora',
};

/** A request as a holder of the token could put it together, around any container. */
function around(container: Bytes): Bytes {
  const sealed = sealCell(token, pad(container), ctx('join-request', roomId, inviteId, joinerKey));
  const throwAway = generateKeyPair();
  return concat(throwAway.publicKey, encryptTo(throwAway.privateKey, invite.keyPair.publicKey, sealed));
}

const open = (payload: Bytes): Promise<unknown> =>
  openJoinRequest(ports, {
    roomId,
    inviteId,
    ownerKey,
    token,
    inviteKeyPair: invite.keyPair,
    joinerKey,
    payload,
  });
const signed = (over: Partial<Body<'joinRequest'>>, by = dora.identity): Bytes =>
  around(signBody(by, 'joinRequest', { ...body, ...over }));

describe('a join request', () => {
  it('put together by hand opens when everything in it is right', async () => {
    expect(await open(signed({}))).toEqual({
      joinKey: body.joinKey,
      prekeyContainer: body.prekey,
      name: 'Dora',
    });
  });

  it.each<[string, Partial<Body<'joinRequest'>>]>([
    ['another room', { roomId: newRoomId() }],
    ['another invite', { inviteId: newInviteId() }],
    ['another owner', { ownerKey: bob.identity.publicKey }],
    ['another joiner', { joinerKey: bob.identity.publicKey }],
    ['a prekey of somebody else', { prekey: bob.prekeyContainer }],
    ['a prekey for another room', { prekey: makePrekey(dora.identity, newRoomId(), dora.id, 1).container }],
    ['a prekey in another name', { prekey: makePrekey(dora.identity, roomId, bob.id, 1).container }],
    ['a prekey that is not the first', { prekey: makePrekey(dora.identity, roomId, dora.id, 2).container }],
    ['a prekey that is no container', { prekey: random.bytes(150) }],
  ])('signed for %s is refused', async (_name, over) => {
    expect(await codeOf(() => open(signed(over)))).toBe('INVITE_BAD_PROOF');
  });

  it('signed by another key than the one that claimed is refused', async () => {
    expect(await codeOf(() => open(signed({}, bob.identity)))).toBe('INVITE_BAD_PROOF');
  });

  it('that is another kind of body is refused', async () => {
    const close = signBody(dora.identity, 'close', {
      roomId,
      epoch: 1,
      head: random.bytes(32),
      owner: dora.id,
    });
    expect(await codeOf(() => open(around(close)))).toBe('INVITE_BAD_PROOF');
    expect(await codeOf(() => open(around(dora.prekeyContainer)))).toBe('INVITE_BAD_PROOF');
  });

  it('W1: without the token there is no way in, whatever is known beside it', async () => {
    const container = signBody(dora.identity, 'joinRequest', body);
    for (const guess of [random.bytes(32), new Uint8Array(32)].map(asInviteToken)) {
      const sealed = sealCell(guess, pad(container), ctx('join-request', roomId, inviteId, joinerKey));
      const throwAway = generateKeyPair();
      const payload = concat(
        throwAway.publicKey,
        encryptTo(throwAway.privateKey, invite.keyPair.publicKey, sealed),
      );
      expect(await codeOf(() => open(payload))).toBe('INVITE_BAD_PROOF');
    }
    expect(await codeOf(() => open(container))).toBe('INVITE_BAD_PROOF');
    expect(await codeOf(() => open(new Uint8Array()))).toBe('INVITE_BAD_PROOF');
  });
});
