/** The joiner's first message to the owner (docs/protocol.md section 5, steps 3 and 5; G2). */
import {
  concat, ctx, decodeBody, equalBytes, LIMITS, pad, unpad, type Bytes, type InviteId, type InviteLink,
  type PublishedPrekey, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, rethrowAs } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Ports } from '../ports.js';
import { asJoinKey, Scratch, SECRET_BYTES, type InviteToken, type JoinKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { memberIdOf, parsePublicKey } from '../verify/identity.js';
import { checkEncapsulationKey, checkPrekey } from '../verify/prekey.js';
import { openCell, sealCell } from '../cell.js';
import { decryptFrom, encryptTo } from './envelope.js';
import type { HybridKeyPair } from './hybrid.js';
import { makePrekey } from './pairs.js';
import { signBody } from '../sign.js';

export interface NewJoin {
  /** the joinRequest as it travels; step 6 binds the reply to its hash */
  readonly payload: Bytes;
  /** the joiner's key pair in this room */
  readonly identity: KeyPair;
  /** the reply is sealed under it */
  readonly joinKey: JoinKey;
  /** number 1 */
  readonly prekey: HybridKeyPair;
}

const context = (roomId: RoomId, inviteId: InviteId, joinerKey: Bytes): Bytes =>
  ctx('join-request', roomId, inviteId, joinerKey);

/**
 * The joiner's secrets and its request, sealed with the token and encrypted to the invite's key (section 5, step 3).
 * Throws MALFORMED for a name out of range, BAD_KEY for an invite key that is no point of the curve.
 */
export async function makeJoinRequest(
  ports: Ports,
  options: { readonly link: InviteLink & { readonly inviteId: InviteId }; readonly name: string },
): Promise<NewJoin> {
  const { roomId, inviteId, ownerKey, inviteKey, token } = options.link;
  const identity = generateKeyPair();
  const joinKey = asJoinKey(ports.random.bytes(SECRET_BYTES));
  const memberId = await memberIdOf(ports.hash, identity.publicKey);
  const prekey = await makePrekey(ports, { identity, roomId, memberId, k: 1 });
  // A key pair for one use: the owner's static key alone would let its later thief open this (W7).
  const throwAway = generateKeyPair();
  const scratch = new Scratch();
  try {
    const container = scratch.keep(
      signBody(identity, 'joinRequest', {
        roomId,
        inviteId,
        ownerKey,
        inviteKey,
        joinerKey: identity.publicKey,
        joinKey,
        prekey: prekey.prekey,
        ek: prekey.ek,
        name: options.name,
      }),
    );
    // Padded like a message: its size would tell how long the name is.
    const padded = scratch.keep(pad(container));
    const sealed = sealCell(token, padded, context(roomId, inviteId, identity.publicKey));
    const payload = concat(throwAway.publicKey, encryptTo(throwAway.privateKey, inviteKey, sealed));
    return { payload, identity, joinKey, prekey: prekey.keyPair };
  } catch (error) {
    joinKey.fill(0);
    throw error;
  } finally {
    scratch.wipe();
    throwAway.privateKey.fill(0);
  }
}

/**
 * What a joinRequest says, once it has proved that it comes from a holder of the token
 * and from the very key that claimed the invite.
 *
 * @param options.joinerKey the key that the claimant's session proved
 *
 * Throws INVITE_ALTERED for one that proves the token and names another room, invite, owner or invite key: its joiner was
 * sent another link than the owner had made. INVITE_BAD_PROOF, whatever else is wrong with it.
 */
export async function openJoinRequest(
  ports: Ports,
  options: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    readonly ownerKey: Bytes;
    readonly token: InviteToken;
    readonly inviteKeyPair: KeyPair;
    readonly joinerKey: Bytes;
    readonly payload: Bytes;
  },
): Promise<PublishedPrekey & { readonly joinKey: JoinKey; readonly name: string }> {
  const { roomId, inviteId, ownerKey, token, joinerKey, payload } = options;
  const scratch = new Scratch();
  const opened = await rethrowAs('INVITE_BAD_PROOF', 'join request', async () => {
    const throwAway = payload.slice(0, LIMITS.publicKeyBytes);
    const outer = payload.slice(LIMITS.publicKeyBytes);
    const sealed = decryptFrom(options.inviteKeyPair.privateKey, throwAway, outer);
    const place = context(roomId, inviteId, joinerKey);
    const padded = scratch.keep(openCell(token, sealed, place, { code: 'INVITE_BAD_PROOF' }));
    const { body } = decodeBody(verifyContainer(joinerKey, scratch.keep(unpad(padded))), 'joinRequest');
    if (!equalBytes(body.joinerKey, joinerKey))
      throw new CryptoError('INVITE_BAD_PROOF', 'signed for another joiner');
    const unaltered =
      body.roomId === roomId &&
      body.inviteId === inviteId &&
      equalBytes(body.ownerKey, ownerKey) &&
      equalBytes(body.inviteKey, options.inviteKeyPair.publicKey);
    if (!unaltered) return null;
    const memberId = await memberIdOf(ports.hash, parsePublicKey(joinerKey));
    const prekey = checkPrekey({ roomId, memberId, key: joinerKey }, body.prekey);
    if (prekey.k !== 1) throw new CryptoError('BAD_ENTRY', 'first prekey is not number 1');
    await checkEncapsulationKey(ports.hash, prekey, body.ek);
    return { joinKey: body.joinKey, prekey: body.prekey, ek: body.ek, name: body.name };
  }).finally(() => {
    scratch.wipe();
  });
  if (opened === null) throw new CryptoError('INVITE_ALTERED', 'signed for another link');
  return opened;
}
