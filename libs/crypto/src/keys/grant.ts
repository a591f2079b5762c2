/** needKey and keyGrant: the current key for a member that lost it (docs/protocol.md section 7). */
import {
  ctx, decodeAs, encodeAs, equalBytes, grantedKey, keyGrantNews, LIMITS, pad, ProtocolError, unpad, type Bytes,
  type KeyGrantNews, type MemberId, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import type { RoomKey } from '../secrets.js';
import { bodyHash } from '../verify/container.js';
import { memberIdOf } from '../verify/identity.js';
import { verifyKeyGrant, verifyNeedKey } from '../verify/requests.js';
import type { Roster } from '../verify/roster.js';
import { openCell, sealCell } from './cell.js';
import { decryptFrom, encryptTo } from './envelope.js';
import { keyHash, signBody } from './pairs.js';

/**
 * A signed request for the current key, with a fresh prekey for this one answer (section 7). `prekey` is kept until the
 * answer is there, or a rotation has brought a key. Throws BAD_KEY for an unusable identity.
 */
export function makeNeedKey(
  ports: Pick<Ports, 'random'>,
  options: { readonly identity: KeyPair; readonly roomId: RoomId; readonly memberId: MemberId },
): { readonly container: Bytes; readonly prekey: KeyPair } {
  const { identity, roomId, memberId } = options;
  const prekey = generateKeyPair();
  const nonce = ports.random.bytes(16);
  return {
    container: signBody(identity, 'needKey', { roomId, memberId, prekey: prekey.publicKey, nonce }),
    prekey,
  };
}

interface GrantPlace {
  readonly roomId: RoomId;
  readonly epoch: number;
  readonly granter: MemberId;
  readonly memberId: MemberId;
  /** SHA-256 of the needKey's body */
  readonly request: Bytes;
}

const newsContext = (place: GrantPlace): Bytes =>
  ctx('grant', place.roomId, place.epoch, place.granter, place.memberId, place.request);

/**
 * The answer to a needKey: the key of `epoch`, and the news sealed under it.
 *
 * @param options.request the needKey container
 *
 * Throws BAD_SIGNATURE, BAD_KEY, BAD_ENTRY, MALFORMED for the request; FORBIDDEN for a
 * grant that this member may not give; TOO_LARGE.
 */
export async function makeKeyGrant(
  hash: Hash,
  options: {
    readonly identity: KeyPair;
    readonly roster: Roster;
    readonly epoch: number;
    readonly roomKey: RoomKey;
    readonly to: MemberId;
    readonly request: Bytes;
    readonly news: KeyGrantNews;
  },
): Promise<{ readonly grant: Bytes; readonly news: Bytes }> {
  const { identity, roster, epoch, roomKey, to } = options;
  const { roomId, owner } = roster;
  const granter = await memberIdOf(hash, identity.publicKey);
  // Nobody but the owner decides who gets a key, and a lost owner must ask somebody.
  const allowed = roster.members.has(granter) && granter !== to && (granter === owner || to === owner);
  if (!allowed) throw new CryptoError('FORBIDDEN', 'not this member’s to grant');
  const need = verifyNeedKey(roster, to, options.request);
  const place: GrantPlace = {
    roomId,
    epoch,
    granter,
    memberId: to,
    request: await bodyHash(hash, options.request),
  };

  const ephemeral = generateKeyPair();
  const plain = encodeAs(grantedKey, ['0fc/1/granted-key', roomId, epoch, to, roomKey]);
  const sealed = encryptTo(ephemeral.privateKey, need.prekey, plain);
  ephemeral.privateKey.fill(0);
  plain.fill(0);
  const grant = signBody(identity, 'keyGrant', { ...place, ephemeral: ephemeral.publicKey, sealed });
  const news = sealCell(roomKey, pad(encodeAs(keyGrantNews, options.news)), newsContext(place));
  if (news.length > LIMITS.keyGrantBytes) throw new ProtocolError('TOO_LARGE', 'news of a grant');
  return { grant, news };
}

/**
 * The granted key, checked against the commitment that this member already knows.
 *
 * @param options.expectedKeyHash of `epoch`, from genesis or the rotation
 * @param options.request this member's own needKey container
 * @param options.prekey the pair that makeNeedKey made for it
 *
 * Throws BAD_SIGNATURE, BAD_ENTRY, MALFORMED; BAD_KEY with ALARM_WRONG_KEY when the key
 * misses the commitment.
 */
export async function openKeyGrant(
  hash: Hash,
  options: {
    readonly roster: Roster;
    readonly granter: MemberId;
    readonly memberId: MemberId;
    readonly expectedKeyHash: Bytes;
    readonly epoch: number;
    readonly request: Bytes;
    readonly prekey: KeyPair;
    readonly grant: Bytes;
    readonly news: Bytes;
  },
): Promise<{ readonly key: RoomKey; readonly news: KeyGrantNews }> {
  const { roster, granter, memberId, epoch } = options;
  const body = verifyKeyGrant(roster, granter, options.grant);
  const request = await bodyHash(hash, options.request);
  if (body.memberId !== memberId || body.epoch !== epoch || !equalBytes(body.request, request)) {
    throw new CryptoError('BAD_ENTRY', 'the answer to another request');
  }
  const plain = decryptFrom(options.prekey.privateKey, body.ephemeral, body.sealed);
  const [, room, ofEpoch, member, key] = decodeAs(grantedKey, plain);
  plain.fill(0);
  const committed = equalBytes(await keyHash(hash, roster.nonce, epoch, key), options.expectedKeyHash);
  if (room !== roster.roomId || ofEpoch !== epoch || member !== memberId || !committed) {
    throw new CryptoError('BAD_KEY', 'key misses its commitment', { alarm: 'ALARM_WRONG_KEY' });
  }
  const place: GrantPlace = { roomId: room, epoch, granter, memberId, request };
  const padded = openCell(key, options.news, newsContext(place), { code: 'MALFORMED' });
  return { key, news: decodeAs(keyGrantNews, unpad(padded)) };
}
