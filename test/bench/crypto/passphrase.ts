/** What Argon2id costs by its parameters. Runs on Node and in a worker of the browser alike. */
import { KDF_COST, KDF_SALT_BYTES, type KdfCost, type Random, stretchPassphrase } from '@0fc/crypto/keys';

const ROUNDS = 9;
const MIB = 1_024;

const COSTS: readonly KdfCost[] = [
  { m: 19 * MIB, t: 2, p: 1 },
  { m: 19 * MIB, t: 3, p: 1 },
  KDF_COST,
  { m: 32 * MIB, t: 3, p: 1 },
  { m: 46 * MIB, t: 2, p: 1 },
  { m: 64 * MIB, t: 2, p: 1 },
  { m: 64 * MIB, t: 3, p: 1 },
];

/** Milliseconds, of several runs: on a busy machine the least says most. */
export interface KdfRow extends KdfCost {
  readonly least: number;
  readonly median: number;
}

/** `now`: milliseconds of whatever is measured. */
export async function measurePassphrase(random: Random, now: () => number): Promise<readonly KdfRow[]> {
  const rows: KdfRow[] = [];
  for (const cost of COSTS) {
    const all: number[] = [];
    while (all.length < ROUNDS) {
      const salt = random.bytes(KDF_SALT_BYTES);
      const start = now();
      await stretchPassphrase('correct horse battery staple', salt, cost);
      all.push(now() - start);
    }
    all.sort((a, b) => a - b);
    rows.push({ ...cost, least: all[0] ?? NaN, median: all[ROUNDS >> 1] ?? NaN });
  }
  return rows;
}
