/** Bytes, base64url and padding (docs/protocol.md section 2). */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  comparePositions, concat, equalBytes, fromBase64Url, fromUtf8, LEAST_PADDED, pad, padmeSize, ProtocolError, toBase64Url,
  toHex, unpad, utf8,
} from './index.js'; // prettier-ignore

describe('base64url', () => {
  it('is that of every other implementation, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url');
        expect(toBase64Url(bytes)).toBe(text);
        expect(fromBase64Url(text)).toEqual(bytes);
      }),
    );
  });

  it('has one text for one byte string', () => {
    fc.assert(
      fc.property(
        fc.string({
          maxLength: 24,
          unit: fc.constantFrom('A', 'B', 'a', '0', '-', '_', '=', '+', '/', ' ', '.', 'é'),
        }),
        (text) => {
          const bytes = fromBase64Url(text);
          if (bytes !== null) expect(toBase64Url(bytes)).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
    for (const text of ['A', 'AB', 'AA=', 'AA==', '+A', '/A', ' AA', 'AA\n', 'AAAAA', 'é'])
      expect(fromBase64Url(text)).toBeNull();
    expect(fromBase64Url('')).toEqual(new Uint8Array());
  });
});

describe('bytes', () => {
  it('concat, compare and print', () => {
    expect(concat()).toEqual(new Uint8Array());
    expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(toHex(Uint8Array.of(0, 15, 255))).toBe('000fff');
    expect(fromUtf8(utf8('\ufeffé😀'))).toBe('\ufeffé😀');
    expect(() => fromUtf8(Uint8Array.of(0xff))).toThrow();
  });

  it('positions compare by generation first', () => {
    const order = [
      { g: 1, s: 0 },
      { g: 1, s: 9 },
      { g: 2, s: 3 },
      { g: 1_700_000_000_000, s: 1 },
    ];
    for (const [at, a] of order.entries()) {
      for (const [bt, b] of order.entries())
        expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(at - bt));
    }
  });
});

describe('padding', () => {
  it('comes off again, and only as it was put on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), fc.nat(), (plain, where) => {
        const padded = pad(plain);
        expect(unpad(padded)).toEqual(plain);
        const zeros = padded.length - 4 - plain.length;
        if (zeros > 0) {
          padded[4 + plain.length + (where % zeros)] = 1;
          expect(() => unpad(padded)).toThrow(ProtocolError);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is refused with another length or size', () => {
    const padded = pad(utf8('x'.repeat(600)));
    for (const wrong of [
      padded.slice(0, -1),
      Uint8Array.of(...padded, 0),
      padded.slice(4),
      new Uint8Array(),
      new Uint8Array(3),
    ]) {
      expect(() => unpad(wrong)).toThrow(/^MALFORMED/);
    }
    for (const length of [0, 599, 5_000, 0xffffffff]) {
      const other = Uint8Array.from(padded);
      new DataView(other.buffer).setUint32(0, length);
      expect(() => unpad(other)).toThrow(/^MALFORMED/);
    }
  });

  it('costs at most 12 %, and leaves few sizes', () => {
    const sizes = new Set<number>();
    let before = 0;
    for (let length = 1; length <= 20_000; length++) {
      const size = padmeSize(length);
      expect(size).toBeGreaterThanOrEqual(length);
      expect(size).toBeGreaterThanOrEqual(before);
      expect(size - length).toBeLessThanOrEqual(length * 0.12);
      before = size;
      sizes.add(size);
    }
    expect(sizes.size).toBeLessThan(150);
    expect(pad(new Uint8Array()).length).toBe(LEAST_PADDED);
    expect(pad(new Uint8Array(LEAST_PADDED - 4)).length).toBe(LEAST_PADDED);
  });
});
