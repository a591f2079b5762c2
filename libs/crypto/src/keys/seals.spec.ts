/**
 * docs/protocol.md section 2 and G4: whatever is sealed opens at its one place, as its one
 * kind, in its one shape. One table holds every make/open pair of the door.
 */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  ctx, decodeAs, decodeBody, encodeAs, encodeBody, joinReplyBody, pad, signedJoinReply, unpad, type Body, type BodyKind, type Bytes, type CborValue, type ContextKind,
  type JoinReplyBody,
} from '@0fc/protocol'; // prettier-ignore
import {
  createGenesis, createInvite, generateKeyPair, type KeyPair, makeJoinConfirm, makeJoinReply, makeJoinRequest,
  makeKeyGrant, makeKeyRequest, makeRotation, newVaultKey, openExport, openJoinConfirm, openJoinReply, openJoinRequest,
  openKeyGrant, openMessage, openRecord, openRotation, openSignal, openVaultKey, parseInvite, passphrasesOf, sealExport,
  sealMessage, sealRecord, sealSignal, sealVaultKey, signBody, type SymmetricKey, type VaultKey,
} from './index.js'; // prettier-ignore
import { containerBody, memberIdOf, verifyRotation, type Roster } from '../verify/index.js';
import { openCell, sealCell } from '../cell.js';
import { CryptoError } from '../errors.js';
import { sampleBodies } from '../bodies.spec-support.js';
import {
  appended, firstPrekeys, flipBit, hash, makeWorld, newInviteId, newRoomId, otherBodies, ports, random, refusal,
  SETTINGS, withBody,
} from '../world.spec-support.js'; // prettier-ignore

const world = await makeWorld();
const { roster, roomId, owner, bob, carol, room } = world;
const { roomKey } = room;
const samples = await sampleBodies(world);
const elsewhere = await makeWorld();

type Args = Record<string, unknown>;

/** A sealed thing, how to open it, what else it is bound to, and what is signed inside. */
interface Case {
  readonly name: string;
  readonly args: Args;
  readonly open: (args: Args) => unknown;
  /** the argument that holds the sealed bytes */
  readonly sealed: string;
  /** another value for every other argument that it is bound to */
  readonly others: Args;
  readonly signed?: {
    readonly kind: BodyKind;
    readonly by: KeyPair;
    /** fields that the place fixes: signed anew with another value, it must not open */
    readonly bound: readonly string[];
    readonly unseal: (sealed: Bytes) => Bytes;
    readonly reseal: (container: Bytes) => Bytes;
  };
  /** slow to open: fewer flips */
  readonly slow?: true;
}

const cell = (key: SymmetricKey, padded: boolean, kind: ContextKind, ...fields: CborValue[]) => ({
  unseal: (sealed: Bytes): Bytes => {
    const plain = openCell(key, sealed, ctx(kind, ...fields), { code: 'MALFORMED' });
    return padded ? unpad(plain) : plain;
  },
  reseal: (container: Bytes): Bytes =>
    sealCell(key, padded ? pad(container) : container, ctx(kind, ...fields)),
});

async function joinCases(): Promise<Case[]> {
  const ownerKey = owner.identity.publicKey;
  const relayKeyHash = random.bytes(32);
  const invite = await createInvite(ports, { roomId, ownerKey, relayKeyHash, expires: 1 });
  const link = await parseInvite(hash, invite.fragment);
  const join = await makeJoinRequest(ports, { link, name: 'Dora' });
  const joinerKey = join.identity.publicKey;
  const reply: JoinReplyBody = {
    epoch: 1,
    key: roomKey,
    head: roster.head,
    rotation: null,
    floor: { g: 1, s: 0 },
    t: random.bytes(32),
    counters: [{ sender: bob.id, instance: random.bytes(16), n: 4 }],
    profiles: [],
    roomName: null,
  };
  const { joinKey } = join;
  const request = join.payload;
  const joiner = await memberIdOf(hash, join.identity.publicKey);
  const place = { joinKey, token: invite.token, roomId, joiner, request };
  const payload = await makeJoinReply(hash, { ...place, owner: owner.identity, reply });
  const encoded = encodeAs(joinReplyBody, reply);
  const replySeal = cell(joinKey, true, 'join-reply', roomId, 1, invite.token, await hash.sha256(request));
  const confirm = { roomId, epoch: 1, roomKey, request };
  return [
    {
      name: 'join request',
      args: {
        roomId,
        inviteId: invite.inviteId,
        ownerKey,
        token: invite.token,
        inviteKeyPair: invite.keyPair,
        joinerKey,
        payload: join.payload,
      },
      open: (args) => openJoinRequest(ports, args as unknown as Parameters<typeof openJoinRequest>[1]),
      sealed: 'payload',
      others: {
        roomId: newRoomId(),
        inviteId: newInviteId(),
        ownerKey: bob.identity.publicKey,
        token: random.bytes(32),
        inviteKeyPair: generateKeyPair(),
        joinerKey: bob.identity.publicKey,
      },
    },
    {
      name: 'join reply',
      args: { ...place, ownerKey, epoch: 1, payload },
      open: (args) => openJoinReply(hash, args as unknown as Parameters<typeof openJoinReply>[1]),
      sealed: 'payload',
      others: {
        joinKey: random.bytes(32),
        token: random.bytes(32),
        roomId: newRoomId(),
        epoch: 2,
        request: appended(request, 0),
        joiner: bob.id,
        ownerKey: bob.identity.publicKey,
      },
      signed: {
        kind: 'joinReply',
        by: owner.identity,
        bound: ['roomId', 'epoch', 'joiner', 'request', 'reply'],
        unseal: (sealed) => decodeAs(signedJoinReply, replySeal.unseal(sealed))[0],
        reseal: (container) => replySeal.reseal(encodeAs(signedJoinReply, [container, encoded])),
      },
    },
    {
      name: 'join confirmation',
      args: {
        ...confirm,
        joinerKey,
        replies: [random.bytes(99), payload],
        payload: await makeJoinConfirm(hash, { ...confirm, identity: join.identity, reply: payload }),
      },
      open: (args) => openJoinConfirm(hash, args as unknown as Parameters<typeof openJoinConfirm>[1]),
      sealed: 'payload',
      others: {
        joinerKey: bob.identity.publicKey,
        roomId: newRoomId(),
        epoch: 2,
        roomKey: random.bytes(32),
        request: appended(request, 0),
        replies: [random.bytes(99)],
      },
      signed: {
        kind: 'joinConfirm',
        by: join.identity,
        bound: ['roomId', 'epoch', 'joiner', 'request', 'reply'],
        ...cell(roomKey, false, 'join-confirm', roomId, 1, joiner),
      },
    },
  ];
}

function contentCases(): Case[] {
  const place = { roomKey, roomId, epoch: 1, sender: bob.id, senderKey: bob.identity.publicKey };
  const others = {
    roomKey: random.bytes(32),
    roomId: newRoomId(),
    epoch: 2,
    sender: carol.id,
    senderKey: carol.identity.publicKey,
  };
  const bound = ['roomId', 'epoch', 'sender'];
  return [
    {
      name: 'message',
      args: {
        ...place,
        payload: sealMessage({ identity: bob.identity, roomKey, body: samples.message }).payload,
      },
      open: (args) => openMessage(args as unknown as Parameters<typeof openMessage>[0]),
      sealed: 'payload',
      others,
      signed: {
        kind: 'message',
        by: bob.identity,
        bound,
        ...cell(roomKey, true, 'message', roomId, 1, bob.id),
      },
    },
    {
      name: 'signal',
      args: { ...place, payload: sealSignal({ identity: bob.identity, roomKey, body: samples.signal }) },
      open: (args) => openSignal(args as unknown as Parameters<typeof openSignal>[0]),
      sealed: 'payload',
      others,
      signed: {
        kind: 'signal',
        by: bob.identity,
        bound,
        ...cell(roomKey, true, 'signal', roomId, 1, bob.id),
      },
    },
  ];
}

async function keyCases(): Promise<Case[]> {
  const made = await makeRotation(ports, {
    identity: owner.identity,
    roster,
    epoch: 1,
    roomKey,
    base: null,
    prekeys: firstPrekeys(owner, bob, carol),
    least: new Map(),
  });
  const { clear, payload, wraps } = made.command;
  const rotation = await verifyRotation(hash, roster, 1, clear, payload);
  const prekeys = new Map([[1, bob.prekey]]);
  const args = { roster, rotation, payload, wrap: wraps[bob.id], oldKey: roomKey, memberId: bob.id, prekeys };
  const changed = (over: Partial<Body<'rotation'>>): Body<'rotation'> => ({ ...rotation, ...over });
  const nextOwner: Roster = { ...roster, owner: carol.id };
  const open = (a: Args): unknown => openRotation(hash, a as unknown as Parameters<typeof openRotation>[1]);

  const asked = {
    identity: bob.identity, roomId, memberId: bob.id, epoch: 1, rotation: roster.head, failed: [],
  }; // prettier-ignore
  const keyRequest = makeKeyRequest(ports, asked);
  const again = makeKeyRequest(ports, asked);
  const give = {
    identity: owner.identity,
    roster,
    epoch: 1,
    roomKey,
    to: bob.id,
    request: keyRequest.container,
    rotation: roster.head,
    news: { profiles: [], roomName: null },
  };
  const grant = await makeKeyGrant(ports, give);
  const grantArgs = {
    roster, granter: owner.id, memberId: bob.id, expectedKeyHash: roster.genesisKeyHash, epoch: 1,
    request: keyRequest.container, prekey: keyRequest.prekey, ...grant,
  }; // prettier-ignore
  const grantOthers = {
    granter: carol.id, memberId: carol.id, expectedKeyHash: random.bytes(32), epoch: 2, request: again.container,
    prekey: again.prekey, roster: elsewhere.roster,
  }; // prettier-ignore
  const openGrant = (a: Args): ReturnType<typeof openKeyGrant> =>
    openKeyGrant(hash, a as unknown as Parameters<typeof openKeyGrant>[1]);
  return [
    {
      name: 'rotation payload',
      args,
      open,
      sealed: 'payload',
      others: { oldKey: random.bytes(32), roster: nextOwner },
      signed: {
        kind: 'rotationInner',
        by: owner.identity,
        bound: ['roomId', 'newEpoch', 'owner', 'head', 'keyHash'],
        ...cell(roomKey, false, 'rotation', roomId, 2, owner.id),
      },
    },
    {
      name: 'wrap',
      args,
      open,
      sealed: 'wrap',
      others: {
        memberId: carol.id,
        prekeys: new Map([[1, carol.prekey]]),
        rotation: changed({ ephemeral: generateKeyPair().publicKey }),
        roster: { ...roster, nonce: random.bytes(32) },
      },
    },
    ...(['roomId', 'newEpoch', 'head', 'keyHash', 'owner'] as const).map((field): Case => ({
      name: `rotation with another ${field} in the clear`,
      args,
      open,
      sealed: 'payload',
      others: {
        rotation: changed({
          [field]: {
            roomId: newRoomId(),
            newEpoch: 3,
            head: random.bytes(32),
            keyHash: random.bytes(32),
            owner: carol.id,
          }[field],
        }),
      },
    })),
    { name: 'grant', args: grantArgs, open: openGrant, sealed: 'grant', others: grantOthers },
    {
      name: 'news of a grant',
      args: grantArgs,
      open: async (a) => {
        const { news } = await openGrant(a);
        if (news === null) throw new CryptoError('MALFORMED', 'the news do not open');
        return news;
      },
      sealed: 'news',
      others: { news: (await makeKeyGrant(ports, { ...give, request: again.container })).news },
    },
  ];
}

async function vaultCases(): Promise<Case[]> {
  const passphrases = passphrasesOf(random);
  const vaultKey = newVaultKey(random);
  const [store, key] = ['rooms', 'one'];
  const { lock, slots } = await sealVaultKey(random, passphrases, 'correct horse', vaultKey);
  const other = await sealVaultKey(random, passphrases, 'correct horse', vaultKey);
  const file = await sealExport(passphrases, 'correct horse', random.bytes(300));
  return [
    {
      name: 'vault record',
      args: { vaultKey, store, key, sealed: sealRecord(vaultKey, store, key, random.bytes(40)) },
      open: (a) => openRecord(a.vaultKey as VaultKey, a.store as string, a.key as string, a.sealed as Bytes),
      sealed: 'sealed',
      others: { vaultKey: newVaultKey(random), store: 'log', key: 'two' },
    },
    {
      name: 'vault key',
      args: { passphrase: 'correct horse', sealed: lock.sealed, salt: lock.salt, slots },
      open: (a) =>
        openVaultKey(passphrases, a.passphrase as string, {
          lock: { ...lock, salt: a.salt as Bytes, sealed: a.sealed as Bytes },
          slots: a.slots as readonly Bytes[],
        }),
      sealed: 'sealed',
      others: { passphrase: 'correct horsf', salt: random.bytes(16), slots: other.slots },
      slow: true,
    },
    {
      name: 'export',
      args: { passphrase: 'correct horse', sealed: file.sealed, salt: file.salt },
      open: (a) =>
        openExport(passphrases, a.passphrase as string, {
          ...file,
          salt: a.salt as Bytes,
          sealed: a.sealed as Bytes,
        }),
      sealed: 'sealed',
      others: { passphrase: '', salt: random.bytes(16) },
      slow: true,
    },
  ];
}

const cases = [...(await joinCases()), ...contentCases(), ...(await keyCases()), ...(await vaultCases())];
const bytesOf = (one: Case): Bytes => one.args[one.sealed] as Bytes;
const opens = async (one: Case, over: Args = {}): Promise<unknown> => one.open({ ...one.args, ...over });
const bindings = cases.flatMap((one) =>
  Object.keys(one.others).map((field) => ({ name: one.name, field, one })),
);

describe('G4: every sealed thing', () => {
  it.each(cases)('$name opens where it belongs', async (one) => {
    await opens(one);
  });

  it.each(bindings)('$name does not open with another $field', async ({ one, field }) => {
    await refusal(() => opens(one, { [field]: one.others[field] }));
  });

  it.each(cases)('$name does not open with any bit flipped', async (one) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * bytesOf(one).length - 1), async (bit) => {
        await refusal(() => opens(one, { [one.sealed]: flipBit(bytesOf(one), bit) }));
      }),
      { numRuns: one.slow ? 4 : 40 },
    );
  });

  it.each(cases)('$name has exactly one length', async (one) => {
    const whole = bytesOf(one);
    const lengths = one.slow
      ? [0, 20, whole.length - 1]
      : [0, 1, 12, 44, 45, 60, whole.length >> 1, whole.length - 1];
    for (const length of lengths) await refusal(() => opens(one, { [one.sealed]: whole.slice(0, length) }));
    await refusal(() => opens(one, { [one.sealed]: appended(whole, 0) }));
    await refusal(() => opens(one, { [one.sealed]: appended(whole, ...whole) }));
    await refusal(() => opens(one, { [one.sealed]: whole.slice(1) }));
  });

  it('opens as no other: each in the place of each', async () => {
    const quick = cases.filter((one) => !one.slow);
    for (const one of quick) {
      for (const other of quick.filter((candidate) => bytesOf(candidate) !== bytesOf(one))) {
        await refusal(() => opens(one, { [one.sealed]: bytesOf(other) }));
      }
    }
  });
});

const signedCases = cases
  .filter((one) => one.signed !== undefined)
  .map((one) => ({ name: one.name, one, signed: one.signed! }));

describe('G3, G4: what is signed inside a seal', () => {
  it.each(signedCases)('$name: resealing the same container changes nothing', async ({ one, signed }) => {
    await opens(one, { [one.sealed]: signed.reseal(signed.unseal(bytesOf(one))) });
  });

  it.each(signedCases)(
    '$name: no field changes under the old signature, even by a holder of the key',
    async ({ one, signed }) => {
      const container = signed.unseal(bytesOf(one));
      const { body } = decodeBody(containerBody(container), signed.kind);
      for (const other of otherBodies(signed.kind, body)) {
        const forged = withBody(container, encodeBody(signed.kind, other.body));
        await refusal(() => opens(one, { [one.sealed]: signed.reseal(forged) }));
      }
    },
  );

  it.each(signedCases)('$name: its own signer cannot put it elsewhere', async ({ one, signed }) => {
    const { body } = decodeBody(containerBody(signed.unseal(bytesOf(one))), signed.kind);
    const fields = new Set<string>();
    for (const other of otherBodies(signed.kind, body).filter(({ field }) => signed.bound.includes(field))) {
      fields.add(other.field);
      const container = signBody(signed.by, signed.kind, other.body);
      await refusal(() => opens(one, { [one.sealed]: signed.reseal(container) }));
    }
    expect([...fields].sort()).toEqual([...signed.bound].sort());
  });

  it.each(signedCases)(
    '$name: no other kind of body passes, signed by the same key',
    async ({ one, signed }) => {
      for (const kind of (Object.keys(samples) as BodyKind[]).filter((other) => other !== signed.kind)) {
        const container = signBody(signed.by, kind, samples[kind]);
        await refusal(() => opens(one, { [one.sealed]: signed.reseal(container) }));
      }
    },
  );

  it.each(signedCases)('$name: nobody else signs it', async ({ one, signed }) => {
    const { body } = decodeBody(containerBody(signed.unseal(bytesOf(one))), signed.kind);
    const container = signBody(carol.identity, signed.kind, body);
    await refusal(() => opens(one, { [one.sealed]: signed.reseal(container) }));
  });
});

describe('join request, step 5', () => {
  it('binds the room, the invite, the owner and the joiner that are signed inside', async () => {
    const ownerKey = owner.identity.publicKey;
    const invite = await createInvite(ports, {
      roomId,
      ownerKey,
      relayKeyHash: random.bytes(32),
      expires: 1,
    });
    const link = await parseInvite(hash, invite.fragment);
    const args = {
      roomId,
      inviteId: invite.inviteId,
      ownerKey,
      token: invite.token,
      inviteKeyPair: invite.keyPair,
    };
    // A holder of the token seals for the right place what was signed for another one.
    const other = await createGenesis(ports, { settings: SETTINGS });
    for (const lie of [{ roomId: other.roomId }, { ownerKey: other.identity.publicKey }]) {
      const join = await makeJoinRequest(ports, { link: { ...link, ...lie }, name: 'Eve' });
      const joinerKey = join.identity.publicKey;
      await refusal(() => openJoinRequest(ports, { ...args, joinerKey, payload: join.payload }));
    }
  });
});
