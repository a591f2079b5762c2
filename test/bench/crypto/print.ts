/** Tables of rotations and passphrases. */
import { LIMITS } from '@0fc/protocol';
import { printTable, type Column } from '../client/table.js';
import type { KdfRow } from './passphrase.js';
import type { RotationRow, Rotations } from './rotations.js';

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
