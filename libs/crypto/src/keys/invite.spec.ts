/** docs/protocol.md section 5; G2: what an invite link holds and refuses. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  concat,
  encodeCbor,
  fromBase64Url,
  toBase64Url,
  toHex,
  type Bytes,
  type CborValue,
} from '@0fc/protocol';
import {
  asJoinKey, asRoomKey, createInvite, exposeSecret, generateKeyPair, inviteIdOf, makeJoinReply, parseInvite,
} from './index.js'; // prettier-ignore
import { codeOf, hash, newMemberId, newRoomId, ports, random } from '../world.spec-support.js';

const options = {
  roomId: newRoomId(),
  ownerKey: generateKeyPair().publicKey,
  relayKeyHash: random.bytes(32),
  expires: 1_800_000_000_000,
};
const invite = await createInvite(ports, options);
const sealed = async (body: Bytes): Promise<string> =>
  toBase64Url(concat(body, (await hash.sha256(body)).subarray(0, 4)));

describe('an invite link', () => {
  it('says everything that the joiner needs, from a fragment, a URL or a pasted mail', async () => {
    const wanted = {
      v: 2, roomId: options.roomId, ownerKey: options.ownerKey, inviteKey: invite.keyPair.publicKey, token: invite.token,
      relay: options.relayKeyHash, expires: options.expires, inviteId: invite.inviteId,
    }; // prettier-ignore
    const { fragment } = invite;
    const wrapped = `${fragment.slice(0, 70)}\r\n ${fragment.slice(70)}\n`;
    for (const text of [
      fragment,
      `#${fragment}`,
      `https://chat.example/join#${fragment}`,
      ` https://chat.example/#${wrapped}`,
    ]) {
      expect(await parseInvite(hash, text)).toEqual(wanted);
    }
  });

  it('with any letter changed, missing or added is refused', async () => {
    const letters = invite.fragment;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(letters.length - 1),
        fc.constantFrom('A', 'z', '5', '-', '_', '=', '%', 'é'),
        async (at, letter) => {
          fc.pre(letters[at] !== letter);
          const without = letters.slice(0, at) + letters.slice(at + 1);
          for (const text of [
            letters.slice(0, at) + letter + letters.slice(at + 1),
            without,
            letters.slice(0, at),
          ]) {
            expect(await codeOf(() => parseInvite(hash, text))).toBe('INVITE_MALFORMED');
          }
        },
      ),
      { numRuns: 60 },
    );
    for (const text of ['', '#', 'https://chat.example/', 'A'.repeat(100_000)]) {
      expect(await codeOf(() => parseInvite(hash, text))).toBe('INVITE_MALFORMED');
    }
  });

  it('with right check bytes over wrong content is refused', async () => {
    const link = await parseInvite(hash, invite.fragment);
    const { inviteId, ...plain } = link;
    expect(await parseInvite(hash, await sealed(encodeCbor(plain)))).toEqual({ ...plain, inviteId });
    const wrong = [
      { ...plain, ownerKey: random.bytes(45) },
      { ...plain, inviteKey: random.bytes(45) },
      { ...plain, v: 0 },
      { ...plain, v: '2' },
      { ...plain, token: random.bytes(31) },
      { ...plain, more: 1 },
      { ...plain, expires: -1 },
    ];
    for (const content of wrong) {
      const text = await sealed(encodeCbor(content));
      expect(await codeOf(() => parseInvite(hash, text))).toBe('INVITE_MALFORMED');
    }
  });

  it('of an earlier or a later version says which', async () => {
    const { inviteId, ...plain } = await parseInvite(hash, invite.fragment);
    expect(inviteId).toBe(invite.inviteId);
    const codeFor = async (content: CborValue): Promise<string> => {
      const text = await sealed(encodeCbor(content));
      return codeOf(() => parseInvite(hash, text));
    };
    expect(await codeFor({ ...plain, v: 1 })).toBe('INVITE_OUTDATED');
    expect(await codeFor({ ...plain, v: 3, more: 1 })).toBe('UNSUPPORTED_VERSION');
  });

  it('never ends in a letter that a messenger leaves out of the link', async () => {
    for (let at = 0; at < 40; at++) {
      const expires = at % 2 === 0 ? 2 ** 32 + at : Number.MAX_SAFE_INTEGER - at;
      expect((await createInvite(ports, { ...options, expires })).fragment).not.toMatch(/[-_]$/);
    }
  });

  it('the relay’s name for it tells nothing of the token', async () => {
    expect(await inviteIdOf(hash, invite.token)).toBe(invite.inviteId);
    const id = fromBase64Url(invite.inviteId)!;
    expect(id).toHaveLength(16);
    expect(toHex(exposeSecret(invite.token))).not.toContain(toHex(id));
    const again = await createInvite(ports, options);
    expect(again.inviteId).not.toBe(invite.inviteId);
    expect(again.token).not.toEqual(invite.token);
    expect(again.keyPair.publicKey).not.toEqual(invite.keyPair.publicKey);
  });
});

describe('a join reply', () => {
  it('that would exceed the relay’s limit is refused before it is sent', async () => {
    const reply = {
      epoch: 1, key: asRoomKey(random.bytes(32)), head: random.bytes(32), rotation: null, floor: { g: 1, s: 0 }, t: random.bytes(32),
      counters: [], profiles: Array.from({ length: 300 }, () => random.bytes(4_096)), roomName: null,
    }; // prettier-ignore
    const place = {
      owner: generateKeyPair(),
      joiner: newMemberId(),
      joinKey: asJoinKey(random.bytes(32)),
      token: invite.token,
      roomId: options.roomId,
      request: random.bytes(9),
    };
    expect(await codeOf(() => makeJoinReply(hash, { ...place, reply }))).toBe('TOO_LARGE');
  });
});
