/** docs/protocol.md section 5, step 5; G2, W1: a request proves the token, and says what the claim says. */
import { describe, expect, it, jest } from '@jest/globals';
import { SecureCellSeal, SecureMessageSign } from 'wasm-themis';
import { concat, ctx, pad, type Body, type Bytes, type InviteLink } from '@0fc/protocol';
import {
  asInviteToken, asJoinKey, createInvite, generateKeyPair, hybridPublicKey, makeJoinRequest, makePrekey,
  openJoinRequest, signBody,
} from './index.js'; // prettier-ignore
import { sealCell } from '../cell.js';
import { encryptTo } from './envelope.js';
import {
  codeOf,
  hash,
  makeWorld,
  newInviteId,
  newRoomId,
  person,
  ports,
  random,
} from '../world.spec-support.js';

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
  inviteKey: invite.keyPair.publicKey,
  joinerKey,
  joinKey: asJoinKey(random.bytes(32)),
  prekey: dora.prekeyContainer,
  ek: hybridPublicKey(dora.prekey).ek,
  name: 'Dora',
};

type Over = Partial<Body<'joinRequest'>>;
type Prekey = Pick<Body<'joinRequest'>, 'prekey' | 'ek'>;
async function prekeyOf(over: Partial<Parameters<typeof makePrekey>[1]>): Promise<Prekey> {
  const place = { identity: dora.identity, roomId, memberId: dora.id, k: 1, ...over };
  const { prekey, ek } = await makePrekey(ports, place);
  return { prekey, ek };
}

const zeros = new Uint8Array(1_184);
/** Signed for whatever key. */
async function prekeyFor(ek: Bytes): Promise<Bytes> {
  const { key } = hybridPublicKey(dora.prekey);
  const fields = { roomId, memberId: dora.id, k: 1, key, ekHash: await hash.sha256(ek) };
  return signBody(dora.identity, 'prekey', fields);
}

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
      prekey: body.prekey,
      ek: body.ek,
      name: 'Dora',
    });
  });

  // The token is proved, and whoever claims has signed this: a link that its owner has not made was sent to it.
  it.each<[string, Partial<Body<'joinRequest'>>]>([
    ['another room', { roomId: newRoomId() }],
    ['another invite', { inviteId: newInviteId() }],
    ['another owner', { ownerKey: bob.identity.publicKey }],
    ['another invite key', { inviteKey: generateKeyPair().publicKey }],
  ])('signed for %s is of an altered link', async (_name, over) => {
    expect(await codeOf(() => open(signed(over)))).toBe('INVITE_ALTERED');
    // Nobody but who claims, with the token, can say so of a link.
    expect(await codeOf(() => open(signed(over, bob.identity)))).toBe('INVITE_BAD_PROOF');
  });

  it.each<[string, () => Over | Promise<Over>]>([
    ['another joiner', () => ({ joinerKey: bob.identity.publicKey })],
    ['a prekey of somebody else', () => ({ prekey: bob.prekeyContainer })],
    ['a prekey for another room', () => prekeyOf({ roomId: newRoomId() })],
    ['a prekey in another name', () => prekeyOf({ memberId: bob.id })],
    ['a prekey that is not the first', () => prekeyOf({ k: 2 })],
    ['a prekey that is no container', () => ({ prekey: random.bytes(150) })],
    ['another encapsulation key than its prekey’s', () => ({ ek: hybridPublicKey(bob.prekey).ek })],
    ['an encapsulation key of zeros', async () => ({ ek: zeros, prekey: await prekeyFor(zeros) })],
  ])('signed for %s is refused', async (_name, over) => {
    const fields = await over();
    expect(await codeOf(() => open(signed(fields)))).toBe('INVITE_BAD_PROOF');
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

  it('leaves nothing behind that it was sealed from or opened to', async () => {
    const seen: Bytes[] = [];
    const see = (bytes: Bytes): Bytes => {
      seen.push(bytes);
      return bytes;
    };
    const { encrypt, decrypt } = SecureCellSeal.prototype;
    const { sign } = SecureMessageSign.prototype;
    const spies = [
      jest.spyOn(SecureCellSeal.prototype, 'encrypt').mockImplementation(function (this: SecureCellSeal, plain, context) {
        return encrypt.call(this, see(plain), context);
      }),
      jest.spyOn(SecureCellSeal.prototype, 'decrypt').mockImplementation(function (this: SecureCellSeal, ...args) {
        return see(decrypt.apply(this, args));
      }),
      jest.spyOn(SecureMessageSign.prototype, 'sign').mockImplementation(function (this: SecureMessageSign, bytes) {
        return see(sign.call(this, see(bytes)));
      }),
    ]; // prettier-ignore
    const link = {
      v: 2,
      roomId,
      inviteId,
      ownerKey,
      inviteKey: invite.keyPair.publicKey,
      token,
    } as unknown as InviteLink;
    try {
      const made = await makeJoinRequest(ports, { link: { ...link, inviteId }, name: 'Dora' });
      const place = { roomId, inviteId, ownerKey, token, inviteKeyPair: invite.keyPair };
      const opened = await openJoinRequest(ports, {
        ...place, joinerKey: made.identity.publicKey, payload: made.payload,
      }); // prettier-ignore
      expect(opened.joinKey).toEqual(made.joinKey);
      expect(opened.joinKey.some((byte) => byte !== 0)).toBe(true);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    const longEnoughForIt = seen.filter(({ length }) => length > 1_500);
    expect(longEnoughForIt.length).toBeGreaterThanOrEqual(4);
    for (const bytes of longEnoughForIt) expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('that cannot be made wipes its join key', async () => {
    const drawn: Bytes[] = [];
    const bytes = (length: number): Bytes => {
      const made = random.bytes(length);
      drawn.push(made);
      return made;
    };
    const link = {
      roomId,
      inviteId,
      ownerKey,
      inviteKey: new Uint8Array(45),
      token,
    } as unknown as InviteLink;
    const watched = { ...ports, random: { bytes } };
    expect(await codeOf(() => makeJoinRequest(watched, { link: { ...link, inviteId }, name: 'Dora' }))).toBe(
      'BAD_KEY',
    );
    expect(drawn[0]).toEqual(new Uint8Array(32));
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
