/**
 * Known answers (libs/crypto/vectors, made by generate.spec-support.ts there): what was encoded, hashed
 * or sealed by an earlier build still reads the same. A change here is a change of the
 * protocol's version, or a mistake.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  BODIES, CONTEXT_KINDS, ctx, decodeBody, decodeCbor, decodeFeedFrame, decodeMessageClear, decodeSessionFrame, encodeBody, encodeCbor,
  encodeMessageClear, encodeSessionFrame, pad, padmeSize, toBase64Url, unpad, VAULT_CONTEXT_KINDS, vaultCtx, type Bytes,
} from '@0fc/protocol'; // prettier-ignore
import {
  inviteIdOf, keyHash, openEarlierExport, openEarlierVaultKey, openExport, openJoinConfirm, openJoinReply, openJoinRequest, openKeyGrant, openMessage, openRecord,
  openRotation, openSignal, openVaultKey, parseInvite, passphrasesOf, safetyNumber,
} from './keys/index.js'; // prettier-ignore
import {
  decodeRoster, encodeRoster, fingerprintOf, memberIdOf, readChain, transcriptGeneration, transcriptNext, verifyRotation,
} from './verify/index.js'; // prettier-ignore
import { FollowedFeed } from './link/feed.js';
import { fromJson, type Json } from './json.spec-support.js';
import type { Encodings, SealedVectors } from './vectors.spec-support.js';
import { hash, ports } from './world.spec-support.js';

const read = (name: string): unknown =>
  fromJson(JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as Json);
const known = read('encodings') as Encodings;
const sealed = read('sealed') as SealedVectors;

describe('encodings', () => {
  it('canonical CBOR', () => {
    for (const { value, bytes } of known.cbor) {
      expect(encodeCbor(value)).toEqual(bytes);
      expect(decodeCbor(bytes)).toEqual(value);
    }
  });

  it('contexts, one of each kind at least', async () => {
    for (const { kind, fields, bytes, sha256 } of known.contexts) {
      expect(ctx(kind, ...fields)).toEqual(bytes);
      expect(await hash.sha256(bytes)).toEqual(sha256);
    }
    expect(new Set(known.contexts.map(({ kind }) => kind))).toEqual(new Set(CONTEXT_KINDS));
  });

  it('contexts of a vault, which are those of version 1 for good', () => {
    expect(VAULT_CONTEXT_KINDS.map((kind) => decodeCbor(vaultCtx(kind, 'rooms', 'x')))).toEqual([
      ['0fc/1/vault-key', 'rooms', 'x'],
      ['0fc/1/vault-lock', 'rooms', 'x'],
      ['0fc/1/vault-slot', 'rooms', 'x'],
      ['0fc/1/vault-record', 'rooms', 'x'],
      ['0fc/1/vault-export', 'rooms', 'x'],
    ]);
  });

  it('bodies, one of each kind at least', () => {
    for (const { kind, body, bytes } of known.bodies) {
      expect(encodeBody(kind, body)).toEqual(bytes);
      expect(decodeBody(bytes, kind).body).toEqual(body);
    }
    expect(new Set(known.bodies.map(({ kind }) => kind))).toEqual(new Set(Object.keys(BODIES)));
  });

  it('Padmé and padding', () => {
    for (const { length, size, padded } of known.padme) {
      expect(padmeSize(length)).toBe(size);
      expect(pad(new Uint8Array(length)).length).toBe(padded);
    }
    for (const { plain, padded } of known.padding) {
      expect(pad(plain)).toEqual(padded);
      expect(unpad(padded)).toEqual(plain);
    }
  });

  it('ids, key hash, safety number', async () => {
    const { ids } = known;
    expect(await memberIdOf(hash, ids.publicKey)).toBe(ids.memberId);
    expect(await fingerprintOf(hash, ids.publicKey)).toBe(ids.fingerprint);
    expect(await inviteIdOf(hash, ids.token)).toBe(ids.inviteId);
    expect(toBase64Url((await hash.sha256(ids.genesis)).subarray(0, 16))).toBe(ids.roomId);
    const { nonce, epoch, key } = known.keyHash;
    expect(await keyHash(hash, nonce, epoch, key)).toEqual(known.keyHash.hash);
    const { roomId, keyA, keyB, digits } = known.safetyNumber;
    expect(await safetyNumber(hash, roomId, keyA, keyB)).toBe(digits);
  });

  it('a transcript over entries of every kind and a new generation', async () => {
    const { start, steps, values } = known.transcript;
    let t: Bytes = start;
    for (const [at, step] of steps.entries()) {
      t =
        'entry' in step
          ? await transcriptNext(hash, t, step.entry)
          : await transcriptGeneration(hash, t, step.generation);
      expect(t).toEqual(values[at]);
    }
  });

  it('frames, the clear part of a message, an invite link', async () => {
    const { counter, messages, bytes } = known.sessionFrame;
    expect(encodeSessionFrame(counter, messages)).toEqual(bytes);
    expect(decodeSessionFrame(bytes, counter - 1).messages).toEqual(messages);
    expect(encodeMessageClear(known.messageClear.epoch)).toEqual(known.messageClear.bytes);
    expect(decodeMessageClear(known.messageClear.bytes)).toBe(known.messageClear.epoch);
    expect(await parseInvite(hash, known.invite.fragment)).toEqual(known.invite.link);
  });
});

describe('what was sealed before', () => {
  const roster = readChain(hash, sealed.roomId, sealed.chain);

  it('a chain, and its stored roster', async () => {
    expect(encodeRoster(await roster)).toEqual(sealed.encodedRoster);
    expect(decodeRoster(sealed.encodedRoster)).toEqual(await roster);
  });

  it('a feed’s frame', () => {
    const { grant, n, bytes, messages } = sealed.feedFrame;
    expect(new FollowedFeed(grant).open(n, decodeFeedFrame(bytes.slice(2))).messages).toEqual(messages);
  });

  it('a message and a signal', () => {
    expect(openMessage(sealed.message.place).body).toEqual(sealed.message.body);
    expect(openSignal(sealed.signal.place)).toEqual(sealed.signal.body);
  });

  it('a rotation', async () => {
    const { clear, payload, wrap, oldKey, prekey, key, keyHash: commitment } = sealed.rotation;
    const rotation = await verifyRotation(hash, await roster, 1, clear, payload);
    expect(rotation.keyHash).toEqual(commitment);
    const reader = { memberId: sealed.memberId, prekeys: new Map([[1, prekey]]) };
    const opened = await openRotation(hash, {
      roster: await roster,
      rotation,
      payload,
      wrap,
      oldKey,
      ...reader,
    });
    expect(opened).toEqual({ key, k: 1 });
  });

  it('a grant', async () => {
    const { opened, ...grant } = sealed.grant;
    const { owner } = await roster;
    const reader = {
      granter: owner,
      memberId: sealed.memberId,
      epoch: 2,
      expectedKeyHash: sealed.rotation.keyHash,
    };
    expect(await openKeyGrant(hash, { roster: await roster, ...reader, ...grant })).toEqual(opened);
  });

  it('a join: invite link, request, reply, confirmation', async () => {
    const { roomId, join } = sealed;
    const { token, inviteId } = await parseInvite(hash, join.fragment);
    const { inviteKeyPair, ownerKey, joinerKey, request, reply, opened } = join;
    const asked = { roomId, inviteId, ownerKey, token, inviteKeyPair, joinerKey, payload: request };
    expect(await openJoinRequest(ports, asked)).toEqual(opened);
    const { joinKey } = opened;
    const { epoch, key: roomKey } = reply.body;
    const joiner = await memberIdOf(hash, joinerKey);
    const answered = { joinKey, token, roomId, joiner, ownerKey, epoch, request, payload: reply.payload };
    expect(await openJoinReply(hash, answered)).toEqual(reply.body);
    const confirmed = {
      joinerKey,
      roomId,
      epoch,
      roomKey,
      payload: join.confirm,
      request,
      replies: [reply.payload],
    };
    await openJoinConfirm(hash, confirmed);
  });

  it('a vault', async () => {
    const { passphrase, sealedKey, key, record, exported, earlier } = sealed.vault;
    expect(await openVaultKey(passphrasesOf(ports.random), passphrase, sealedKey)).toEqual(key);
    expect(openRecord(key, record.store, record.key, record.sealed)).toEqual(record.value);
    expect(await openExport(passphrasesOf(ports.random), passphrase, exported.seal)).toEqual(exported.data);
    expect(openEarlierVaultKey(passphrase, earlier.sealedKey)).toEqual(key);
    expect(openEarlierExport(passphrase, earlier.exported)).toEqual(exported.data);
  });
});
