/** Hybrid wraps: the old key and both halves of the prekey are needed (G9, G17). */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ctx, encodeAs, tagOf, wrapBody, wrappedKey, type Bytes } from '@0fc/protocol';
import { codeOf, flipBit, hash, newMemberId, newRoomId, ports, random } from '../world.spec-support.js';
import { sealCell } from '../cell.js';
import {
  asRoomKey, encryptHybrid, equalSecrets, generateHybridKeyPair, generateKeyPair, hybridPublicKey, openWrap,
  type RoomKey, sealWrap, unwrap,
} from './index.js'; // prettier-ignore

const pair = generateHybridKeyPair(random);
const prekey = { k: 3, ...hybridPublicKey(pair) };
const ephemeral = generateKeyPair();
const place = { roomId: newRoomId(), newEpoch: 2, memberId: newMemberId() };
const [oldKey, newKey] = [asRoomKey(random.bytes(32)), asRoomKey(random.bytes(32))];
const wrap = await sealWrap(ports, { ...place, ephemeral, prekey, oldKey, newKey });
const { k, message } = openWrap({ ...place, wrap, oldKey });

const unwrapped = (over: Partial<Parameters<typeof unwrap>[1]> = {}): Promise<RoomKey> =>
  unwrap(hash, { ...place, cold: false, pair, ephemeral: ephemeral.publicKey, message, ...over });

describe('a hybrid wrap', () => {
  it('gives its member the new key, and names the prekey', async () => {
    expect(k).toBe(3);
    expect(equalSecrets(await unwrapped(), newKey)).toBe(true);
  });

  it('opens under the old key alone, and at its own place', async () => {
    for (const over of [
      { oldKey: asRoomKey(random.bytes(32)) },
      { roomId: newRoomId() },
      { newEpoch: 3 },
      { memberId: newMemberId() },
    ]) {
      expect(await codeOf(() => openWrap({ ...place, wrap, oldKey, ...over }))).toBe('NO_ROOM_KEY');
    }
  });

  it('gives nothing to who has the old key and another prekey, or another place', async () => {
    const other = generateHybridKeyPair(random);
    for (const over of [
      { pair: other },
      { pair: { ...pair, seed: other.seed } },
      { pair: { ...other, seed: pair.seed } },
      { ephemeral: generateKeyPair().publicKey },
      { roomId: newRoomId() },
      { newEpoch: 3 },
      { memberId: newMemberId() },
      { cold: true },
    ]) {
      expect(await codeOf(() => unwrapped(over))).toBe('MALFORMED');
    }
  });

  it('with any bit changed is a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * wrap.length - 1), async (bit) => {
        expect(await codeOf(() => openWrap({ ...place, wrap: flipBit(wrap, bit), oldKey }))).toBe(
          'NO_ROOM_KEY',
        );
      }),
      { numRuns: 60 },
    );
  });

  it('that its maker made for something else is no key', async () => {
    const carrying = async (...fields: readonly [string, number, string]): Promise<Bytes> => {
      const plain = encodeAs(wrappedKey, [tagOf('wrapped-key'), ...fields, newKey] as never);
      const hybrid = { kind: 'wrap', roomId: place.roomId, epoch: 2, memberId: place.memberId } as const;
      const { ct, sealed } = await encryptHybrid(ports, { ephemeral, to: prekey, place: hybrid, plain });
      const context = ctx('wrap', place.roomId, 2, place.memberId);
      return sealCell(oldKey, encodeAs(wrapBody, { k: 3, ct, sealed }), context);
    };
    const opened = async (made: Bytes): Promise<RoomKey> =>
      unwrapped({ message: openWrap({ ...place, wrap: made, oldKey }).message });
    const { roomId, memberId } = place;
    expect(equalSecrets(await opened(await carrying(roomId, 2, memberId)), newKey)).toBe(true);
    for (const made of [
      await carrying(newRoomId(), 2, memberId),
      await carrying(roomId, 3, memberId),
      await carrying(roomId, 2, newMemberId()),
    ])
      expect(await codeOf(() => opened(made))).toBe('BAD_KEY');
  });

  it('of a cold rotation needs no old key, and both halves all the same', async () => {
    const cold = await sealWrap(ports, { ...place, ephemeral, prekey, oldKey: null, newKey });
    const opened = openWrap({ ...place, wrap: cold, oldKey: null });
    expect(opened.k).toBe(3);
    const { message: of } = opened;
    expect(equalSecrets(await unwrapped({ cold: true, message: of }), newKey)).toBe(true);
    const other = generateHybridKeyPair(random);
    for (const over of [
      { cold: false },
      { pair: { ...pair, seed: other.seed } },
      { pair: { ...other, seed: pair.seed } },
    ])
      expect(await codeOf(() => unwrapped({ cold: true, message: of, ...over }))).toBe('MALFORMED');
    expect(await codeOf(() => openWrap({ ...place, wrap: cold, oldKey }))).toBe('NO_ROOM_KEY');
    expect(await codeOf(() => openWrap({ ...place, wrap, oldKey: null }))).toBe('MALFORMED');
  });

  it('is refused for a prekey with a bad half', async () => {
    const seal = (over: Partial<typeof prekey>): Promise<Bytes> =>
      sealWrap(ports, { ...place, ephemeral, prekey: { ...prekey, ...over }, oldKey, newKey });
    expect(await codeOf(() => seal({ key: random.bytes(45) }))).toBe('BAD_KEY');
    expect(await codeOf(() => seal({ ek: new Uint8Array(1_184) }))).toBe('BAD_KEY');
  });
});
