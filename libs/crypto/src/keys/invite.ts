/** Invites: what travels out of band (docs/protocol.md section 5, steps 1 and 2). */
import {
  concat, ctx, decodeCbor, encodeAs, equalBytes, fromBase64Url, inviteLink, LIMITS, parse, PROTOCOL_VERSION, ProtocolError, toBase64Url,
  type Bytes, type InviteId, type InviteLink, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, rethrowAs } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import { asInviteToken, SECRET_BYTES, type InviteToken } from '../secrets.js';
import { parsePublicKey } from '../verify/identity.js';

/** Check bytes at the end of a link: a mistyped or cut link is told from a refused one. */
const CHECK_BYTES = 4;
const MOST_LETTERS = Math.ceil((LIMITS.inviteLinkBytes * 4) / 3);

export interface NewInvite {
  readonly inviteId: InviteId;
  readonly token: InviteToken;
  /** of this invite alone; the private key is deleted when the invite burns */
  readonly keyPair: KeyPair;
  /** base64url, for the fragment of the link; holds the token */
  readonly fragment: string;
}

/** `SHA-256(ctx(invite-id, token))[0..16]`, base64url: what the relay knows an invite by, and from which no token follows. */
export async function inviteIdOf(hash: Hash, token: InviteToken): Promise<InviteId> {
  return toBase64Url((await hash.sha256(ctx('invite-id', token))).subarray(0, 16)) as InviteId;
}

/**
 * A new invite: token, key pair, id, and the fragment that travels out of band (section 5, step 1). Throws MALFORMED for
 * keys or hashes of another length, or a time that is no whole number.
 */
export async function createInvite(
  ports: Ports,
  options: {
    readonly roomId: RoomId;
    readonly ownerKey: Bytes;
    /** SHA-256 of the relay's public key */
    readonly relayKeyHash: Bytes;
    /** Unix ms */
    readonly expires: number;
  },
): Promise<NewInvite> {
  const token = asInviteToken(ports.random.bytes(SECRET_BYTES));
  const keyPair = generateKeyPair();
  const body = encodeAs(inviteLink, {
    v: PROTOCOL_VERSION,
    roomId: options.roomId,
    ownerKey: options.ownerKey,
    inviteKey: keyPair.publicKey,
    token,
    relay: options.relayKeyHash,
    expires: options.expires,
  });
  const check = (await ports.hash.sha256(body)).subarray(0, CHECK_BYTES);
  const inviteId = await inviteIdOf(ports.hash, token);
  return { inviteId, token, keyPair, fragment: toBase64Url(concat(body, check)) };
}

/**
 * An invite from what somebody pasted or opened: a fragment, `#fragment` or a whole URL,
 * line breaks of a mail program included. Throws INVITE_MALFORMED; INVITE_OUTDATED or UNSUPPORTED_VERSION for one of
 * an earlier or later version.
 */
export async function parseInvite(
  hash: Hash,
  text: string,
): Promise<InviteLink & { readonly inviteId: InviteId }> {
  const malformed = 'INVITE_MALFORMED';
  const fields = await rethrowAs(malformed, 'not an invite', async () => {
    const letters = text.slice(text.lastIndexOf('#') + 1).replace(/\s+/g, '');
    const bytes = letters.length > MOST_LETTERS ? null : fromBase64Url(letters);
    if (bytes === null || bytes.length <= CHECK_BYTES) throw new ProtocolError('MALFORMED', 'not base64url');
    const body = bytes.subarray(0, -CHECK_BYTES);
    const check = (await hash.sha256(body)).subarray(0, CHECK_BYTES);
    if (!equalBytes(check, bytes.subarray(-CHECK_BYTES))) throw new CryptoError('MALFORMED', 'check bytes');
    return decodeCbor(body);
  });
  const version = typeof fields === 'object' && fields !== null && 'v' in fields ? fields.v : null;
  if (version === 1) throw new CryptoError('INVITE_OUTDATED', 'an invite of version 1');
  if (typeof version === 'number' && version > PROTOCOL_VERSION)
    throw new CryptoError('UNSUPPORTED_VERSION', 'an invite of a later version');
  return rethrowAs(malformed, 'not an invite', async () => {
    const link = parse(inviteLink, fields);
    parsePublicKey(link.ownerKey);
    parsePublicKey(link.inviteKey);
    return { ...link, inviteId: await inviteIdOf(hash, link.token) };
  });
}
