/**
 * Runs dependency-cruiser over a source tree with the rules of rules.mjs.
 *
 * As a process of its own: it loads the TypeScript compiler, which gains nothing from Jest's modules.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));

export const repositoryRoot = dirname(dirname(here));
const rulesFile = join(here, 'rules.mjs');

/** One broken rule: where, and which. */
export interface Violation {
  readonly rule: string;
  /** path of the importing file, relative to the tree's root */
  readonly from: string;
  /** path of the imported file, or the specifier where it does not resolve */
  readonly to: string;
}

/** An import of a source by another, as paths from the tree's root. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

interface CruiseOutput {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** @returns how many modules were looked at, which, what they import, and every violation */
export async function cruise(
  root: string,
  folders: readonly string[],
): Promise<{
  readonly modules: number;
  readonly sources: readonly string[];
  readonly imports: readonly Import[];
  readonly violations: readonly Violation[];
}> {
  const command = join(repositoryRoot, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [command, '--config', rulesFile, '--no-progress', '--output-type', 'json', ...folders],
    { cwd: root, maxBuffer: 256 * 1024 * 1024, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const { summary, modules } = JSON.parse(stdout) as CruiseOutput;
  return {
    modules: summary.totalCruised,
    sources: modules.map(({ source }) => source),
    imports: modules.flatMap(({ source, dependencies }) =>
      dependencies.map(({ resolved }) => ({ from: source, to: resolved })),
    ),
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}
