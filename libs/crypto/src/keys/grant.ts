/** needKey and keyGrant: the current key for a member that lost it (docs/protocol.md section 7). */
import {
  ctx, decodeAs, encodeAs, equalBytes, grantedKey, keyGrantNews, LIMITS, pad, ProtocolError, tagOf, unpad,
  type Body, type Bytes, type KeyGrantNews, type MemberId, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, isRefusal } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import type { RoomKey } from '../secrets.js';
import { bodyHash } from '../verify/container.js';
import { memberIdOf } from '../verify/identity.js';
import { verifyKeyGrant, verifyKeyRequest } from '../verify/requests.js';
import type { HybridPublicKey } from '../verify/prekey.js';
import type { Roster } from '../verify/roster.js';
import { openCell, sealCell } from '../cell.js';
import {
  decryptHybrid, encryptHybrid, generateHybridKeyPair, hybridPublicKey, type HybridKeyPair, type HybridPlace,
} from './hybrid.js'; // prettier-ignore
import { keyHash } from './pairs.js';
import { signBody } from '../sign.js';

/** Which key is asked for, and of whom not. */
interface KeyRequestPlace {
  readonly epoch: number;
  /** body hash of the rotation that began the epoch, of genesis in the first */
  readonly rotation: Bytes;
  /** whose grants to an earlier request of this epoch did not open */
  readonly failed: readonly MemberId[];
}

/**
 * A signed request for the current key, with a fresh prekey for this one answer (section 7). `prekey` is kept until the
 * answer is there, or a rotation has brought a key. Throws BAD_KEY for an unusable identity.
 */
export function makeKeyRequest(
  ports: Pick<Ports, 'random'>,
  options: KeyRequestPlace & {
    readonly identity: KeyPair;
    readonly roomId: RoomId;
    readonly memberId: MemberId;
  },
): { readonly container: Bytes; readonly prekey: HybridKeyPair } {
  const { identity, roomId, memberId, epoch, rotation, failed } = options;
  const prekey = generateHybridKeyPair(ports.random);
  const { key, ek } = hybridPublicKey(prekey);
  const nonce = ports.random.bytes(16);
  return {
    container: signBody(identity, 'needKey', {
      roomId, memberId, epoch, rotation, prekey: key, ek, nonce, failed: [...failed],
    }), // prettier-ignore
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

const hybridPlace = ({ roomId, epoch, memberId }: GrantPlace): HybridPlace => ({
  kind: 'grant',
  roomId,
  epoch,
  memberId,
});

/**
 * The answer to a needKey: the key of `epoch`, and the news sealed under it.
 *
 * @param options.request the needKey container
 * @param options.rotation body hash of the rotation that began `epoch` here, of genesis in the first
 * @param options.given the grant that this very request got before: it gets the same bytes again
 *
 * Throws BAD_SIGNATURE, BAD_KEY, BAD_ENTRY, MALFORMED for the request, BAD_ENTRY for one of another epoch or rotation too;
 * FORBIDDEN for a grant that this member may not give, or that failed; TOO_LARGE.
 */
export async function makeKeyGrant(
  ports: Pick<Ports, 'hash' | 'random'>,
  options: {
    readonly identity: KeyPair;
    readonly roster: Roster;
    readonly epoch: number;
    readonly roomKey: RoomKey;
    readonly to: MemberId;
    readonly request: Bytes;
    readonly rotation: Bytes;
    readonly news: KeyGrantNews;
    readonly given?: Bytes | undefined;
  },
): Promise<{ readonly grant: Bytes; readonly news: Bytes }> {
  const { identity, roster, epoch, roomKey, to, rotation, given } = options;
  const { hash } = ports;
  const { roomId, owner } = roster;
  const granter = await memberIdOf(hash, identity.publicKey);
  // Nobody but the owner decides who gets a key, and a lost owner must ask somebody.
  const allowed = roster.members.has(granter) && granter !== to && (granter === owner || to === owner);
  if (!allowed) throw new CryptoError('FORBIDDEN', 'not this member’s to grant');
  const body = verifyKeyRequest(roster, to, options.request);
  if (body.epoch !== epoch || !equalBytes(body.rotation, rotation))
    throw new CryptoError('BAD_ENTRY', 'a request for another key');
  if (body.failed.includes(granter)) throw new CryptoError('FORBIDDEN', 'failed before');
  const place: GrantPlace = {
    roomId,
    epoch,
    granter,
    memberId: to,
    request: await bodyHash(hash, options.request),
  };

  const asker = { key: body.prekey, ek: body.ek };
  const grant = given ?? (await signGrant(ports, identity, place, asker, roomKey));
  const news = sealCell(roomKey, pad(encodeAs(keyGrantNews, options.news)), newsContext(place));
  if (news.length > LIMITS.keyGrantBytes) throw new ProtocolError('TOO_LARGE', 'news of a grant');
  return { grant, news };
}

async function signGrant(
  ports: Pick<Ports, 'hash' | 'random'>,
  identity: KeyPair,
  place: GrantPlace,
  to: HybridPublicKey,
  roomKey: RoomKey,
): Promise<Bytes> {
  const { roomId, epoch, memberId } = place;
  const ephemeral = generateKeyPair();
  const plain = encodeAs(grantedKey, [tagOf('granted-key'), roomId, epoch, memberId, roomKey]);
  try {
    const message = await encryptHybrid(ports, { ephemeral, to, place: hybridPlace(place), plain });
    return signBody(identity, 'keyGrant', { ...place, ephemeral: ephemeral.publicKey, ...message });
  } finally {
    ephemeral.privateKey.fill(0);
    plain.fill(0);
  }
}

/**
 * The granted key, checked against the commitment that this member already knows. The news are under no signature: null
 * where the relay has changed them, since the key proves itself without them.
 *
 * @param options.expectedKeyHash of `epoch`, from genesis or the rotation
 * @param options.request this member's own needKey container
 * @param options.prekey the pair that makeKeyRequest made for it
 *
 * Throws BAD_KEY with ALARM_WRONG_KEY where the granter signed a key that does not open or misses the commitment; and what
 * proves nothing against it: BAD_SIGNATURE, BAD_ENTRY, MALFORMED.
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
    readonly prekey: HybridKeyPair;
    readonly grant: Bytes;
    readonly news: Bytes;
  },
): Promise<{ readonly key: RoomKey; readonly news: KeyGrantNews | null }> {
  const { roster, granter, memberId, epoch } = options;
  const body = verifyKeyGrant(roster, granter, options.grant);
  const request = await bodyHash(hash, options.request);
  if (body.memberId !== memberId || body.epoch !== epoch || !equalBytes(body.request, request)) {
    throw new CryptoError('BAD_ENTRY', 'the answer to another request');
  }
  const place: GrantPlace = { roomId: roster.roomId, epoch, granter, memberId, request };
  const key = await openGranted(hash, options.prekey, place, body);
  if (key === null || !equalBytes(await keyHash(hash, roster.nonce, epoch, key), options.expectedKeyHash)) {
    throw new CryptoError('BAD_KEY', 'not the key', { alarm: 'ALARM_WRONG_KEY' });
  }
  return { key, news: openNews(key, options.news, newsContext(place)) };
}

/** Null for what is not to this prekey, or holds no key of this place. */
async function openGranted(
  hash: Hash,
  pair: HybridKeyPair,
  place: GrantPlace,
  { ephemeral, ct, sealed }: Body<'keyGrant'>,
): Promise<RoomKey | null> {
  const message = { ct, sealed };
  const plain = await decryptHybrid(hash, { pair, ephemeral, place: hybridPlace(place), message }).catch(
    refusedIsNull,
  );
  if (plain === null) return null;
  const granted = orNull(() => decodeAs(grantedKey, plain));
  plain.fill(0);
  if (granted === null) return null;
  const [, room, ofEpoch, member, key] = granted;
  return room === place.roomId && ofEpoch === place.epoch && member === place.memberId ? key : null;
}

/** Null for what the granter did not seal under the key, or is no news. */
const openNews = (key: RoomKey, sealed: Bytes, context: Bytes): KeyGrantNews | null =>
  orNull(() => decodeAs(keyGrantNews, unpad(openCell(key, sealed, context, { code: 'MALFORMED' }))));

/** Null where `run` refuses its input. */
function orNull<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    return refusedIsNull(error);
  }
}

function refusedIsNull(error: unknown): null {
  if (isRefusal(error)) return null;
  throw error;
}
