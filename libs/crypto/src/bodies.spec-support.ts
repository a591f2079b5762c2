/** One valid body of each kind, all by bob where the kind leaves that open. */
import { PROTOCOL_VERSION, type Body, type BodyKind } from '@0fc/protocol';
import {
  asJoinKey,
  generateHybridKeyPair,
  generateKeyPair,
  hybridPublicKey,
  signBody,
} from './keys/index.js';
import { hash, newInviteId, random, type World } from './world.spec-support.js';

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
  const { key, ek } = hybridPublicKey(generateHybridKeyPair(random));
  const handOver = { roomId, old: owner.id, new: bob.id, nonce: bytes16() };
  const acceptance: Body<'transferAcceptance'> = { ...handOver, epoch: 1 };
  return {
    genesis: {
      version: PROTOCOL_VERSION,
      ownerKey: bob.identity.publicKey,
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
    upgrade: { ...onHead, version: 3 },
    leaveRequest,
    transferOffer: { ...handOver, head: roster.head },
    transferAcceptance: acceptance,
    prekey: { roomId, memberId: bob.id, k: 2, key, ekHash: await hash.sha256(ek) },
    joinRequest: {
      roomId,
      inviteId: newInviteId(),
      ownerKey: owner.identity.publicKey,
      inviteKey: generateKeyPair().publicKey,
      joinerKey: bob.identity.publicKey,
      joinKey: asJoinKey(bytes32()),
      prekey: bob.prekeyContainer,
      ek: hybridPublicKey(bob.prekey).ek,
      name: 'Bob',
    },
    joinReply: { roomId, epoch: 1, joiner: bob.id, request: bytes32(), reply: bytes32() },
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
      base: bytes32(),
      signedAt: 1_700_000_000_000,
      cold: false,
    },
    rotationInner: {
      roomId,
      newEpoch: 2,
      owner: owner.id,
      head: roster.head,
      keyHash: bytes32(),
      prekeys: [1, 0],
    },
    needKey: {
      roomId,
      memberId: bob.id,
      epoch: 1,
      rotation: roster.head,
      prekey: key,
      ek,
      nonce: bytes16(),
      failed: [],
    },
    keyGrant: {
      roomId,
      epoch: 1,
      granter: owner.id,
      memberId: bob.id,
      request: bytes32(),
      ephemeral: generateKeyPair().publicKey,
      ct: random.bytes(1_088),
      sealed: random.bytes(160),
    },
    'relay-succession': {
      old: bob.identity.publicKey,
      new: generateKeyPair().publicKey,
      origin: 'https://chat.example.org',
    },
  };
}
