/** docs/protocol.md section 2: deterministic CBOR, and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  countItems,
  decodeCbor,
  encodeCbor,
  ProtocolError,
  utf8,
  type Bytes,
  type CborValue,
} from './index.js';

const hex = (text: string): Bytes => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const refused = (run: () => unknown): void => {
  expect(run).toThrow(ProtocolError);
  expect(run).toThrow(/^MALFORMED/);
};

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger().map((value) => (value === 0 ? 0 : value)),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.uint8Array({ maxLength: 40 }),
);
const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', ''),
);
const values: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

describe('a value', () => {
  it('is encoded into plain bytes, of which a slice is a copy', () => {
    const encoded = encodeCbor(['a', 1]);
    const before = [...encoded];
    encoded.slice(0, 2).fill(0);
    expect([...encoded]).toEqual(before);
  });

  it('decodes to itself, and has one encoding', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encodeCbor(value);
        const decoded = decodeCbor(encoded);
        expect(decoded).toEqual(value);
        expect(encodeCbor(decoded)).toEqual(encoded);
      }),
      { numRuns: 300 },
    );
  });

  it('encodes the same whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 8 }), (keys) => {
        const forwards = Object.fromEntries(keys.map((name, at) => [name, at]));
        const backwards = Object.fromEntries(keys.map((name, at) => [name, at] as const).reverse());
        expect(encodeCbor(backwards)).toEqual(encodeCbor(forwards));
      }),
      { numRuns: 100 },
    );
  });

  it('has its keys in one order: shorter ones first, then by their bytes', () => {
    const ascii = fc.string({ unit: fc.constantFrom('a', 'b', 'Z', '~', '\0', '\x7f'), maxLength: 3 });
    const any = fc.oneof(ascii, fc.string({ unit: fc.constantFrom('a', 'é', '\uffee', '😀'), maxLength: 3 }));
    fc.assert(
      fc.property(fc.uniqueArray(any, { minLength: 2, maxLength: 2 }), (keys) => {
        const [first = '', second = ''] = keys.sort((a, b) => {
          const [left, right] = [Buffer.from(a), Buffer.from(b)];
          return left.length - right.length || left.compare(right);
        });
        const map = (...names: readonly string[]): Bytes =>
          Uint8Array.of(0xa2, ...names.flatMap((name) => [...encodeCbor(name), 0]));
        expect(decodeCbor(map(first, second))).toEqual({ [first]: 0, [second]: 0 });
        refused(() => decodeCbor(map(second, first)));
      }),
      { numRuns: 500 },
    );
  });

  it('is the bytes that come in, or is refused: no second encoding decodes', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, where, flip) => {
        const bytes = encodeCbor(value);
        bytes[where % bytes.length]! ^= flip;
        let decoded: CborValue;
        try {
          decoded = decodeCbor(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          return;
        }
        expect(encodeCbor(decoded)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('from noise is a typed error or canonical', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let decoded: CborValue;
        try {
          decoded = decodeCbor(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          return;
        }
        expect(encodeCbor(decoded)).toEqual(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps a byte order mark, and a key named __proto__, as they are', () => {
    expect(decodeCbor(encodeCbor('\ufeffx'))).toBe('\ufeffx');
    const decoded = decodeCbor(hex('a1 69 5f5f70726f746f5f5f a1 61 78 01')) as Record<string, CborValue>;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.keys(decoded)).toEqual(['__proto__']);
    expect('x' in decoded).toBe(false);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('owns its bytes: nothing changes when the frame is reused', () => {
    const frame = Buffer.from(encodeCbor([utf8('secret')]));
    const [inner] = decodeCbor(frame) as Bytes[];
    frame.fill(0);
    expect(inner).toEqual(utf8('secret'));
    expect(inner?.constructor.name).toBe('Uint8Array');
  });
});

describe('refused on decoding', () => {
  it.each([
    ['nothing', ''],
    ['trailing bytes', '01 01'],
    ['an integer longer than needed', '18 01'],
    ['a length longer than needed', '58 01 01'],
    ['an array length longer than needed', '98 01 01'],
    ['a map length longer than needed', 'b8 01 61 61 01'],
    ['2^53', '1b 0020000000000000'],
    ['-2^53', '3b 001fffffffffffff'],
    ['a float', 'fb 3ff0000000000000'],
    ['a half', 'f9 3c00'],
    ['NaN', 'f9 7e00'],
    ['undefined', 'f7'],
    ['a simple value', 'e0'],
    ['a long false', 'f8 14'],
    ['a tag', 'c0 60'],
    ['a bignum', 'c2 41 01'],
    ['indefinite bytes', '5f 41 01 ff'],
    ['indefinite text', '7f 61 61 ff'],
    ['an indefinite array', '9f 01 ff'],
    ['an indefinite map', 'bf 61 61 01 ff'],
    ['a break', 'ff'],
    ['a duplicate key', 'a2 61 61 01 61 61 02'],
    ['keys out of order', 'a2 61 62 01 61 61 02'],
    ['a longer key first', 'a2 62 61 61 01 61 62 02'],
    ['a key that is a number', 'a1 01 01'],
    ['a key that is bytes', 'a1 41 61 01'],
    ['a key that is a map', 'a1 a0 01'],
    ['text that is not UTF-8', '61 ff'],
    ['overlong UTF-8', '62 c080'],
    ['a surrogate in UTF-8', '63 eda080'],
    ['a key that is not UTF-8', 'a1 61 ff 01'],
    ['text that is cut', '62 61'],
    ['an array that claims 2^32 items', '9b 0000000100000000'],
    ['bytes that claim 2^32', '5b 0000000100000000'],
    ['text that claims 2^32', '7a ffffffff'],
    ['a map that claims 2^32 entries', 'bb 0000000100000000'],
    ['an array that is cut', '82 01'],
    ['a map that is cut', 'a1 61 61'],
  ])('%s', (_name, bytes) => {
    refused(() => decodeCbor(hex(bytes)));
  });

  it('what is nested too deeply, however deeply', () => {
    const nested = (depth: number): Bytes => Uint8Array.of(...new Uint8Array(depth).fill(0x81), 1);
    expect(decodeCbor(nested(16))).toBeDefined();
    for (const depth of [17, 100, 100_000]) refused(() => decodeCbor(nested(depth)));
    const maps = Uint8Array.from({ length: 90_000 }, (_, at) => [0xa1, 0x61, 0x61][at % 3]!);
    refused(() => decodeCbor(maps));
  });
});

/** As the codec counts: every value, keys of maps included. */
const itemsIn = (value: CborValue): number => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1;
  const entries: readonly [unknown, CborValue][] = Object.entries(value);
  const keys = Array.isArray(value) ? 0 : entries.length;
  return entries.reduce((sum, [, item]) => sum + itemsIn(item), 1 + keys);
};

describe('the number of values', () => {
  it('is counted without decoding any, and bounds what is decoded', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encodeCbor(value);
        const items = itemsIn(value);
        expect(countItems(encoded, items)).toBe(items);
        expect(decodeCbor(encoded, items)).toEqual(value);
        expect(() => countItems(encoded, items - 1)).toThrow(/^TOO_LARGE/);
        expect(() => decodeCbor(encoded, items - 1)).toThrow(/^TOO_LARGE/);
      }),
      { numRuns: 300 },
    );
  });

  it('of noise ends, within the bound or with a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (bytes, most) => {
        try {
          expect(countItems(bytes, most)).toBeLessThanOrEqual(most);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect(error).toMatchObject({ code: 'TOO_LARGE' });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('refused on encoding', () => {
  it.each([
    ['a float', 1.5],
    ['NaN', NaN],
    ['infinity', Infinity],
    ['negative zero', -0],
    ['2^53', 2 ** 53],
    ['undefined', undefined],
    ['undefined in a map', { a: undefined }],
    ['a hole', Array.from({ length: 1 })],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    ['an array of another kind', new Uint16Array(1)],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
  ])('%s', (_name, value) => {
    refused(() => encodeCbor(value as CborValue));
    refused(() => encodeCbor([value as CborValue]));
  });

  it('what is nested too deeply, or in itself', () => {
    const loop: CborValue[] = [];
    loop.push(loop);
    refused(() => encodeCbor(loop));
  });
});
