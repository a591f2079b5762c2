/** A join as it begins on this device (docs/protocol.md section 5): what is stored of it, and what is shown. */
import { PROTOCOL_VERSION } from '@0fc/protocol';
import { makeJoinRequest, safetyNumber, type Ports } from '@0fc/crypto/keys';
import { fingerprintOf, type Hash } from '@0fc/crypto/verify';
import type { JoinView } from '../contract/api.js';
import { hashFingerprint } from './relay-pin.js';
import type { JoinRecord } from '../vault/records.js';
import { digitsOf } from '../view/member-identities.js';

/** Makes the joiner's keys and its sealed request; nothing is sent. */
export async function newJoin(
  crypto: Ports,
  link: Parameters<typeof makeJoinRequest>[1]['link'],
  name: string,
  membership: string,
): Promise<JoinRecord> {
  const { roomId, inviteId, ownerKey, relay, expires, token } = link;
  const made = await makeJoinRequest(crypto, { link, name });
  return {
    version: PROTOCOL_VERSION, roomId, ...(membership === roomId ? {} : { membership }), inviteId, ownerKey, relay, expires, name, token, identity: made.identity, joinKey: made.joinKey,
    prekey: made.prekey, request: made.payload, reply: null, confirm: null,
    done: [], failure: null,
  }; // prettier-ignore
}

/** What both sides compare before an approval (section 10). */
export async function identitiesOfJoin(
  hash: Hash,
  { roomId, ownerKey, relay, identity: { publicKey } }: JoinRecord,
): Promise<Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>> {
  return {
    ownerFingerprint: await fingerprintOf(hash, ownerKey),
    myFingerprint: await fingerprintOf(hash, publicKey),
    relayFingerprint: hashFingerprint(relay),
    safetyNumber: digitsOf(await safetyNumber(hash, roomId, publicKey, ownerKey)),
  };
}
