/** A process that writes one batch after another, each of one number in many records, until it is killed. */
import { FileStorage } from './storage.js';

const [folder = '', records = '0'] = process.argv.slice(2);
const storage = FileStorage.open(folder);
for (let round = 1; ; round++) {
  const value = new TextEncoder().encode(String(round).padEnd(2_000, '.'));
  await storage.write(
    Array.from({ length: Number(records) }, (_, at) => ({ store: `store${at % 3}`, key: String(at), value })),
  );
  process.stdout.write(`${round}\n`);
}
