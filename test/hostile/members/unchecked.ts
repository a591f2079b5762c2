/** What a member's keys can seal that no client of this version would: any fields, any nesting, any bytes. */
import { transcriptHash } from '@0fc/crypto/verify';
import {
  ctx, encodeCbor, encodeMessageClear, pad, PROTOCOL_VERSION, type Bytes, type CborValue, type PublishedPrekey,
} from '@0fc/protocol'; // prettier-ignore
import { generateHybridKeyPair, hybridPublicKey } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { sealCell } from '../../../libs/crypto/src/cell.js';
import { signAnything } from '../../../libs/crypto/src/keys/unchecked.spec-support.js';
import type { Stolen } from './stolen.js';

export type Fields = Readonly<Record<string, CborValue>>;

/** A value under so many lists. */
export const nested = (depth: number): CborValue => (depth <= 0 ? 'x' : [nested(depth - 1)]);

/** Lists that a field of a content can hold and the codec still takes as part of a signed body. */
export const DEEPEST = 13;

/** Text that no string of UTF-8 can hold, as bytes on their way would have it. */
export function withLoneSurrogate(body: Bytes): Bytes {
  const changed = body.slice();
  const at = Buffer.from(changed).indexOf(Buffer.from('\ufffd'));
  if (at < 0) throw new Error('no letter to replace');
  changed.set([0xed, 0xa0, 0x80], at);
  return changed;
}

/**
 * A message with a valid signature and seal, whatever it holds. `fields` go over an ordinary message's;
 * `spoil` changes the bytes that get signed.
 */
export function sealAnything(
  stolen: Stolen,
  fields: Fields,
  spoil: (body: Bytes) => Bytes = (body) => body,
): { readonly clear: Bytes; readonly payload: Bytes } {
  const { epoch, nextN: n, position, t } = stolen.core;
  const ordinary = {
    n,
    mid: nodeRandom.bytes(16),
    seen: { position, t: transcriptHash(t) },
    sentAt: Date.now(),
  };
  return {
    clear: encodeMessageClear(epoch),
    payload: seal('message', stolen, { ...ordinary, ...fields }, spoil),
  };
}

/** A signal likewise; only what would not fit into one is cut off by the relay. */
export const sealSignalOf = (stolen: Stolen, fields: Fields): Bytes =>
  seal('signal', stolen, { counter: Date.now(), sentAt: Date.now(), ...fields }, (body) => body);

/** A prekey under any number. */
export async function prekeyOf({ core, identity }: Stolen, k: number): Promise<PublishedPrekey> {
  const { key, ek } = hybridPublicKey(generateHybridKeyPair(nodeRandom));
  const fields = { roomId: core.roomId, memberId: core.me, k, key, ekHash: await nodeHash.sha256(ek) };
  return {
    prekey: signAnything(identity, encodeCbor([`0fc/${String(PROTOCOL_VERSION)}/prekey`, fields])),
    ek,
  };
}

function seal(
  kind: 'message' | 'signal',
  { core, identity, current }: Stolen,
  fields: Fields,
  spoil: (body: Bytes) => Bytes,
): Bytes {
  const { roomId, epoch, me: sender, instance } = core;
  const placed = { roomId, epoch, sender, instance, ...fields };
  const body = spoil(encodeCbor([`0fc/${String(PROTOCOL_VERSION)}/${kind}`, placed]));
  const container = signAnything(identity, body);
  return sealCell(current.key, pad(container), ctx(kind, roomId, epoch, sender));
}
