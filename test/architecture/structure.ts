/**
 * How the house is built: folders and the arrows between them, by dependency-cruiser's list of imports. Floors are
 * declared here, from the ground up; an arrow from a lower floor to a higher one, or a circle of folders, is a fault.
 */
import { posix } from 'node:path';
import type { Import } from './cruise.js';

export interface House {
  readonly root: string;
  /** folders below the root, the lowest floor first; folders of one floor do not import each other */
  readonly floors: readonly (readonly string[])[];
}

/** `.` are the files that lie directly in the root. */
export const HOUSES: readonly House[] = [
  {
    root: 'libs/client/src',
    floors: [['contract'], ['link', 'vault'], ['room'], ['view'], ['account'], ['.'], ['node', 'browser']],
  },
  {
    root: 'libs/client/src/room',
    floors: [['state'], ['log'], ['conversation', 'outgoing'], ['member', 'owner'], ['.']],
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
  },
];

export interface Plan {
  readonly root: string;
  /** files by folder */
  readonly files: ReadonlyMap<string, number>;
  /** imports of files that cross a folder */
  readonly crossings: number;
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
  { root, floors }: House,
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

export const sound = ({ upward, circles, undeclared }: Plan): boolean =>
  upward.length + circles.length + undeclared.length === 0;

/** A few lines for a reader. */
export function shown(plan: Plan): string {
  const { root, files, arrows, crossings, upward, circles, undeclared } = plan;
  const total = [...files.values()].reduce((sum, count) => sum + count, 0);
  const folders = [...files].sort().map(([folder, count]) => `${folder} ${String(count)}`);
  return [
    `${root}: ${String(total)} modules in ${String(files.size)} folders (${folders.join(', ')})`,
    `  ${String(arrows.length)} arrows, ${String(crossings)} imports that cross a folder, ` +
      `${String(upward.length)} upward, ${String(circles.length)} circles`,
    ...[...upward.map((arrow) => `  upward: ${arrow}`), ...circles.map((way) => `  circle: ${way}`)],
    ...undeclared.map((folder) => `  on no floor: ${folder}`),
  ].join('\n');
}
