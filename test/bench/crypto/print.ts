/** Tables of rotations and passphrases. */
import { LIMITS } from '@0fc/protocol';
import { printTable, type Column } from '../client/table.js';
import type { Agreement } from './agreement.js';
import type { Verifiers } from './chromium.js';
import type { KdfRow } from './passphrase.js';
import type { RotationRow, Rotations } from './rotations.js';
import { SIGNATURES, type Verification } from './verification.js';

const plain = <T>(title: string, of: (row: T) => number, digits = 0): Column<T> => ({
  title,
  of,
  digits,
  plain: true,
});

export function printRotations(where: string, { rows, sizes }: Rotations): void {
  printTable<RotationRow>(`rotation, ${where}`, rows, [
    plain('members', ({ members }) => members),
    plain('curve: owner ms', ({ curve }) => curve.make, 1),
    plain('bytes', ({ curve }) => curve.bytes),
    plain('frames', ({ curve }) => Math.ceil(curve.bytes / LIMITS.frameBytes)),
    plain('member ms', ({ curve }) => curve.open, 1),
    plain('hybrid: owner ms', ({ hybrid }) => hybrid.make, 1),
    plain('bytes', ({ hybrid }) => hybrid.bytes),
    plain('frames', ({ hybrid }) => Math.ceil(hybrid.bytes / LIMITS.frameBytes)),
    plain('member ms', ({ hybrid }) => hybrid.open, 1),
    plain('owner ×', ({ curve, hybrid }) => hybrid.make / curve.make, 2),
    plain('bytes ×', ({ curve, hybrid }) => hybrid.bytes / curve.bytes, 2),
  ]);
  console.log(`bytes of one wrap: curve ${sizes.wrap.join(', hybrid ')}`);
  const [curve, whole, hashed] = sizes.prekey;
  console.log(`of one signed prekey: curve ${curve}, with the KEM's key ${whole}, with its hash ${hashed}`);
  console.log(`of one signed grant: curve ${sizes.grant.join(', hybrid ')}`);
}

export function printPassphrase(where: string, rows: readonly KdfRow[]): void {
  printTable<KdfRow>(`Argon2id, ${where}`, rows, [
    plain('MiB', ({ m }) => m / 1_024),
    plain('passes', ({ t }) => t),
    plain('least ms', ({ least }) => least),
    plain('median ms', ({ median }) => median),
    plain('median, four times slower', ({ median }) => 4 * median),
  ]);
}

export function printVerification(where: string, rows: readonly Verification[]): void {
  printTable<Verification>(`one signature verified, ${where}`, rows, [
    plain('Themis ms', ({ themis }) => themis, 3),
    plain('the platform’s ECDSA ms', ({ platform }) => platform, 3),
    plain('many at once ms', ({ platformAtOnce }) => platformAtOnce, 3),
  ]);
}

export function printVerifiers({ alone, both }: Verifiers): void {
  const [one, two] = [(1_000 * SIGNATURES) / alone, (2_000 * SIGNATURES) / both].map(Math.round);
  console.log(
    `signatures a second, Themis in a worker of its own: one ${String(one)}, two together ${String(two)}`,
  );
}

export function printSlice(where: string, slice: number): void {
  console.log(`a rotation for ${String(LIMITS.maxMembers)}, longest slice, ${where}: ${slice.toFixed(1)} ms`);
}

export function printAgreement(where: string, agreement: Agreement): void {
  const { tried, accepted, refused, themisAlone, platformAlone } = agreement;
  const named = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));
  console.log(
    `of ${String(tried)} containers, ${where}: both accept ${String(accepted)}, both refuse ${String(refused)}; ` +
      `Themis alone accepts: ${named(themisAlone)}; the platform alone: ${named(platformAlone)}`,
  );
}
