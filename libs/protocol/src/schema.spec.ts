/** Schemas and their limits: what is refused at each edge (docs/protocol.md section 2). */
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { padFrame } from './padding.js';
import {
  anyContent, BODIES, bytes, content, ctx, decodeBody, decodeCbor, decodeFrame, decodeMessageClear, decodeSessionFrame,
  encodeBody, encodeCbor, encodeFrame, encodeMessageClear, encodeSessionFrame, entry, FRAME_TYPES, integer, LIMITS,
  memberId, name, parse, position, ProtocolError, settings, signalContent, text, type Body, type CborValue, type MemberId,
  type RoomId, type SessionMessage,
} from './index.js'; // prettier-ignore

const id = 'AAAAAAAAAAAAAAAAAAAAAA';
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'accepted';
};
const verdict = (schema: v.GenericSchema, value: unknown): string => codeOf(() => parse(schema, value));

describe('building blocks', () => {
  const emoji = '😀';
  it.each<[string, v.GenericSchema, unknown[], unknown[]]>([
    [
      'bytes',
      bytes(1, 3),
      [new Uint8Array(1), Buffer.alloc(3)],
      [new Uint8Array(), new Uint8Array(4), [1], 'a', null],
    ],
    ['integer', integer(1, 5), [1, 5], [0, 6, 1.5, NaN, '1', null, 2 ** 53]],
    ['text', text(1, 4), ['a', 'é'.repeat(2), emoji], ['', 'abcde', `a${emoji}`, '\ud800', 1, null]],
    [
      'name',
      name,
      ['a', 'x'.repeat(64), emoji.repeat(32)],
      ['', 'x'.repeat(65), 'é'.repeat(129), '中'.repeat(86)],
    ],
    [
      'id',
      memberId,
      [id, 'zzzzzzzzzzzzzzzzzzzzzw'],
      ['AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAAA', `${id}A`, `${id}\n`, '', 1],
    ],
    [
      'position',
      position,
      [{ g: 1, s: 0 }],
      [{ g: 0, s: 0 }, { g: 1, s: -1 }, { g: 1 }, { g: 1, s: 0, x: 1 }, [1, 0]],
    ],
  ])('%s', (_name, schema, good, bad) => {
    for (const value of good) expect(verdict(schema, value)).toBe('accepted');
    for (const value of bad) expect(verdict(schema, value)).toBe('MALFORMED');
  });

  it('errors name our field, never the other side’s value or key', () => {
    const message = (value: unknown): string => {
      try {
        parse(v.strictObject({ field: integer(1) }), value);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message({ field: 'se cret' })).toBe('MALFORMED: field is not as the schema says');
    expect(message({ field: 1, 'se cret': 1 })).toBe('MALFORMED: the value is not as the schema says');
  });
});

describe('limits', () => {
  const most = {
    rotateEvery: LIMITS.rotateEvery,
    maxMembers: LIMITS.maxMembers,
    history: LIMITS.historyEntries,
    approval: true,
    joinDeadline: LIMITS.joinDeadlineMs,
  };
  it('of a room’s settings', () => {
    expect(verdict(settings, most)).toBe('accepted');
    for (const field of ['rotateEvery', 'maxMembers', 'history', 'joinDeadline'] as const) {
      expect(verdict(settings, { ...most, [field]: most[field] + 1 })).toBe('MALFORMED');
      expect(verdict(settings, { ...most, [field]: -1 })).toBe('MALFORMED');
    }
    expect(verdict(settings, { ...most, joinDeadline: LIMITS.minJoinDeadlineMs - 1 })).toBe('MALFORMED');
    expect(verdict(settings, { ...most, more: 1 })).toBe('MALFORMED');
  });

  it('of contents', () => {
    const to = { sender: id, instance: new Uint8Array(16), n: 1 };
    const good = [
      { type: 'text', text: 'x'.repeat(LIMITS.textBytes) },
      { type: 'reply', to, text: 'x' },
      { type: 'reaction', to, emoji: '👍', on: false },
      { type: 'void' },
    ];
    const bad = [
      { type: 'text', text: '' },
      { type: 'text', text: 'x'.repeat(LIMITS.textBytes + 1) },
      { type: 'text', text: 'x', more: 1 },
      { type: 'reply', text: 'x' },
      { type: 'reaction', to, emoji: 'x'.repeat(LIMITS.emojiBytes + 1), on: true },
      { type: 'reaction', to: { ...to, n: 0 }, emoji: '👍', on: true },
      { type: 'profile', name: '' },
      { type: 'hologram' },
      {},
    ];
    for (const value of good) expect(verdict(content, value)).toBe('accepted');
    for (const value of bad) expect(verdict(content, value)).toBe('MALFORMED');
    // Sealed by a later version: still a message, of a type that we do not know.
    expect(verdict(anyContent, { type: 'hologram', depth: 3 })).toBe('accepted');
    expect(verdict(anyContent, { type: 'x'.repeat(33) })).toBe('MALFORMED');
    expect(verdict(signalContent, { type: 'typing', more: 1 })).toBe('MALFORMED');
  });

  it('of entries', () => {
    const good = {
      position: { g: 1, s: 1 },
      kind: 'message',
      sender: id,
      time: 0,
      clear: new Uint8Array(),
      payload: new Uint8Array(1),
    };
    expect(verdict(entry, good)).toBe('accepted');
    expect(verdict(entry, { ...good, payload: new Uint8Array(LIMITS.payloadBytes) })).toBe('accepted');
    expect(verdict(entry, { ...good, payload: new Uint8Array(LIMITS.payloadBytes + 1) })).toBe('MALFORMED');
    expect(verdict(entry, { ...good, clear: new Uint8Array(LIMITS.clearBytes + 1) })).toBe('MALFORMED');
    expect(verdict(entry, { ...good, wrap: new Uint8Array(LIMITS.wrapBytes + 1) })).toBe('MALFORMED');
    expect(verdict(entry, { ...good, kind: 'system' })).toBe('MALFORMED');
    expect(verdict(entry, { ...good, wrap: undefined })).toBe('MALFORMED');
    expect(decodeMessageClear(encodeMessageClear(7))).toBe(7);
    expect(codeOf(() => encodeMessageClear(0))).toBe('MALFORMED');
  });
});

describe('bodies', () => {
  const close: Body<'close'> = {
    roomId: id as RoomId,
    epoch: 1,
    head: new Uint8Array(32),
    owner: id as MemberId,
  };

  it('name their room, every one but genesis, which makes it, and what a relay signs', () => {
    for (const [kind, schema] of Object.entries(BODIES)) {
      if (kind !== 'genesis' && kind !== 'relay-succession')
        expect(Object.keys(schema.entries)).toContain('roomId');
    }
  });

  it('decode as the kind that they were encoded as', () => {
    expect(decodeBody(encodeBody('close', close), 'admit', 'close')).toEqual({
      kind: 'close',
      body: close,
      unknown: {},
    });
    expect(codeOf(() => decodeBody(encodeBody('close', close), 'admit'))).toBe('UNKNOWN_KIND');
  });

  it('of another version, without a tag, or of another shape are typed errors', () => {
    const raw = (value: CborValue): string => codeOf(() => decodeBody(encodeCbor(value), 'close'));
    expect(raw(['0fc/2/close', { ...close }])).toBe('accepted');
    expect(raw(['0fc/1/close', { ...close }])).toBe('UNSUPPORTED_VERSION');
    expect(raw(['0fc/3/close', { ...close }])).toBe('UNSUPPORTED_VERSION');
    expect(raw(['0fc/2/closed', { ...close }])).toBe('UNKNOWN_KIND');
    expect(raw(['close', { ...close }])).toBe('UNKNOWN_KIND');
    for (const wrong of [
      { ...close },
      ['0fc/2/close'],
      ['0fc/2/close', { ...close }, 1],
      [1, { ...close }],
      [],
    ]) {
      expect(raw(wrong)).toBe('MALFORMED');
    }
    expect(codeOf(() => encodeBody('close', { ...close, head: new Uint8Array(31) }))).toBe('MALFORMED');
  });

  describe('with fields that this version does not know', () => {
    const decoded = (kind: 'close' | 'settings', fields: Record<string, CborValue>) =>
      decodeBody(encodeCbor([`0fc/2/${kind}`, fields]), kind);
    const settings = { rotateEvery: 9, maxMembers: 9, history: 9, approval: true, joinDeadline: 60_000 };

    it('name them, and keep the others as they are', () => {
      const { body, unknown } = decoded('close', { ...close, more: 1, again: [2], 'x-own': 3 });
      expect(body).toEqual(close);
      expect(unknown).toEqual({ more: 1, again: [2] });
      expect(decoded('close', { ...close }).unknown).toEqual({});
    });

    it('are found inside settings too', () => {
      const { body, unknown } = decoded('settings', {
        ...close,
        settings: { ...settings, lifetime: 7, 'x-own': 3 },
      });
      expect(body).toEqual({ ...close, settings });
      expect(unknown).toEqual({ lifetime: 7 });
    });

    it('do without none of those that it knows', () => {
      const { head: _head, ...rest } = close;
      expect(codeOf(() => decoded('close', { ...rest, more: 1 }))).toBe('MALFORMED');
    });

    it('are no bodies of kinds that are asked and answered', () => {
      const need = {
        roomId: id, memberId: id, epoch: 1, rotation: new Uint8Array(32), prekey: new Uint8Array(45),
        ek: new Uint8Array(1_184), nonce: new Uint8Array(16), failed: [],
      }; // prettier-ignore
      const raw = (fields: Record<string, CborValue>): string =>
        codeOf(() => decodeBody(encodeCbor(['0fc/2/needKey', fields]), 'needKey'));
      expect(raw(need)).toBe('accepted');
      expect(raw({ ...need, more: 1 })).toBe('MALFORMED');
      expect(raw({ ...need, 'x-own': 1 })).toBe('MALFORMED');
    });
  });

  it('share no tag with a context: a hash or a seal is never a body', () => {
    const tags = Object.keys(BODIES).map((kind) => `0fc/2/${kind}`);
    expect(new Set(tags).size).toBe(tags.length);
    // Contexts are flat arrays of several fields, bodies are pairs of a tag and a map.
    const context = decodeCbor(ctx('message', id, 1, id)) as CborValue[];
    expect(context).toEqual(['0fc/2/message', id, 1, id]);
    expect(codeOf(() => decodeBody(ctx('message', id, 1, id), 'message'))).toBe('MALFORMED');
  });
});

describe('frames', () => {
  it('carry a type and bytes', () => {
    const body = Uint8Array.of(1, 2, 3);
    for (const type of Object.values(FRAME_TYPES))
      expect(decodeFrame(encodeFrame(type, body))).toEqual({ type, body });
    expect(decodeFrame(Buffer.from(encodeFrame(FRAME_TYPES.session, body))).body.constructor.name).toBe(
      'Uint8Array',
    );
  });

  it('carry messages under a counter that is exactly the next', () => {
    const messages = [
      { q: 1, kind: 'ack', body: {} },
      { r: 2, body: { a: 1 } },
      { r: 3, error: { code: 'FORBIDDEN', params: { limit: 1 } } },
      { e: 'hello', body: {} },
    ];
    const frame = encodeSessionFrame(5, messages);
    expect(decodeSessionFrame(frame, 4)).toEqual({ messages, items: 33 });
    // Put together from its parts, it has the one encoding of the whole.
    for (const count of [1, 23, 24, 255, 256]) {
      const many = Array.from({ length: count }, (_, at) => messages[at % messages.length]!);
      for (const counter of [1, 23, 24, 256, 65_536])
        expect(encodeSessionFrame(counter, many)).toEqual(padFrame(encodeCbor([counter, many])));
    }
    for (const last of [0, 3, 5, 6])
      expect(codeOf(() => decodeSessionFrame(frame, last))).toBe('OUT_OF_SEQUENCE');
  });

  it('hold no more values than a frame may, on either side', () => {
    const holding = (items: number): SessionMessage => ({
      q: 1,
      kind: 'x',
      body: { x: new Array<number>(items).fill(0) },
    });
    // The frame's two arrays and counter, the message and its three fields, the body and its one.
    const around = 3 + 1 + 6 + 1 + 1;
    const most = holding(LIMITS.frameItems - around);
    expect(decodeSessionFrame(encodeSessionFrame(1, [most]), 0).items).toBe(LIMITS.frameItems);
    const more = holding(LIMITS.frameItems - around + 1);
    expect(codeOf(() => encodeSessionFrame(1, [more]))).toBe('TOO_LARGE');
    expect(codeOf(() => decodeSessionFrame(padFrame(encodeCbor([1, [more as never]])), 0))).toBe('TOO_LARGE');
  });

  it('are refused when empty, too many, too large or of another shape', () => {
    const one = { q: 1, kind: 'ack', body: {} };
    expect(codeOf(() => encodeSessionFrame(1, []))).toBe('MALFORMED');
    expect(codeOf(() => encodeSessionFrame(0, [one]))).toBe('MALFORMED');
    expect(
      codeOf(() =>
        encodeSessionFrame(
          1,
          Array.from({ length: LIMITS.frameMessages + 1 }, () => one),
        ),
      ),
    ).toBe('MALFORMED');
    expect(
      codeOf(() => encodeSessionFrame(1, [{ ...one, body: { x: new Uint8Array(LIMITS.frameBytes) } }])),
    ).toBe('TOO_LARGE');
    const shapes: CborValue[] = [
      [1, [{ q: 1, kind: 'ack' }]],
      [1, [{ q: 1, r: 1, kind: 'ack', body: {} }]],
      [1, [{ q: 0, kind: 'ack', body: {} }]],
      [1, [{}]],
      [1, []],
      [1],
      [],
      {},
      [1, [one], 1],
      [1, [{ ...one, body: new Uint8Array() }]],
      [1, [{ ...one, body: [] }]],
      [1, [{ ...one, body: { ['__proto__']: 1 } }]],
    ];
    for (const shape of shapes)
      expect(codeOf(() => decodeSessionFrame(padFrame(encodeCbor(shape)), 0))).toBe('MALFORMED');
  });
});
