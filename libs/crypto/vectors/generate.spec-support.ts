/** Writes the known-answer vectors of this folder; see README.md here. */
import { writeFileSync } from 'node:fs';
import {
  concat, ctx, encodeBody, encodeCbor, encodeFeedHead, encodeMessageClear, encodeSessionFrame, pad, padmeSize, PROTOCOL_VERSION, toBase64Url, type Body,
  type BodyKind, type Bytes, type CborValue, type ContextKind, type InviteId, type JoinReplyBody, type MemberId,
  type RoomId, type RoomSettings,
} from '@0fc/protocol'; // prettier-ignore
import {
  asInviteToken, asJoinKey, asRoomKey, createGenesis, createInvite, exposeSecret, hybridPublicKey, inviteIdOf, keyHash, makeJoinConfirm,
  makeJoinReply, makeJoinRequest, makeKeyGrant, makeKeyRequest, makeRotation, newVaultKey, openJoinRequest,
  parseInvite, passphrasesOf, type Ports, safetyNumber, sealExport, sealMessage, sealRecord, sealSignal, sealVaultKey, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import {
  encodeRoster, fingerprintOf, memberIdOf, readChain, startRoster, transcriptGeneration, transcriptNext,
} from '@0fc/crypto/verify'; // prettier-ignore
import { Feed, FeedTags } from '../src/link/feed.js';
import { toJson } from '../src/json.spec-support.js';
import { sealUnstretched } from '../src/keys/unstretched.spec-support.js';
import type { Encodings, SealedVectors } from '../src/vectors.spec-support.js';

const hash = nodeHash;
const ports: Ports = { hash, random: nodeRandom, clock: systemClock };
const settings: RoomSettings = {
  rotateEvery: 100,
  maxMembers: 10,
  history: 10_000,
  approval: true,
  joinDeadline: 86_400_000,
};

/** Bytes that are easy to tell apart: `from`, `from + 1`, … */
const run = (length: number, from: number): Bytes => Uint8Array.from({ length }, (_, at) => (from + at) & 0xff);
const id = (from: number): string => toBase64Url(run(16, from));
const roomId = id(0x10) as RoomId;
const [alice, bob] = [id(0x20) as MemberId, id(0x30) as MemberId];
const inviteId = id(0x40) as InviteId;
/** Of the shape of a public key; a schema asks for no more. */
const key = (from: number): Bytes => Uint8Array.of(0x55, 0x45, 0x43, 0x32, 0, 0, 0, 45, ...run(4, from), 2, ...run(32, from));

const onHead = { roomId, epoch: 7, head: run(32, 0x50), owner: alice };
const place = { roomId, epoch: 7, sender: bob };
const bodies: { [K in BodyKind]: Body<K> } = {
  genesis: {
    version: PROTOCOL_VERSION,
    ownerKey: key(1),
    nonce: run(32, 3),
    keyHash: run(32, 4),
    settings,
  },
  admit: { ...onHead, key: key(5), prekey: run(200, 6), inviteId },
  remove: { ...onHead, member: bob, reason: 'removed' },
  leave: { ...onHead, member: bob, request: run(150, 8) },
  transfer: { ...onHead, to: bob, acceptance: run(150, 9) },
  settings: { ...onHead, settings: { ...settings, rotateEvery: 50 } },
  close: { ...onHead },
  upgrade: { ...onHead, version: 3 },
  leaveRequest: { roomId, member: bob, admit: run(32, 10) },
  transferOffer: { roomId, head: run(32, 0x50), old: alice, new: bob, nonce: run(16, 11) },
  transferAcceptance: { roomId, epoch: 7, old: alice, new: bob, nonce: run(16, 11) },
  prekey: { roomId, memberId: bob, k: 12, key: key(13), ekHash: run(32, 50) },
  joinRequest: {
    roomId,
    inviteId,
    ownerKey: key(1),
    inviteKey: key(48),
    joinerKey: key(14),
    joinKey: asJoinKey(run(32, 15)),
    prekey: run(200, 16),
    ek: run(1_184, 51),
    name: 'Zoë 🦊',
  },
  joinReply: { roomId, epoch: 7, joiner: bob, request: run(32, 17), reply: run(32, 49) },
  joinConfirm: { roomId, epoch: 7, joiner: bob, request: run(32, 17), reply: run(32, 18) },
  message: {
    ...place,
    instance: run(16, 19),
    n: 300,
    mid: run(16, 20),
    seen: { position: { g: 1_764_000_000_000, s: 65_536 }, t: run(32, 21) },
    sentAt: 1_764_000_000_000,
    content: { type: 'reply', to: { sender: alice, instance: run(16, 22), n: 1 }, text: 'hello, «monde» 👋' },
  },
  signal: {
    ...place,
    instance: run(16, 19),
    counter: 2,
    sentAt: 1_764_000_000_000,
    content: { type: 'presence', seen: { position: { g: 1, s: 2 }, t: run(32, 23) }, head: run(32, 24) },
  },
  rotation: {
    roomId,
    newEpoch: 8,
    owner: alice,
    head: run(32, 0x50),
    keyHash: run(32, 25),
    ephemeral: key(26),
    unwrapped: [bob],
    payload: run(32, 27),
    base: run(32, 47),
    signedAt: 1_764_000_000_000,
    cold: false,
  },
  rotationInner: { roomId, newEpoch: 8, owner: alice, head: run(32, 0x50), keyHash: run(32, 25), prekeys: [3, 0] },
  needKey: { roomId, memberId: bob, epoch: 7, rotation: run(32, 49), prekey: key(28), ek: run(1_184, 52), nonce: run(16, 29), failed: [alice] },
  keyGrant: {
    roomId,
    epoch: 7,
    granter: alice,
    memberId: bob,
    request: run(32, 30),
    ephemeral: key(31),
    ct: run(1_088, 53),
    sealed: run(160, 32),
  },
  'relay-succession': { old: key(40), new: key(41), origin: 'https://chat.example.org' },
};

const contexts: readonly (readonly [ContextKind, ...CborValue[]])[] = [
  ['key', run(32, 3), 7, run(32, 33)],
  ['invite-id', run(32, 34)],
  ['join-request', roomId, inviteId, key(14)],
  ['join-reply', roomId, 7, run(32, 34), run(32, 17)],
  ['join-confirm', roomId, 7, bob],
  ['message', roomId, 7, bob],
  ['signal', roomId, 7, bob],
  ['rotation', roomId, 8, alice],
  ['wrap', roomId, 8, bob],
  ['grant', roomId, 7, alice, bob, run(32, 30)],
  ['transcript', 1, 2, 'message', bob, run(32, 35), run(32, 36), run(32, 37)],
  ['generation', run(32, 37), 1_764_000_000_000],
  ['checkpoint', run(32, 47), run(32, 48)],
  ['safety-number', 0, roomId, key(1), key(14)],
  ['hybrid', 'wrap', roomId, 8, bob, run(32, 42), run(32, 43), run(32, 44)],
];

const cborValues: readonly CborValue[] = [
  0, 1, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER, -1, -24, -25, -256,
  -Number.MAX_SAFE_INTEGER, true, false, null, '', 'a', 'é😀', '\ufeff', 'x'.repeat(24), run(0, 0), run(23, 0), run(24, 0),
  run(256, 0), [], [[], [[]]], {}, { b: 1, a: 2 }, { aa: 1, b: 2, '': 3 }, { nested: { list: [1, 'two', run(3, 3), null] } },
  { é: 1, z: 2, zz: 3 },
]; // prettier-ignore

async function encodings(): Promise<Encodings> {
  const steps: Encodings['transcript']['steps'] = [
    { entry: { position: { g: 1, s: 1 }, kind: 'roster', sender: alice, clear: run(0, 0), payload: run(60, 38) } },
    { entry: { position: { g: 1, s: 2 }, kind: 'message', sender: bob, clear: encodeMessageClear(1), payload: run(60, 39) } },
    { generation: 1_764_000_000_000 },
    { entry: { position: { g: 1_764_000_000_000, s: 3 }, kind: 'rotation', sender: alice, clear: run(60, 40), payload: run(60, 41) } },
    { entry: { position: { g: 1_764_000_000_000, s: 4 }, kind: 'leaveRequest', sender: bob, clear: run(0, 0), payload: run(60, 42) } },
  ];
  const start = run(64, 43);
  const values: Bytes[] = [];
  for (const step of steps) {
    const before = values.at(-1) ?? start;
    values.push(
      'entry' in step
        ? await transcriptNext(hash, before, step.entry)
        : await transcriptGeneration(hash, before, step.generation),
    );
  }
  const genesis = encodeBody('genesis', bodies.genesis);
  const room = await createGenesis(ports, { settings });
  const relayKeyHash = run(32, 44);
  const invite = await createInvite(ports, {
    roomId: room.roomId,
    ownerKey: room.identity.publicKey,
    relayKeyHash,
    expires: 1_764_000_000_000,
  });
  const messages = [
    { q: 1, kind: 'ack', body: { position: { g: 1, s: 2 } } },
    { r: 1, body: {} },
    { r: 2, error: { code: 'RATE_LIMITED', params: { retryMs: 250 } } },
  ];
  const nonce = run(32, 3);
  const roomKey = asRoomKey(run(32, 33));
  return {
    cbor: cborValues.map((value) => ({ value, bytes: encodeCbor(value) })),
    contexts: await Promise.all(
      contexts.map(async ([kind, ...fields]) => {
        const bytes = ctx(kind, ...fields);
        return { kind, fields, bytes, sha256: await hash.sha256(bytes) };
      }),
    ),
    bodies: (Object.keys(bodies) as BodyKind[]).map((kind) => ({
      kind,
      body: bodies[kind],
      bytes: encodeBody(kind, bodies[kind]),
    })),
    padme: [0, 1, 2, 3, 8, 9, 100, 508, 509, 512, 1_000, 1_024, 1_025, 10_000, 16_384, 20_000, 700_000].map((length) => ({
      length,
      size: padmeSize(length),
      padded: pad(new Uint8Array(length)).length,
    })),
    padding: [run(0, 0), run(3, 1), run(600, 2)].map((plain) => ({ plain, padded: pad(plain) })),
    ids: {
      publicKey: key(1),
      memberId: await memberIdOf(hash, key(1)),
      fingerprint: await fingerprintOf(hash, key(1)),
      token: asInviteToken(run(32, 34)),
      inviteId: await inviteIdOf(hash, asInviteToken(run(32, 34))),
      genesis,
      roomId: toBase64Url((await hash.sha256(genesis)).subarray(0, 16)) as RoomId,
    },
    keyHash: { nonce, epoch: 7, key: roomKey, hash: await keyHash(hash, nonce, 7, roomKey) },
    transcript: { start, steps, values },
    safetyNumber: { roomId, keyA: key(14), keyB: key(1), digits: await safetyNumber(hash, roomId, key(14), key(1)) },
    messageClear: { epoch: 7, bytes: encodeMessageClear(7) },
    sessionFrame: { counter: 3, messages, bytes: encodeSessionFrame(3, messages) },
    invite: { fragment: invite.fragment, link: await parseInvite(hash, invite.fragment) },
  };
}

/** The third cell of a feed, to who was given a part in it before the second. */
function feedFrame(): SealedVectors['feedFrame'] {
  const feed = new Feed(nodeRandom);
  const messages = [{ e: 'signalled', body: { sender: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 3, payload: run(7, 20) } }];
  feed.seal(messages);
  const grant = feed.grant();
  feed.seal(messages);
  const { c, cell, digest } = feed.seal(messages);
  const tag = new FeedTags({ ...grant, tagKey: Uint8Array.from(grant.tagKey) }).tag(9, c, digest);
  return { grant, n: 9, messages, bytes: concat(encodeFeedHead({ n: 9, c, tag }), cell) };
}

async function sealed(): Promise<SealedVectors> {
  const room = await createGenesis(ports, { settings });
  const { identity: owner, roomKey } = room;
  const start = await startRoster(hash, room.container);
  const ownerKey = owner.publicKey;
  const invite = await createInvite(ports, { roomId: room.roomId, ownerKey, relayKeyHash: run(32, 44), expires: 1_764_000_000_000 });
  const link = await parseInvite(hash, invite.fragment);
  const join = await makeJoinRequest(ports, { link, name: 'Zoë 🦊' });
  const joinerKey = join.identity.publicKey;
  const request = join.payload;
  const asked = { roomId: room.roomId, inviteId: invite.inviteId, ownerKey, token: invite.token, inviteKeyPair: invite.keyPair, joinerKey, payload: request };
  const opened = await openJoinRequest(ports, asked);

  const memberId = await memberIdOf(hash, joinerKey);
  const body: JoinReplyBody = {
    epoch: 1,
    key: roomKey,
    head: start.head,
    rotation: null,
    floor: { g: 1, s: 0 },
    t: start.head,
    counters: [{ sender: start.owner, instance: run(16, 45), n: 2 }],
    profiles: [run(300, 46)],
    roomName: run(300, 47),
  };
  const where = { owner, joinKey: join.joinKey, token: invite.token, roomId: room.roomId, joiner: memberId, request };
  const payload = await makeJoinReply(hash, { ...where, reply: body });
  const confirmPlace = { identity: join.identity, roomId: room.roomId, epoch: 1, roomKey, request, reply: payload };
  const confirm = await makeJoinConfirm(hash, confirmPlace);

  const admit = signBody(owner, 'admit', {
    roomId: room.roomId,
    head: start.head,
    owner: start.owner,
    key: joinerKey,
    prekey: opened.prekey,
    epoch: 1,
    inviteId: invite.inviteId,
  });
  const chain = [room.container, admit];
  const roster = await readChain(hash, room.roomId, chain);
  const prekeys = new Map([
    [start.owner, { k: 1, ...hybridPublicKey(room.prekey) }],
    [memberId, { k: 1, ...hybridPublicKey(join.prekey) }],
  ]);
  const rotation = await makeRotation(ports, { identity: owner, roster, epoch: 1, roomKey, base: run(32, 47), prekeys, least: new Map() });
  const wrap = rotation.command.wraps[memberId];
  if (wrap === undefined) throw new Error('no wrap for the member');
  const keyRequest = makeKeyRequest(ports, {
    identity: join.identity, roomId: room.roomId, memberId, epoch: 2, rotation: run(32, 49), failed: [],
  }); // prettier-ignore
  const news = { profiles: [run(300, 46)], roomName: null };
  const granting = { identity: owner, roster, epoch: 2, roomKey: rotation.newKey, to: memberId, request: keyRequest.container, rotation: run(32, 49), news };
  const grant = await makeKeyGrant(ports, granting);

  const message: Body<'message'> = { ...bodies.message, roomId: room.roomId, epoch: 1, sender: memberId };
  const signal: Body<'signal'> = { ...bodies.signal, roomId: room.roomId, epoch: 1, sender: memberId };
  const sender = { roomKey, roomId: room.roomId, epoch: 1, sender: memberId, senderKey: joinerKey };
  const vaultKey = newVaultKey(nodeRandom);
  const passphrase = 'correct horse battery staple';
  const passphrases = passphrasesOf(ports.random);
  return {
    feedFrame: feedFrame(),
    roomId: room.roomId,
    chain,
    encodedRoster: encodeRoster(roster),
    memberId,
    message: {
      place: { ...sender, payload: sealMessage({ identity: join.identity, roomKey, body: message }).payload },
      body: message,
    },
    signal: {
      place: { ...sender, payload: sealSignal({ identity: join.identity, roomKey, body: signal }) },
      body: signal,
    },
    rotation: {
      clear: rotation.command.clear,
      payload: rotation.command.payload,
      wrap,
      oldKey: roomKey,
      prekey: join.prekey,
      key: rotation.newKey,
      keyHash: rotation.keyHash,
    },
    grant: { request: keyRequest.container, prekey: keyRequest.prekey, ...grant, opened: { key: rotation.newKey, news } },
    join: {
      fragment: invite.fragment,
      inviteKeyPair: invite.keyPair,
      ownerKey,
      joinerKey,
      request,
      opened,
      reply: { payload, body },
      confirm,
    },
    vault: {
      passphrase,
      sealedKey: await sealVaultKey(ports.random, passphrases, passphrase, vaultKey),
      key: vaultKey,
      record: {
        store: 'rooms',
        key: 'one',
        sealed: sealRecord(vaultKey, 'rooms', 'one', run(100, 48)),
        value: run(100, 48),
      },
      exported: { seal: await sealExport(passphrases, passphrase, run(500, 49)), data: run(500, 49) },
      earlier: {
        sealedKey: sealUnstretched(passphrase, exposeSecret(vaultKey), 'vault-key'),
        exported: sealUnstretched(passphrase, run(500, 49), 'vault-export'),
      },
    },
  };
}

await loadThemis();
for (const [name, value] of [['encodings', await encodings()], ['sealed', await sealed()]] as const) {
  const file = new URL(`./${name}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(toJson(value), null, 1)}\n`);
}
