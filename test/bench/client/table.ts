/** Numbers in columns, each beside its ratio to the same column of the first row. */

export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => number;
  readonly digits?: number;
  /** no ratio: what the row is about, or no measure */
  readonly plain?: boolean;
}

const GAP = '  ';

/** One line a row; the first row is what the others are held against. */
export function printTable<T>(title: string, rows: readonly T[], columns: readonly Column<T>[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const cells = rows.map((row) =>
    columns.flatMap(({ of, digits = 0, plain = false }) => {
      const value = of(row);
      const text = value.toLocaleString('en', {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
      return plain ? [text] : [text, `×${(value / of(first)).toFixed(2)}`];
    }),
  );
  const titles = columns.flatMap(({ title, plain = false }) => (plain ? [title] : [title, '']));
  const widths = titles.map((text, at) => Math.max(text.length, ...cells.map((row) => row[at]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const row of [titles, ...cells])
    console.log(row.map((text, at) => text.padStart(widths[at] ?? 0)).join(GAP));
}

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const half = (ascending.length - 1) / 2;
  return ((ascending[Math.floor(half)] ?? NaN) + (ascending[Math.ceil(half)] ?? NaN)) / 2;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
