/** The guards that make secrets of bytes; that no kind passes for another is asked in test/architecture/secrets.spec.ts. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  asInviteToken, asJoinKey, asKemSeed, asPrivateKey, asRoomKey, asVaultKey, equalSecrets, exposeSecret,
} from './keys/index.js'; // prettier-ignore
import { asHybridKey, asSlotSecret } from './secrets.js';
import { codeOf, random } from './world.spec-support.js';

const guards = [
  ['roomKey', 32, asRoomKey],
  ['joinKey', 32, asJoinKey],
  ['inviteToken', 32, asInviteToken],
  ['vaultKey', 32, asVaultKey],
  ['privateKey', 45, asPrivateKey],
  ['kemSeed', 64, asKemSeed],
  ['hybridKey', 32, asHybridKey],
  ['slotSecret', 32, asSlotSecret],
] as const;

describe.each(guards)('%s', (field, length, guard) => {
  it(`is ${String(length)} bytes, and no other number`, async () => {
    for (let given = 0; given <= 80; given++) {
      const bytes = random.bytes(given);
      if (given === length) expect(exposeSecret(guard(bytes))).toBe(bytes);
      else expect(await codeOf(() => guard(bytes))).toBe('BAD_KEY');
    }
  });

  it('is named when it is refused, and nothing of it is', () => {
    expect(() => guard(random.bytes(31))).toThrow(
      new RegExp(`^BAD_KEY: ${field}: ${String(length)} bytes expected, 31 given$`),
    );
  });

  it('is the very bytes that were given, so that wiping it wipes them', () => {
    const bytes = random.bytes(length);
    const secret = guard(bytes);
    expect(exposeSecret(secret)).toBe(bytes);
    secret.fill(0);
    expect(bytes).toEqual(new Uint8Array(length));
  });
});

describe('two secrets of one kind', () => {
  it('are equal when every byte is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(31), fc.integer({ min: 1, max: 255 }), (bytes, at, by) => {
        const other = Uint8Array.from(bytes);
        expect(equalSecrets(asRoomKey(bytes), asRoomKey(other))).toBe(true);
        other[at] = (other[at] ?? 0) ^ by;
        expect(equalSecrets(asRoomKey(bytes), asRoomKey(other))).toBe(false);
      }),
    ); // prettier-ignore
  });
});
