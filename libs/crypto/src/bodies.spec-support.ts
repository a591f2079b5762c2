/** One valid body of each kind, all by bob where the kind leaves that open. */
import type { Body, BodyKind } from '@0fc/protocol';
import { asJoinKey, generateKeyPair, signBody } from './keys/index.js';
import { newInviteId, random, type World } from './world.spec-support.js';

export type Samples = { [K in BodyKind]: Body<K> };

export async function sampleBodies({ roster, roomId, owner, bob, carol }: World): Promise<Samples> {
  const onHead = { roomId, epoch: 1, head: roster.head, owner: owner.id };
  const bytes32 = (): Uint8Array => random.bytes(32);
  const bytes16 = (): Uint8Array => random.bytes(16);
  const leaveRequest: Body<'leaveRequest'> = {
    roomId,
    member: bob.id,
    admit: roster.members.get(bob.id)!.admit,
  };
  const acceptance: Body<'transferAcceptance'> = { roomId, old: owner.id, new: bob.id, nonce: bytes16() };
  return {
    genesis: {
      ownerKey: bob.identity.publicKey,
      prekey: { k: 1, key: bob.prekey.publicKey },
      nonce: bytes32(),
      keyHash: bytes32(),
      settings: roster.settings,
    },
    admit: {
      ...onHead,
      key: bob.identity.publicKey,
      prekey: bob.prekeyContainer,
      inviteId: newInviteId(),
    },
    remove: { ...onHead, member: carol.id, reason: 'removed' },
    leave: { ...onHead, member: bob.id, request: signBody(bob.identity, 'leaveRequest', leaveRequest) },
    transfer: {
      ...onHead,
      to: bob.id,
      acceptance: signBody(bob.identity, 'transferAcceptance', acceptance),
    },
    settings: { ...onHead, settings: { ...roster.settings, rotateEvery: 7 } },
    close: { ...onHead },
    leaveRequest,
    transferOffer: { roomId, old: owner.id, new: bob.id, nonce: bytes16() },
    transferAcceptance: acceptance,
    prekey: { roomId, memberId: bob.id, k: 2, key: generateKeyPair().publicKey },
    joinRequest: {
      roomId,
      inviteId: newInviteId(),
      ownerKey: owner.identity.publicKey,
      joinerKey: bob.identity.publicKey,
      joinKey: asJoinKey(bytes32()),
      prekey: bob.prekeyContainer,
      name: 'Bob',
    },
    joinConfirm: { roomId, epoch: 1, joiner: bob.id, request: bytes32(), reply: bytes32() },
    message: {
      roomId,
      epoch: 1,
      sender: bob.id,
      instance: bytes16(),
      n: 1,
      mid: bytes16(),
      seen: { position: { g: 1, s: 2 }, t: bytes32() },
      sentAt: 1_700_000_000_000,
      content: { type: 'text', text: 'hello' },
    },
    signal: {
      roomId,
      epoch: 1,
      sender: bob.id,
      instance: bytes16(),
      counter: 1,
      sentAt: 1_700_000_000_000,
      content: { type: 'presence', seen: { position: { g: 1, s: 2 }, t: bytes32() }, head: roster.head },
    },
    rotation: {
      roomId,
      newEpoch: 2,
      owner: owner.id,
      head: roster.head,
      keyHash: bytes32(),
      ephemeral: generateKeyPair().publicKey,
      unwrapped: [],
      payload: bytes32(),
    },
    rotationInner: { roomId, newEpoch: 2, owner: owner.id, head: roster.head, keyHash: bytes32() },
    needKey: { roomId, memberId: bob.id, prekey: generateKeyPair().publicKey, nonce: bytes16() },
    keyGrant: {
      roomId,
      epoch: 1,
      granter: owner.id,
      memberId: bob.id,
      request: bytes32(),
      ephemeral: generateKeyPair().publicKey,
      sealed: random.bytes(160),
    },
  };
}
