/** docs/protocol.md section 3.1: statements of a relay's succession. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { encodeBody, encodeCbor, fromBase64Url, LIMITS, toBase64Url, type Bytes } from '@0fc/protocol';
import { generateKeyPair, signBody, type KeyPair } from '../keys/index.js';
import { signSuccession } from '../link/index.js';
import { loadThemis } from '../node/index.js';
import { flipBit, withBody } from '../world.spec-support.js';
import { readSuccession, readSuccessions, SuccessionError, SuccessionFork, successorsOf } from './index.js';

const ORIGIN = 'https://chat.example.org';
let old: KeyPair, mid: KeyPair, next: KeyPair, thief: KeyPair;
beforeAll(async () => {
  await loadThemis();
  [old, mid, next, thief] = [generateKeyPair(), generateKeyPair(), generateKeyPair(), generateKeyPair()];
});

const text = (...containers: readonly Bytes[]): string => toBase64Url(encodeCbor(containers));
const signed = (by: KeyPair, origin = ORIGIN): Bytes =>
  signBody(by, 'relay-succession', { old: old.publicKey, new: next.publicKey, origin });
const lead = (from: KeyPair, to: KeyPair, origin = ORIGIN) =>
  readSuccession(signSuccession(from, to, origin));

function reasonOf(statement: string): unknown {
  try {
    readSuccession(statement);
    return null;
  } catch (error) {
    return error instanceof SuccessionError && error.code === 'RELAY_SUCCESSION_INVALID'
      ? error.reason
      : error;
  }
}

describe('a statement', () => {
  it('names both keys and the address, and both have signed it', () => {
    const statement = signSuccession(old, next, ORIGIN);
    expect(readSuccession(statement)).toEqual({ old: old.publicKey, new: next.publicKey, origin: ORIGIN });
    expect(reasonOf(text(signed(old), signed(next)))).toBeNull();
  });

  it('of one key only, of another, or of two halves of two, does not hold', () => {
    expect(reasonOf(text(signed(old), signed(old)))).toBe('BAD_SIGNATURE');
    expect(reasonOf(text(signed(next), signed(next)))).toBe('BAD_SIGNATURE');
    expect(reasonOf(text(signed(next), signed(old)))).toBe('BAD_SIGNATURE');
    expect(reasonOf(text(signed(old), signed(thief)))).toBe('BAD_SIGNATURE');
    expect(reasonOf(text(signed(thief), signed(next)))).toBe('BAD_SIGNATURE');
    expect(reasonOf(text(signed(old), signed(next, 'https://elsewhere.example')))).toBe('MALFORMED');
    const other = signBody(thief, 'relay-succession', {
      old: old.publicKey,
      new: thief.publicKey,
      origin: ORIGIN,
    });
    expect(reasonOf(text(signed(old), other))).toBe('MALFORMED');
  });

  it.each(['old', 'new', 'origin'] as const)('does not hold with another %s', (field) => {
    const body = { old: old.publicKey, new: next.publicKey, origin: ORIGIN };
    const changed = { ...body, [field]: field === 'origin' ? 'https://elsewhere.example' : thief.publicKey };
    const forged = [old, next].map((by) => withBody(signed(by), encodeBody('relay-succession', changed)));
    expect(reasonOf(text(...forged))).toBe('BAD_SIGNATURE');
  });

  it('is of this version and of no other kind: what a key has signed elsewhere is none', () => {
    const container = signed(old);
    const body = Buffer.from(
      encodeBody('relay-succession', { old: old.publicKey, new: next.publicKey, origin: ORIGIN }),
    );
    const later = Buffer.from(body.toString('latin1').replace('0fc/2/', '0fc/3/'), 'latin1');
    expect(reasonOf(text(withBody(container, Uint8Array.from(later)), signed(next)))).toBe(
      'UNSUPPORTED_VERSION',
    );
    // Themis's handshakes sign bare containers of keys with the relay's key.
    const bare = withBody(container, old.publicKey);
    expect(reasonOf(text(bare, bare))).toBe('MALFORMED');
  });

  it('does not lead a key to itself', () => {
    expect(reasonOf(signSuccession(old, old, ORIGIN))).toBe('MALFORMED');
  });

  it('with any bit changed, cut, longer, or of any other bytes is refused by its reason', () => {
    const bytes = fromBase64Url(signSuccession(old, next, ORIGIN))!;
    fc.assert(
      fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
        expect(typeof reasonOf(toBase64Url(flipBit(bytes, bit)))).toBe('string');
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.uint8Array({ maxLength: 700 }).map(toBase64Url)),
        (any) => {
          expect(typeof reasonOf(any)).toBe('string');
        },
      ),
      { numRuns: 100 },
    );
    for (const cut of [bytes.subarray(1), bytes.subarray(0, -1), Uint8Array.of(...bytes, 0)])
      expect(reasonOf(toBase64Url(cut))).toBe('MALFORMED');
    expect(reasonOf(text(signed(old), signed(next), signed(next)))).toBe('MALFORMED');
    expect(reasonOf(text(signed(old)))).toBe('MALFORMED');
    expect(reasonOf('A'.repeat(10_000_000))).toBe('TOO_LARGE');
  });

  it('is read among no more than a relay publishes, all of which fit config.json', () => {
    const most = Array.from({ length: LIMITS.successions }, () =>
      signSuccession(old, next, `https://${'x'.repeat(LIMITS.originBytes - 8)}`),
    );
    expect(readSuccessions(most)).toHaveLength(LIMITS.successions);
    expect(JSON.stringify({ relayPublicKey: toBase64Url(old.publicKey), version: '0.1.0', succession: most }).length)
      .toBeLessThan(16_384); // prettier-ignore
    expect(() => readSuccessions([...most, most[0]!])).toThrow(
      expect.objectContaining({ reason: 'TOO_LARGE' }),
    );
  });
});

describe('the way from a key', () => {
  const keys = (way: readonly Bytes[]): readonly string[] => way.map(toBase64Url);

  it('goes over as many successions as there were, in whatever order they are named', () => {
    const all = [lead(mid, next), lead(old, mid)];
    expect(keys(successorsOf(old.publicKey, ORIGIN, all))).toEqual(keys([mid.publicKey, next.publicKey]));
    expect(keys(successorsOf(mid.publicKey, ORIGIN, all))).toEqual(keys([next.publicKey]));
    expect(successorsOf(next.publicKey, ORIGIN, all)).toEqual([]);
    expect(successorsOf(thief.publicKey, ORIGIN, all)).toEqual([]);
  });

  it('ends at the address: a statement of another one leads nowhere, and says why', () => {
    const elsewhere = [lead(old, next, 'https://elsewhere.example')];
    expect(() => successorsOf(old.publicKey, ORIGIN, elsewhere)).toThrow(
      expect.objectContaining({ code: 'RELAY_SUCCESSION_INVALID', reason: 'ORIGIN' }),
    );
    const both = [...elsewhere, lead(old, mid)];
    expect(keys(successorsOf(old.publicKey, ORIGIN, both))).toEqual(keys([mid.publicKey]));
  });

  it('stops where a key on it has two successors; the same one twice is one', () => {
    const fork = [lead(old, mid), lead(mid, next), lead(mid, thief)];
    expect(() => successorsOf(old.publicKey, ORIGIN, fork)).toThrow(SuccessionFork);
    expect(() => successorsOf(old.publicKey, ORIGIN, fork)).toThrow(
      expect.objectContaining({ code: 'RELAY_SUCCESSION_FORKED' }),
    );
    // Behind who asks it is over: a thief of a key that was left misleads nobody who has left it.
    expect(successorsOf(next.publicKey, ORIGIN, [lead(old, next), lead(old, thief)])).toEqual([]);
    expect(keys(successorsOf(old.publicKey, ORIGIN, [lead(old, mid), lead(old, mid)]))).toEqual(
      keys([mid.publicKey]),
    );
  });

  it('never comes back to a key that it has passed', () => {
    const round = [lead(old, mid), lead(mid, next), lead(next, mid)];
    expect(() => successorsOf(old.publicKey, ORIGIN, round)).toThrow(
      expect.objectContaining({ code: 'RELAY_KEY_LEFT' }),
    );
    expect(() => successorsOf(old.publicKey, ORIGIN, [lead(old, mid), lead(mid, old)])).toThrow(
      expect.objectContaining({ code: 'RELAY_KEY_LEFT' }),
    );
  });
});
