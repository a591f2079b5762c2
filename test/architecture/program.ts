/** The client's sources as the compiler sees them, with sources that are planted beside or over those on disk. */
import { join, relative } from 'node:path';
import ts from 'typescript';

export const CLIENT = 'libs/client/src/';

export interface Finding {
  /** from the root of the repository */
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** Sources by their paths from the root. */
export type Planted = Readonly<Record<string, string>>;

export function programOf(root: string, planted: Planted): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.test.json'), ts.sys.readFile) as {
    config: object;
  };
  const include = [`${CLIENT}**/*.ts`];
  const exclude = ['**/*.spec.ts', '**/*.spec-support.ts'];
  const { options, fileNames } = ts.parseJsonConfigFileContent({ ...config, include, exclude }, ts.sys, root);
  const texts = new Map(Object.entries(planted).map(([path, text]) => [join(root, path), text]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  return ts.createProgram([...fileNames, ...texts.keys()], { ...options, incremental: false }, host);
}

/** The path of a source from the root. */
export const pathFrom =
  (root: string) =>
  (file: ts.SourceFile): string =>
    relative(root, file.fileName).replaceAll('\\', '/');

export function findingAt(path: string, node: ts.Node, what: string): Finding {
  const file = node.getSourceFile();
  return {
    file: path,
    line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1,
    what: `${what}: ${node.getText().replace(/\s+/g, ' ').slice(0, 80)}`,
  };
}
