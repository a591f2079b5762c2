/** The examples of a README: its fenced blocks of TypeScript are one program, which is checked and run as it stands. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

export interface Example {
  /** of the README, from the root */
  readonly readme: string;
  readonly code: string;
  /** a program of its own for a browser: it is checked, and not run */
  readonly browser: boolean;
}

export function examplesOf(readme: string): readonly Example[] {
  const text = readFileSync(join(ROOT, readme), 'utf8');
  const blocks = [...text.matchAll(/^```ts( browser)?\n([\s\S]*?)^```$/gm)].map(([, browser, code = '']) => ({
    browser: browser !== undefined,
    code,
  }));
  const story = blocks.flatMap(({ browser, code }) => (browser ? [] : [code])).join('\n');
  return [
    { readme, code: story, browser: false },
    ...blocks.filter(({ browser }) => browser).map(({ code }) => ({ readme, code, browser: true })),
  ];
}

/** Writes an example where the libraries are found by their names; returns the path of the program. */
export function written({ readme, code }: Example, name: string): string {
  const folder = join(ROOT, '.cache', 'examples');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${readme.replace(/\W+/g, '-')}-${name}.ts`);
  writeFileSync(path, code);
  return path;
}

/** What the compiler has against programs, with the options of all tests. */
export function complaintsAbout(paths: readonly string[]): readonly string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.test.json'), ts.sys.readFile) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  const program = ts.createProgram(paths, { ...options, incremental: false });
  return paths
    .flatMap((path) => {
      const source = program.getSourceFile(path);
      if (source === undefined) throw new Error(`no such program: ${path}`);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    })
    .map(({ file, start, messageText }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
      return `${file?.fileName ?? ''}:${String(line)} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}
