/**
 * How the house is built: folders and the arrows between them, by dependency-cruiser's list of imports. Floors are
 * declared here, from the ground up; an arrow from a lower floor to a higher one, a circle of folders, and more
 * arrows or imports across folders than are declared are faults.
 */
import { posix } from 'node:path';
import type { Import } from './cruise.js';

export interface House {
  readonly root: string;
  /** folders below the root, the lowest floor first; folders of one floor do not import each other */
  readonly floors: readonly (readonly string[])[];
  /** what it may have at most: raised by a feature that says so, lowered when less will do */
  readonly most: { readonly arrows: number; readonly crossings: number };
}

/** `.` are the files that lie directly in the root. */
export const HOUSES: readonly House[] = [
  {
    root: 'libs/client/src',
    floors: [['contract'], ['link', 'vault'], ['room'], ['view'], ['account'], ['.'], ['node', 'browser']],
    most: { arrows: 23, crossings: 349 },
  },
  {
    root: 'libs/client/src/room',
    floors: [['state'], ['log'], ['conversation', 'outgoing'], ['member', 'owner'], ['.']],
    most: { arrows: 16, crossings: 113 },
  },
  {
    root: 'apps/relay/src',
    floors: [
      ['rooms'],
      ['limits', 'config'],
      ['metrics', 'store'],
      ['operators', 'gateway'],
      ['http'],
      ['.'],
    ],
    most: { arrows: 22, crossings: 132 },
  },
];

export interface Plan {
  readonly root: string;
  /** files by folder */
  readonly files: ReadonlyMap<string, number>;
  /** imports of files that cross a folder */
  readonly crossings: number;
  readonly most: House['most'];
  /** `from -> to`, each pair of folders once */
  readonly arrows: readonly string[];
  readonly upward: readonly string[];
  /** pairs of folders that reach each other, by arrows of any number */
  readonly circles: readonly string[];
  /** folders of no floor, and floors without a file */
  readonly undeclared: readonly string[];
}

const SPEC = /\.(spec|spec-support)\.ts$/;

export function planOf(
  { root, floors, most }: House,
  modules: readonly string[],
  imports: readonly Import[],
): Plan {
  const folderOf = (path: string): string | null => {
    if (!path.startsWith(`${root}/`) || !path.endsWith('.ts') || SPEC.test(path)) return null;
    const [first = '', ...rest] = posix.relative(root, path).split('/');
    return rest.length === 0 ? '.' : first;
  };
  const files = new Map<string, number>();
  for (const folder of modules.map(folderOf)) {
    if (folder !== null) files.set(folder, (files.get(folder) ?? 0) + 1);
  }
  const crossing = imports.flatMap(({ from, to }) => {
    const [here, there] = [folderOf(from), folderOf(to)];
    return here === null || there === null || here === there ? [] : [`${here} -> ${there}`];
  });
  const arrows = [...new Set(crossing)].sort();
  const floorOf = (folder: string): number => floors.findIndex((floor) => floor.includes(folder));
  const pairs = arrows.map((arrow) => arrow.split(' -> ') as [string, string]);
  const reached = closure(pairs);
  return {
    root,
    files,
    most,
    crossings: crossing.length,
    arrows,
    upward: pairs.filter(([from, to]) => floorOf(from) <= floorOf(to)).map((pair) => pair.join(' -> ')),
    circles: [...reached].filter(
      (way) =>
        way.split(' -> ').reverse().join(' -> ') > way &&
        reached.has(way.split(' -> ').reverse().join(' -> ')),
    ),
    undeclared: [
      ...[...files.keys()].filter((folder) => floorOf(folder) < 0),
      ...floors.flat().filter((folder) => !files.has(folder)),
    ],
  };
}

/** Every way from a folder to another, over any number of arrows. */
function closure(pairs: readonly (readonly [string, string])[]): ReadonlySet<string> {
  const ways = new Set(pairs.map((pair) => pair.join(' -> ')));
  for (let before = -1; before < ways.size;) {
    before = ways.size;
    for (const way of [...ways]) {
      const [from = '', over = ''] = way.split(' -> ');
      for (const [next, to] of pairs) if (next === over && to !== from) ways.add(`${from} -> ${to}`);
    }
  }
  return ways;
}

export const sound = ({ upward, circles, undeclared, arrows, crossings, most }: Plan): boolean =>
  upward.length + circles.length + undeclared.length === 0 &&
  arrows.length <= most.arrows &&
  crossings <= most.crossings;

/** A few lines for a reader. */
export function shown(plan: Plan): string {
  const { root, files, arrows, crossings, most, upward, circles, undeclared } = plan;
  const total = [...files.values()].reduce((sum, count) => sum + count, 0);
  const folders = [...files].sort().map(([folder, count]) => `${folder} ${String(count)}`);
  return [
    `${root}: ${String(total)} modules in ${String(files.size)} folders (${folders.join(', ')})`,
    `  ${String(arrows.length)} arrows (at most ${String(most.arrows)}), ${String(crossings)} imports that cross a ` +
      `folder (at most ${String(most.crossings)}), ` +
      `${String(upward.length)} upward, ${String(circles.length)} circles`,
    ...[...upward.map((arrow) => `  upward: ${arrow}`), ...circles.map((way) => `  circle: ${way}`)],
    ...undeclared.map((folder) => `  on no floor: ${folder}`),
  ].join('\n');
}
