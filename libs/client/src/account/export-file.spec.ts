/** The layout of an export's file (docs/protocol.md section 9): whatever was done to one, it is whole or it is refused. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadThemis } from '@0fc/crypto/node';
import { concat, equalBytes, type Bytes } from '@0fc/protocol';
import { memoryStorage } from '../room/log/log.spec-support.js';
import { STORES } from '../vault/records.js';
import { importVault } from './vault-import.js';
import {
  codeOf, device, everything, exportFile, FILE, fileOf, framesOf, NEW, OLD, partsOf, random,
} from './vault-transfer.spec-support.js'; // prettier-ignore
import { Vault } from '../vault/vault.js';

let file: Bytes;
/** Of other records, under another key. */
let other: Bytes;

async function exported(): Promise<Bytes> {
  const platform = device();
  const records = Array.from({ length: 10 }, (_, at) => ({
    store: STORES.log,
    key: `room/${String(at)}`,
    value: random(400_000),
  }));
  return exportFile(await Vault.create(platform, OLD, records), platform, FILE);
}

beforeAll(async () => {
  await loadThemis();
  file = await exported();
  other = await exported();
  // The head, four blocks, the check.
  expect(framesOf(file)).toHaveLength(6);
});

const numbers = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }));

/** What may happen to a file, by numbers that lie anywhere. */
const FATES: Readonly<Record<string, (at: number, to: number, by: number) => Bytes>> = {
  flipped: (at, _, by) => file.map((byte, index) => (index === at % file.length ? byte ^ by : byte)),
  'cut short': (at) => file.slice(0, at % file.length),
  'cut short between two blocks': (at) => file.slice(0, framesOf(file).at(-1 - (at % 5))?.[0]),
  'with a part left out': (at, to) => without(at % file.length, to % file.length),
  'with bytes added': (at, _, by) => {
    const place = at % (file.length + 1);
    return concat(file.slice(0, place), random(by), file.slice(place));
  },
  'with a piece added again': (at) => {
    const [from, to] = framesOf(file).at(at % 6) ?? [0, 0];
    return concat(file.slice(0, to), file.slice(from, to), file.slice(to));
  },
  'with two pieces exchanged': (at, to) => {
    const pieces = framesOf(file).map(([begin, end]) => file.slice(begin, end));
    const [a, b] = [at % 6, to % 6];
    const moved = pieces.map((piece, index) => pieces.at(index === a ? b : index === b ? a : index) ?? piece);
    return concat(file.slice(0, framesOf(file)[0]?.[0]), ...moved);
  },
  'with a piece of another file': (at) => {
    const [from, to] = framesOf(file).at(at % 6) ?? [0, 0];
    return concat(file.slice(0, from), other.slice(...(framesOf(other).at(at % 6) ?? [0])), file.slice(to));
  },
  'with nothing of its head': (at) => file.slice(at % (framesOf(file)[0]?.[1] ?? 0)),
};

function without(a: number, b: number): Bytes {
  return concat(file.slice(0, Math.min(a, b)), file.slice(Math.max(a, b)));
}

describe('a file', () => {
  it.each(Object.entries(FATES))(
    '%s is damaged, whatever the passphrase, and leaves no vault',
    async (_, fate) => {
      const storage = memoryStorage();
      await fc.assert(
        fc.asyncProperty(numbers, async ([at, to, by]) => {
          const made = fate(at, to, by);
          fc.pre(!equalBytes(made, file));
          const passphrase = by % 2 === 0 ? FILE : OLD;
          const code = await codeOf(importVault({ ...device(), storage }, made, passphrase, NEW));
          expect(code).toBe('EXPORT_DAMAGED');
          expect(await everything(storage)).toEqual(await everything(memoryStorage()));
        }),
        { numRuns: 25, endOnFailure: true },
      );
    },
  );

  it('of its own blocks in any other order or number is damaged, under a check that fits', async () => {
    const parts = partsOf(file);
    const order = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(order, async (indexes) => {
        const blocks = indexes.flatMap((index) => parts.blocks[index] ?? []);
        const whole = indexes.join() === '0,1,2,3';
        const made = await fileOf({ ...parts, blocks });
        expect(equalBytes(made, file)).toBe(whole);
        expect(await codeOf(importVault(device(), made, FILE, NEW))).toBe(
          whole ? 'fulfilled' : 'EXPORT_DAMAGED',
        );
      }),
      { numRuns: 12, endOnFailure: true, examples: [[[0, 1, 2, 3]], [[0, 1, 2]], [[3]]] },
    );
  });

  it('that is whole says so of a wrong passphrase', async () => {
    expect(await codeOf(importVault(device(), file, OLD, NEW))).toBe('WRONG_PASSPHRASE');
  });
});
