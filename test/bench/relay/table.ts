/** Rows of figures, for people or as JSON. */
export interface Report {
  /** what a part of the benchmark has found; cells that are numbers are rounded for people alone */
  add(part: string, rows: readonly Readonly<Record<string, string | number>>[]): void;
  end(): void;
}

const shown = (value: string | number): string => {
  if (typeof value === 'string') return value;
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
};

export function reportAs(json: boolean): Report {
  const all: Record<string, readonly unknown[]> = {};
  return {
    add: (part, rows) => {
      all[part] = [...(all[part] ?? []), ...rows];
      if (json) return;
      const titles = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      const lines = [titles, ...rows.map((row) => titles.map((title) => shown(row[title] ?? '')))];
      const widths = titles.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
      console.log(`\n${part}`);
      for (const line of lines)
        console.log(line.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  '));
    },
    end: () => {
      if (json) console.log(JSON.stringify(all, null, 2));
    },
  };
}

export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.floor(share * (ascending.length - 1))] ?? NaN;
}
