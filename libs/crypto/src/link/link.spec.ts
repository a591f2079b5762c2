/** docs/protocol.md section 3; G5, G12, G13: the link. */
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  decodeFrame,
  encodeMessage,
  encodeFrame,
  FRAME_TYPES,
  LIMITS,
  MOST_IN_FRAME,
  type Bytes,
  type SessionMessage,
} from '@0fc/protocol';
import { PrivateKey, PublicKey, SecureSession } from 'wasm-themis';
import { asPrivateKey, generateKeyPair } from '../keys/index.js';
import { ClientLink, RelayLink, splitForFrames } from './index.js';
import { appended, codeOf, flipBit, random } from '../world.spec-support.js';

const relay = generateKeyPair();
const member = generateKeyPair();
const open: { destroy(): void }[] = [];
const track = <T extends { destroy(): void }>(link: T): T => {
  open.push(link);
  return link;
};
const client = (identity = member, relayKey = relay.publicKey): ClientLink =>
  track(ClientLink.open({ identity, relayKey }));
const server = (pair = relay): RelayLink => track(RelayLink.accept({ relay: pair }));
afterEach(() => {
  for (const link of open.splice(0)) link.destroy();
});

const ping = (q: number): SessionMessage => ({ q, kind: 'ack', body: {} });

/** Both ends, established, with the four frames that made them so. */
function connect(): { c: ClientLink; r: RelayLink; frames: [Bytes, Bytes, Bytes, Bytes] } {
  const [c, r] = [client(), server()];
  const one = c.start();
  const two = r.receive(one).reply!;
  const three = c.receive(two).reply!;
  const four = r.receive(three).reply!;
  const last = c.receive(four);
  expect(last).toEqual({ reply: null, established: true, messages: [], items: 0 });
  return { c, r, frames: [one, two, three, four] };
}

describe('the handshake', () => {
  it('establishes both ends, each with the key that the other has proved', () => {
    const { c, r } = connect();
    expect([c.established, r.established]).toEqual([true, true]);
    expect(c.peer).toEqual(relay.publicKey);
    expect(r.peer).toEqual(member.publicKey);
  });

  it('G12: gives no identity before the peer has proved its key', () => {
    const { frames } = connect();
    // The first message of somebody else's handshake, replayed: the answer is useless without the private key.
    const r = server();
    const received = r.receive(frames[0]);
    expect(received.established).toBe(false);
    expect([r.established, r.peer]).toEqual([false, null]);
    expect(received.reply).not.toEqual(frames[1]);
  });

  it('G12: the rest of a recorded handshake does not complete a new one', async () => {
    const { frames } = connect();
    const r = server();
    r.receive(frames[0]);
    expect(await codeOf(() => r.receive(frames[2]))).toBe('HANDSHAKE_FAILED');
    expect(r.peer).toBeNull();
  });

  it('G13: fails with another relay than the pinned one', async () => {
    const c = client();
    const impostor = server(generateKeyPair());
    const { reply } = impostor.receive(c.start());
    expect(await codeOf(() => c.receive(reply))).toBe('RELAY_KEY_MISMATCH');
    expect([c.established, c.peer]).toEqual([false, null]);
  });

  it('G13: fails with a relay that claims the pinned id and holds another key', async () => {
    const c = client();
    const other = generateKeyPair();
    const raw = track(
      new SecureSession(relay.publicKey, new PrivateKey(other.privateKey), (id) => new PublicKey(id)),
    );
    const reply = raw.negotiateReply(decodeFrame(c.start()).body);
    expect(await codeOf(() => c.receive(encodeFrame(FRAME_TYPES.handshake, reply)))).toBe('HANDSHAKE_FAILED');
  });

  it('G12: fails for a client that claims an id and holds another key', async () => {
    const other = generateKeyPair();
    const raw = track(
      new SecureSession(member.publicKey, new PrivateKey(other.privateKey), (id) => new PublicKey(id)),
    );
    const r = server();
    expect(await codeOf(() => r.receive(encodeFrame(FRAME_TYPES.handshake, raw.connectionRequest())))).toBe(
      'HANDSHAKE_FAILED',
    );
    expect(r.peer).toBeNull();
  });

  it('refuses an id that is no canonical key', async () => {
    const long = appended(member.publicKey, 0);
    for (const id of [
      long,
      random.bytes(45),
      member.publicKey.slice(0, 44),
      Uint8Array.of(1),
      flipBit(member.publicKey, 8 * 9),
    ]) {
      const raw = track(
        new SecureSession(id, new PrivateKey(member.privateKey), (peer) => new PublicKey(peer)),
      );
      const r = server();
      expect(await codeOf(() => r.receive(encodeFrame(FRAME_TYPES.handshake, raw.connectionRequest())))).toBe(
        'HANDSHAKE_FAILED',
      );
    }
  });

  it('refuses the relay’s own key as a client, and reflection of a client onto itself', async () => {
    const raw = track(
      new SecureSession(relay.publicKey, new PrivateKey(relay.privateKey), (id) => new PublicKey(id)),
    );
    const r = server();
    expect(await codeOf(() => r.receive(encodeFrame(FRAME_TYPES.handshake, raw.connectionRequest())))).toBe(
      'HANDSHAKE_FAILED',
    );
    expect(await codeOf(() => client(relay))).toBe('BAD_KEY');
    const c = client();
    const first = c.start();
    expect(await codeOf(() => c.receive(first))).toBe('RELAY_KEY_MISMATCH');
  });

  it('a client never answers as a relay would', async () => {
    // An untouched Secure Session is a server: whoever speaks first would get an answer.
    const [c, other] = [
      client(member, relay.publicKey),
      track(new SecureSession(relay.publicKey, new PrivateKey(relay.privateKey), (id) => new PublicKey(id))),
    ];
    const request = encodeFrame(FRAME_TYPES.handshake, other.connectionRequest());
    expect(await codeOf(() => c.receive(request))).toBe('HANDSHAKE_FAILED');
  });

  it('any changed bit of any handshake frame fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.double({ min: 0, max: 0.999, noNaN: true }), async (which, where) => {
        const [c, r] = [client(), server()];
        const spoil = (frame: Bytes, step: number): Bytes =>
          step === which ? flipBit(frame, 16 + Math.floor(where * 8 * (frame.length - 2))) : frame;
        const run = (): void => {
          const two = r.receive(spoil(c.start(), 0)).reply!;
          const three = c.receive(spoil(two, 1)).reply!;
          c.receive(r.receive(spoil(three, 2)).reply!);
        };
        expect(['HANDSHAKE_FAILED', 'RELAY_KEY_MISMATCH']).toContain(await codeOf(run));
      }),
      { numRuns: 40 },
    );
  });

  it('is over once established, and starts once', async () => {
    const { c, r, frames } = connect();
    expect(await codeOf(() => c.start())).toBe('HANDSHAKE_FAILED');
    expect(await codeOf(() => r.receive(frames[0]))).toBe('SESSION_BROKEN');
    expect(r.established).toBe(false);
    const fresh = client();
    fresh.start();
    expect(await codeOf(() => fresh.start())).toBe('HANDSHAKE_FAILED');
  });

  it('a second first frame kills it', async () => {
    const r = server();
    r.receive(client().start());
    expect(await codeOf(() => r.receive(client().start()))).toBe('HANDSHAKE_FAILED');
    expect(await codeOf(() => r.receive(client().start()))).toBe('SESSION_BROKEN');
  });

  it('carries no data before it is done', async () => {
    const { c } = connect();
    const data = c.seal([ping(1)]);
    const r = server();
    expect(await codeOf(() => r.receive(data))).toBe('HANDSHAKE_FAILED');
    expect(await codeOf(() => client().seal([ping(1)]))).toBe('SESSION_BROKEN');
  });

  it('refuses keys that are none', async () => {
    expect(await codeOf(() => ClientLink.open({ identity: member, relayKey: random.bytes(45) }))).toBe(
      'BAD_KEY',
    );
    const noPrivate = { publicKey: member.publicKey, privateKey: asPrivateKey(random.bytes(45)) };
    expect(await codeOf(() => ClientLink.open({ identity: noPrivate, relayKey: relay.publicKey }))).toBe(
      'BAD_KEY',
    );
    expect(await codeOf(() => RelayLink.accept({ relay: noPrivate }))).toBe('BAD_KEY');
  });
});

describe('frames of an established session', () => {
  it('carry lists of messages both ways, in order', () => {
    const { c, r } = connect();
    for (let round = 1; round <= 20; round++) {
      const [up, down] = [[ping(round), ping(round + 100)], [{ r: round, body: {} }]];
      expect(r.receive(c.seal(up)).messages).toEqual(up);
      expect(c.receive(r.seal(down)).messages).toEqual(down);
    }
  });

  it('carry any size', () => {
    const { c, r } = connect();
    for (const size of [0, 1, 2, 3, 15, 16, 17, 255, 256, 4_095, 65_536, 300_000]) {
      const messages = [{ e: 'entries', body: { x: random.bytes(size) } }];
      expect(r.receive(c.seal(messages)).messages).toEqual(messages);
    }
  });

  it('G5: an exact replay, which Themis takes, is refused and kills the link', async () => {
    const { c, r } = connect();
    const frame = c.seal([ping(1)]);
    r.receive(frame);
    expect(await codeOf(() => r.receive(frame))).toBe('OUT_OF_SEQUENCE');
    expect([r.established, r.peer]).toEqual([false, null]);
    expect(await codeOf(() => r.receive(c.seal([ping(2)])))).toBe('SESSION_BROKEN');
    expect(await codeOf(() => r.seal([ping(1)]))).toBe('SESSION_BROKEN');
  });

  it('G6: a frame left out, or two in the wrong order, are refused', async () => {
    const one = connect();
    one.c.seal([ping(1)]);
    expect(await codeOf(() => one.r.receive(one.c.seal([ping(2)])))).toBe('OUT_OF_SEQUENCE');
    const two = connect();
    const [first, second] = [two.c.seal([ping(1)]), two.c.seal([ping(2)])];
    expect(await codeOf(() => two.r.receive(second))).toBe('OUT_OF_SEQUENCE');
    expect(await codeOf(() => two.r.receive(first))).toBe('SESSION_BROKEN');
  });

  it('G5: a frame sent back to its sender is refused', async () => {
    const { c } = connect();
    const frame = c.seal([ping(1)]);
    expect(['SESSION_BROKEN', 'OUT_OF_SEQUENCE']).toContain(await codeOf(() => c.receive(frame)));
  });

  it('of another session of the same two keys are refused', async () => {
    const [one, two] = [connect(), connect()];
    expect(await codeOf(() => two.r.receive(one.c.seal([ping(1)])))).toBe('SESSION_BROKEN');
  });

  it('with any bit changed, cut or lengthened are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), async (where) => {
        const { c, r } = connect();
        const frame = c.seal([ping(1)]);
        // Behind the bytes that nothing covers (below).
        const spoilt = flipBit(frame, 8 * 22 + Math.floor(where * 8 * (frame.length - 22)));
        expect(await codeOf(() => r.receive(spoilt))).toBe('SESSION_BROKEN');
        expect(r.established).toBe(false);
      }),
      { numRuns: 25 },
    );
    for (const spoil of [
      (f: Bytes) => f.slice(0, -1),
      (f: Bytes) => f.slice(0, 3),
      (f: Bytes) => appended(f, 0),
    ]) {
      const { c, r } = connect();
      expect(await codeOf(() => r.receive(spoil(c.seal([ping(1)]))))).toBe('SESSION_BROKEN');
    }
  });

  it('with any byte changed are refused; 4 that Themis neither reads nor covers change nothing, and count once', async () => {
    const { length } = connect().c.seal([ping(1)]);
    for (let at = 2; at < length; at++) {
      const { c, r } = connect();
      const frame = c.seal([ping(1)]);
      const spoilt = flipBit(frame, 8 * at + (at % 8));
      if (at >= 18 && at < 22) {
        expect(r.receive(spoilt).messages).toEqual([ping(1)]);
        expect(await codeOf(() => r.receive(frame))).toBe('OUT_OF_SEQUENCE');
      } else expect([at, await codeOf(() => r.receive(spoilt))]).toEqual([at, 'SESSION_BROKEN']);
    }
  });

  it('of another version, type or shape are typed errors and kill the link', async () => {
    const wrong: [string, unknown][] = [
      ['UNSUPPORTED_VERSION', Uint8Array.of(1, 1, 0, 0)],
      ['MALFORMED', Uint8Array.of(2, 7, 0, 0)],
      ['MALFORMED', 'text'],
      ['MALFORMED', null],
      ['MALFORMED', Uint8Array.of(2, 1)],
      ['TOO_LARGE', new Uint8Array(LIMITS.frameBytes + 1).fill(2)],
      ['TOO_LARGE', encodeFrame(FRAME_TYPES.handshake, new Uint8Array(LIMITS.handshakeBytes))],
    ];
    for (const [code, frame] of wrong) {
      const { r } = connect();
      expect(await codeOf(() => r.receive(frame))).toBe(code);
      expect(r.established).toBe(false);
    }
  });

  it('that would be too large or malformed are refused before they are wrapped: the session goes on', async () => {
    const { c, r } = connect();
    const large = { q: 1, kind: 'append', body: { x: new Uint8Array(LIMITS.frameBytes) } };
    for (let time = 0; time < 20; time++) expect(await codeOf(() => c.seal([large]))).toBe('TOO_LARGE');
    expect(await codeOf(() => c.seal([]))).toBe('MALFORMED');
    expect(r.receive(c.seal([ping(1)])).messages).toEqual([ping(1)]);
  });
});

describe('a handshake frame is taken apart before Themis sees it', () => {
  /** Frames of a real handshake, each with the end that takes it, up to the point where it does. */
  function upTo(step: number): { take: (frame: Bytes) => unknown; frame: Bytes } {
    const [c, r] = [client(), server()];
    let frame = c.start();
    for (let at = 0; at < step; at++) frame = (at % 2 === 0 ? r : c).receive(frame).reply!;
    return { take: (some) => (step % 2 === 0 ? r : c).receive(some), frame };
  }
  const negotiate = jest.spyOn(SecureSession.prototype, 'negotiateReply');
  afterAll(() => negotiate.mockRestore());
  async function refusedUnseen(step: number, change: (frame: Bytes) => Bytes): Promise<void> {
    const { take, frame } = upTo(step);
    negotiate.mockClear();
    expect(await codeOf(() => take(change(frame)))).toBe('HANDSHAKE_FAILED');
    expect(negotiate).not.toHaveBeenCalled();
  }
  /** Where a container of four letters, length and checksum begins, from the frame's first byte on. */
  const CONTAINERS = [[2, 14, 26, 71], [2, 14, 26, 71], [2], [2]] as const;
  const steps = fc.nat(3);

  it('cut anywhere', () =>
    fc.assert(
      fc.asyncProperty(steps, fc.double({ min: 0, max: 0.999, noNaN: true }), async (step, where) => {
        await refusedUnseen(step, (frame) => frame.slice(0, 3 + Math.floor(where * (frame.length - 3))));
      }),
      { numRuns: 30 },
    ));

  it('lengthened by anything', () =>
    fc.assert(
      fc.asyncProperty(steps, fc.uint8Array({ minLength: 1, maxLength: 300 }), async (step, more) => {
        await refusedUnseen(step, (frame) => appended(frame, ...more));
      }),
      { numRuns: 30 },
    ));

  it('with another length or another name in any container', () =>
    fc.assert(
      fc.asyncProperty(
        steps,
        fc.nat(),
        fc.nat(7),
        fc.integer({ min: 1, max: 255 }),
        async (step, which, at, flip) => {
          const places = CONTAINERS[step]!;
          await refusedUnseen(step, (frame) => {
            const spoilt = Uint8Array.from(frame);
            spoilt[places[which % places.length]! + at]! ^= flip;
            return spoilt;
          });
        },
      ),
      { numRuns: 60 },
    ));

  it('with a signature that is none', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom([0, 116], [1, 116], [2, 14]),
        fc.nat(1),
        fc.integer({ min: 1, max: 255 }),
        async ([step, place], at, flip) => {
          await refusedUnseen(step, (frame) => {
            const spoilt = Uint8Array.from(frame);
            spoilt[place + at]! ^= flip;
            return spoilt;
          });
        },
      ),
      { numRuns: 30 },
    ));

  it('that is noise, or another step’s', () =>
    fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 3 }),
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        async (step, other, noise) => {
          await refusedUnseen(step, () => encodeFrame(FRAME_TYPES.handshake, noise));
          const { frame } = upTo((step + other) % 4);
          // A client’s request and a relay’s answer to it have one form.
          if (step + ((step + other) % 4) !== 1) await refusedUnseen(step, () => frame);
        },
      ),
      { numRuns: 30 },
    ));

  it('and every real one passes', () => {
    for (let time = 0; time < 60; time++) connect();
  });
});

describe('the end of a link', () => {
  it('destroy is idempotent and final', async () => {
    const { c } = connect();
    c.destroy();
    c.destroy();
    expect([c.established, c.peer]).toEqual([false, null]);
    expect(await codeOf(() => c.seal([ping(1)]))).toBe('SESSION_BROKEN');
    expect(await codeOf(() => c.start())).toBe('SESSION_BROKEN');
  });
});

describe('splitting', () => {
  const message = (size: number): SessionMessage => ({ e: 'entries', body: { x: new Uint8Array(size) } });

  it('keeps order and content, and every group fits one frame', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300_000), { maxLength: 12 }), (sizes) => {
        const messages = sizes.map(message);
        const groups = splitForFrames(messages);
        expect(groups.flat()).toEqual(messages);
        const { c } = connect();
        for (const group of groups) expect(c.seal(group).length).toBeLessThanOrEqual(LIMITS.frameBytes);
      }),
      { numRuns: 8 },
    );
  });

  it('fills a frame up to its limits, and no further', async () => {
    // Beside the bytes of its body: their length, and that of all with the heads of the frame.
    const around = encodeMessage(message(100_000)).length - 100_000;
    const most = MOST_IN_FRAME - 4 - 16 - around;
    const { c } = connect();
    expect(c.seal(splitForFrames([message(most)])[0]!).length).toBeLessThanOrEqual(LIMITS.frameBytes);
    expect(await codeOf(() => splitForFrames([message(most + 1)]))).toBe('TOO_LARGE');
    const many = Array.from({ length: LIMITS.frameMessages + 1 }, (_, at) => ping(at + 1));
    expect(splitForFrames(many).map((group) => group.length)).toEqual([LIMITS.frameMessages, 1]);
    expect(splitForFrames([])).toEqual([]);
    // Values count as bytes do.
    const dense = (q: number): SessionMessage => ({
      q,
      kind: 'x',
      body: { x: new Array<number>(3_000).fill(0) },
    });
    expect(splitForFrames([dense(1), dense(2), dense(3)]).map((group) => group.length)).toEqual([2, 1]);
    expect(
      await codeOf(() =>
        splitForFrames([{ q: 1, kind: 'x', body: { x: new Array<number>(LIMITS.frameItems).fill(0) } }]),
      ),
    ).toBe('TOO_LARGE');
  });
});
