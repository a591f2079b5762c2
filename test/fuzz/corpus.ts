/**
 * The committed corpus: for each outcome that a target has ever reached, the smallest input that reached it.
 * The inputs seed the mutations of later runs, and a spec holds each to its outcome.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, type Bytes } from '@0fc/protocol';

const FOLDER = join(import.meta.dirname, 'corpus');
const fileOf = (target: string): string => join(FOLDER, `${target}.json`);

/** Longer inputs are made anew in every run; they have no place in a repository. */
const MOST_BYTES = 1_024;

export class Corpus {
  readonly #target: string;
  readonly #groups = new Map<string, Map<string, Bytes>>();
  #changed = false;

  constructor(target: string) {
    this.#target = target;
    if (!existsSync(fileOf(target))) return;
    const read = JSON.parse(readFileSync(fileOf(target), 'utf8')) as Record<string, Record<string, string>>;
    for (const [group, outcomes] of Object.entries(read)) {
      const inputs = Object.entries(outcomes).map(
        ([outcome, hex]) => [outcome, Uint8Array.from(Buffer.from(hex, 'hex'))] as const,
      );
      this.#groups.set(group, new Map(inputs));
    }
  }

  get size(): number {
    return this.all().length;
  }

  all(): readonly { readonly group: string; readonly outcome: string; readonly input: Bytes }[] {
    return [...this.#groups].flatMap(([group, outcomes]) =>
      [...outcomes].map(([outcome, input]) => ({ group, outcome, input })),
    );
  }

  of(group: string): readonly Bytes[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  keep(group: string, outcome: string, input: Bytes): void {
    if (input.length > MOST_BYTES) return;
    const outcomes = this.#groups.get(group) ?? new Map<string, Bytes>();
    const known = outcomes.get(outcome);
    if (known !== undefined && known.length <= input.length) return;
    outcomes.set(outcome, Uint8Array.from(input));
    this.#groups.set(group, outcomes);
    this.#changed = true;
  }

  /** Writes the file where something was found that is new or smaller. */
  save(): void {
    if (!this.#changed) return;
    const groups = [...this.#groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, outcomes]) => {
        const rows = [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1));
        return [group, Object.fromEntries(rows.map(([outcome, input]) => [outcome, toHex(input)]))];
      });
    writeFileSync(fileOf(this.#target), `${JSON.stringify(Object.fromEntries(groups), null, 2)}\n`);
  }
}
