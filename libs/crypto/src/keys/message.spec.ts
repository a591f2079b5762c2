/** docs/protocol.md section 6, G3: messages, signals, profiles. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ctx, decodeMessageClear, LIMITS, pad, utf8, type Body, type Bytes } from '@0fc/protocol';
import {
  asRoomKey, generateKeyPair, openAgain, openMessage, openProfile, openSignal, sealAgain, sealMessage, sealSignal, signBody,
} from './index.js'; // prettier-ignore
import { sealCell } from '../cell.js';
import { sampleBodies } from '../bodies.spec-support.js';
import { alarmOf, codeOf, makeWorld, newRoomId, random } from '../world.spec-support.js';

const world = await makeWorld();
const { roomId, bob, carol, room } = world;
const { roomKey } = room;
const samples = await sampleBodies(world);
const place = { roomKey, roomId, epoch: 1, sender: bob.id, senderKey: bob.identity.publicKey };
const seal = (content: Body<'message'>['content'], over: Partial<Body<'message'>> = {}) =>
  sealMessage({ identity: bob.identity, roomKey, body: { ...samples.message, ...over, content } });
const sealedAs = (kind: 'message' | 'signal', plain: Bytes): Bytes =>
  sealCell(roomKey, plain, ctx(kind, roomId, 1, bob.id));

describe('a message', () => {
  it('opens to what was sealed, whatever it says', () => {
    const text = fc.string({ minLength: 1, maxLength: 2_000, unit: 'binary' });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(2 ** 40), (words, n, sentAt) => {
        const content = { type: 'text', text: words };
        const { clear, payload, container } = seal(content, { n, sentAt });
        const opened = openMessage({ ...place, payload });
        expect(opened.body).toEqual({ ...samples.message, n, sentAt, content });
        expect(opened.container).toEqual(container);
        expect(decodeMessageClear(clear)).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  it('of the longest text fits, one letter more does not', async () => {
    const longest = '\u{1F600}'.repeat(LIMITS.textBytes / 4);
    expect(utf8(longest).length).toBe(LIMITS.textBytes);
    expect(
      openMessage({ ...place, payload: seal({ type: 'text', text: longest }).payload }).body.content,
    ).toEqual({ type: 'text', text: longest });
    expect(await codeOf(() => seal({ type: 'text', text: 'x'.repeat(LIMITS.payloadBytes) }))).toBe(
      'TOO_LARGE',
    );
  });

  it('shows by its size neither a short text nor its type', () => {
    const target = { sender: carol.id, instance: random.bytes(16), n: 123_456 };
    const contents = [
      { type: 'text', text: 'yes' },
      { type: 'text', text: 'no, thank you, and see you all on Thursday' },
      { type: 'reaction', to: target, emoji: '👍', on: true },
      { type: 'delete', to: target },
      { type: 'profile', name: 'Bob' },
      { type: 'void' },
    ];
    expect(new Set(contents.map((content) => seal(content).payload.length)).size).toBe(1);
  });

  it('never looks alike twice', () => {
    expect(seal({ type: 'void' }).payload).not.toEqual(seal({ type: 'void' }).payload);
  });

  it('of a type that a later version knows opens', () => {
    const content = { type: 'hologram', depth: 3 };
    expect(openMessage({ ...place, payload: seal(content).payload }).body.content).toEqual(content);
  });
});

describe('what a client shows when a message does not open', () => {
  const opening = (payload: Bytes) => () => openMessage({ ...place, payload });

  it('ALARM_UNREADABLE: noise, another key, no padding, no container', async () => {
    const other = sealMessage({
      identity: bob.identity,
      roomKey: asRoomKey(random.bytes(32)),
      body: samples.message,
    }).payload;
    const unpadded = sealedAs('message', signBody(bob.identity, 'message', samples.message));
    for (const payload of [random.bytes(300), other, unpadded, sealedAs('message', pad(random.bytes(90)))]) {
      expect(await alarmOf(opening(payload))).toBe('ALARM_UNREADABLE');
    }
  });

  it('ALARM_BAD_SIGNATURE: a member that writes as another, or moves or relabels its words', async () => {
    const asBob = signBody(carol.identity, 'message', samples.message);
    const moved = signBody(bob.identity, 'message', { ...samples.message, epoch: 2 });
    const signal = signBody(bob.identity, 'signal', samples.signal);
    for (const container of [asBob, moved, signal]) {
      expect(await alarmOf(opening(sealedAs('message', pad(container))))).toBe('ALARM_BAD_SIGNATURE');
    }
    expect(await alarmOf(() => openSignal({ ...place, payload: sealedAs('signal', pad(asBob)) }))).toBe(
      'ALARM_BAD_SIGNATURE',
    );
  });
});

describe('a message of the epoch before, inside another', () => {
  const inner = (content: Body<'message'>['content']) => ({
    identity: bob.identity,
    roomKey,
    body: { ...samples.message, content },
  });

  it('of the longest line fits its own limit and that of the other, and opens to what was sealed', async () => {
    const to = { sender: carol.id, instance: random.bytes(16), n: 2 ** 40 };
    const content = { type: 'reply', to, text: '\u{1F600}'.repeat(LIMITS.textBytes / 4) };
    const again = sealAgain(inner(content));
    expect(again.payload.length).toBeLessThanOrEqual(LIMITS.againBytes);
    const outer = { ...samples.message, epoch: 2, content: { ...again } };
    const later = asRoomKey(random.bytes(32));
    const { payload } = sealMessage({ identity: bob.identity, roomKey: later, body: outer });
    const opened = openMessage({ ...place, roomKey: later, epoch: 2, payload }).body;
    expect(opened).toEqual(outer);
    expect(openAgain({ ...place, payload: again.payload }, opened)?.body.content).toEqual(content);
    // What fills that limit fits into the other as well, and one letter more does not fill it.
    const most = { ...outer, content: { ...again, payload: new Uint8Array(LIMITS.againBytes) } };
    expect(() => sealMessage({ identity: bob.identity, roomKey: later, body: most })).not.toThrow();
    const over = { type: 'text', text: 'x'.repeat(LIMITS.againBytes) };
    expect(await codeOf(() => sealAgain(inner(over)))).toBe('TOO_LARGE');
  });

  it('is of the epoch before alone', async () => {
    const { payload } = sealAgain(inner({ type: 'text', text: 'then' }));
    for (const epoch of [1, 3]) {
      for (const key of [roomKey, null]) {
        const opening = () => openAgain({ ...place, roomKey: key, payload }, { ...samples.message, epoch });
        expect(await codeOf(opening)).toBe('BAD_ENTRY');
      }
    }
  });

  it('opens under the key of its own epoch alone, and to nothing without it', async () => {
    const { payload } = sealAgain(inner({ type: 'text', text: 'then' }));
    const outer = { ...samples.message, epoch: 2 };
    const later = asRoomKey(random.bytes(32));
    expect(await alarmOf(() => openAgain({ ...place, roomKey: later, payload }, outer))).toBe(
      'ALARM_UNREADABLE',
    );
    expect(openAgain({ ...place, roomKey: null, payload }, outer)).toBeNull();
    expect(openAgain({ ...place, payload }, outer)?.body.content).toEqual({ type: 'text', text: 'then' });
  });

  it('is its sender’s own, under the counter, nonce and instance of the message that brings it', async () => {
    const { payload } = sealAgain(inner({ type: 'text', text: 'then' }));
    const outer = { ...samples.message, epoch: 2 };
    for (const other of [{ n: outer.n + 1 }, { mid: random.bytes(16) }, { instance: random.bytes(16) }]) {
      const opening = () => openAgain({ ...place, payload }, { ...outer, ...other });
      expect(await codeOf(opening)).toBe('BAD_SIGNATURE');
    }
    const opening = () => openAgain({ ...place, senderKey: carol.identity.publicKey, payload }, outer);
    expect(await codeOf(opening)).toBe('BAD_SIGNATURE');
  });

  it.each([
    { type: 'again', epoch: 1, payload: random.bytes(8) },
    { type: 'profile', name: 'Mallory' },
    { type: 'roomName', name: 'Mallory’s' },
  ])('is never a content $type', async (content) => {
    const { payload } = sealAgain(inner(content));
    const opening = () => openAgain({ ...place, payload }, { ...samples.message, epoch: 2 });
    expect(await codeOf(opening)).toBe('BAD_ENTRY');
  });
});

describe('a signal', () => {
  it('opens to what was sealed, and typing looks like presence', () => {
    const typing: Body<'signal'> = { ...samples.signal, content: { type: 'typing' } };
    const sizes = [samples.signal, typing].map((body) => {
      const payload = sealSignal({ identity: bob.identity, roomKey, body });
      expect(openSignal({ ...place, payload })).toEqual(body);
      return payload.length;
    });
    expect(sizes[0]).toBe(sizes[1]);
    expect(sizes[0]).toBeLessThanOrEqual(LIMITS.signalBytes);
  });
});

describe('a profile on its own', () => {
  const profile = (type: string, over: Partial<Body<'message'>> = {}): Bytes =>
    signBody(bob.identity, 'message', { ...samples.message, ...over, content: { type, name: 'Bob' } });

  it('opens with its author’s key, in its room', async () => {
    for (const type of ['profile', 'roomName']) {
      expect(openProfile(bob.identity.publicKey, roomId, profile(type)).content).toEqual({
        type,
        name: 'Bob',
      });
    }
    expect(await codeOf(() => openProfile(carol.identity.publicKey, roomId, profile('profile')))).toBe(
      'BAD_SIGNATURE',
    );
    expect(await codeOf(() => openProfile(generateKeyPair().publicKey, roomId, profile('profile')))).toBe(
      'BAD_SIGNATURE',
    );
    expect(await codeOf(() => openProfile(bob.identity.publicKey, newRoomId(), profile('profile')))).toBe(
      'BAD_ENTRY',
    );
  });

  it('is no other message: a text is not passed on as a name', async () => {
    expect(await codeOf(() => openProfile(bob.identity.publicKey, roomId, profile('text')))).toBe(
      'BAD_ENTRY',
    );
    const signal = signBody(bob.identity, 'signal', samples.signal);
    expect(await codeOf(() => openProfile(bob.identity.publicKey, roomId, signal))).toBe('UNKNOWN_KIND');
  });
});
