/** The joiner's first message to the owner (docs/protocol.md section 5, steps 3 and 5; G2). */
import {
  concat, ctx, decodeBody, equalBytes, LIMITS, pad, unpad, type Bytes, type InviteId, type InviteLink, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, rethrowAs } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Ports } from '../ports.js';
import { asJoinKey, SECRET_BYTES, type InviteToken, type JoinKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { memberIdOf, parsePublicKey } from '../verify/identity.js';
import { checkPrekey } from '../verify/prekey.js';
import { openCell, sealCell } from './cell.js';
import { decryptFrom, encryptTo } from './envelope.js';
import { makePrekey, signBody } from './pairs.js';

export interface NewJoin {
  /** the joinRequest as it travels; step 6 binds the reply to its hash */
  readonly payload: Bytes;
  /** the joiner's key pair in this room */
  readonly identity: KeyPair;
  /** the reply is sealed under it */
  readonly joinKey: JoinKey;
  /** number 1 */
  readonly prekey: KeyPair;
  readonly prekeyContainer: Bytes;
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
  const prekey = makePrekey(identity, roomId, memberId, 1);
  const container = signBody(identity, 'joinRequest', {
    roomId,
    inviteId,
    ownerKey,
    joinerKey: identity.publicKey,
    joinKey,
    prekey: prekey.container,
    name: options.name,
  });
  // Padded like a message: its size would tell how long the name is.
  const sealed = sealCell(token, pad(container), context(roomId, inviteId, identity.publicKey));
  // A key pair for one use: the owner's static key alone would let its later thief open this (W7).
  const throwAway = generateKeyPair();
  const payload = concat(throwAway.publicKey, encryptTo(throwAway.privateKey, inviteKey, sealed));
  throwAway.privateKey.fill(0);
  return { payload, identity, joinKey, prekey: prekey.keyPair, prekeyContainer: prekey.container };
}

/**
 * What a joinRequest says, once it has proved that it comes from a holder of the token
 * and from the very key that claimed the invite.
 *
 * @param options.joinerKey the key that the claimant's session proved
 *
 * Throws INVITE_BAD_PROOF, whatever is wrong with it.
 */
export function openJoinRequest(
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
): Promise<{ readonly joinKey: JoinKey; readonly prekeyContainer: Bytes; readonly name: string }> {
  const { roomId, inviteId, ownerKey, token, joinerKey, payload } = options;
  return rethrowAs('INVITE_BAD_PROOF', 'join request', async () => {
    const throwAway = payload.slice(0, LIMITS.publicKeyBytes);
    const outer = payload.slice(LIMITS.publicKeyBytes);
    const sealed = decryptFrom(options.inviteKeyPair.privateKey, throwAway, outer);
    const padded = openCell(token, sealed, context(roomId, inviteId, joinerKey), {
      code: 'INVITE_BAD_PROOF',
    });
    const { body } = decodeBody(verifyContainer(joinerKey, unpad(padded)), 'joinRequest');
    const same =
      body.roomId === roomId &&
      body.inviteId === inviteId &&
      equalBytes(body.ownerKey, ownerKey) &&
      equalBytes(body.joinerKey, joinerKey);
    if (!same) throw new CryptoError('INVITE_BAD_PROOF', 'signed for another join');
    const memberId = await memberIdOf(ports.hash, parsePublicKey(joinerKey));
    const prekey = checkPrekey({ roomId, memberId, key: joinerKey }, body.prekey);
    if (prekey.k !== 1) throw new CryptoError('BAD_ENTRY', 'first prekey is not number 1');
    return { joinKey: body.joinKey, prekeyContainer: body.prekey, name: body.name };
  });
}
