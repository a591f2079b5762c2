/**
 * Key pairs, signatures and Themis' containers of keys are libs/crypto's alone: elsewhere node:crypto hashes and draws,
 * and the browser's own crypto does no more. Asked of the syntax of every source and script, not of who is called.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { findingAt, type Finding, type Planted } from './program.js';
import { accessedName, isAccess } from './syntax.js';

const KEEPER = 'libs/crypto/';
const FOLDERS = ['libs', 'apps', 'test', 'tools', 'deploy'].map((folder) => `${folder}/**/*`);
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs'];
const EXCLUDED = ['**/node_modules', '**/dist', '**/.angular', '**/coverage'];

const MODULE = /^(node:)?crypto(\/|$)/;
/** What may be taken of it by name; of `webcrypto` the rule for `subtle` holds. */
const ALLOWED: ReadonlySet<string> = new Set([
  'createHash', 'getRandomValues', 'hash', 'randomBytes', 'randomFillSync', 'randomInt', 'randomUUID', 'timingSafeEqual',
  'webcrypto',
]); // prettier-ignore
/** Tags of Themis' containers of keys, private and public, of both its curves and of RSA. */
const CONTAINER = /\b[RU](EC[2-5]|RA[1-8])\b/;

export interface Report {
  /** how many files were looked at */
  readonly files: number;
  readonly findings: readonly Finding[];
}

/** `planted`: sources by their paths from `root`, beside those on disk. */
export function checkCurves(root: string, planted: Planted = {}): Report {
  const found = ts.sys
    .readDirectory(root, EXTENSIONS, EXCLUDED, FOLDERS)
    .map((path) => relative(root, path).replaceAll('\\', '/'))
    .filter((path) => !path.startsWith(KEEPER));
  const texts = new Map([
    ...found.map((path) => [path, readFileSync(join(root, path), 'utf8')] as const),
    ...Object.entries(planted),
  ]);
  const findings = [...texts].flatMap(([path, text]) => {
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    // Tests may break what others make.
    const product = /^(libs|apps)\//.test(path) && !/\.(spec|spec-support)\.ts$/.test(path);
    return [...everyNode(file)].flatMap((node) => {
      const what = offence(node, product);
      return what === null ? [] : [findingAt(path, node, what)];
    });
  });
  return { files: texts.size, findings };
}

function offence(node: ts.Node, product: boolean): string | null {
  if (ts.isImportDeclaration(node) && names(node.moduleSpecifier, MODULE)) {
    const bindings = node.importClause?.namedBindings;
    const named = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : null;
    // The whole of it under one name hides what is used.
    if (named === null || node.importClause?.name !== undefined) return 'takes all of node:crypto';
    return named.every(({ name, propertyName }) => ALLOWED.has((propertyName ?? name).text))
      ? null
      : 'takes curves';
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
    return names(node.moduleSpecifier, MODULE) ? 'hands node:crypto on' : null;
  if (ts.isExternalModuleReference(node))
    return names(node.expression, MODULE) ? 'takes all of node:crypto' : null;
  if (ts.isCallExpression(node) && loads(node.expression))
    return node.arguments.some((argument) => names(argument, MODULE)) ? 'takes all of node:crypto' : null;
  if (isAccess(node) && accessedName(node) === 'subtle') {
    const { parent } = node;
    const digest = isAccess(parent) && parent.expression === node && accessedName(parent) === 'digest';
    return digest ? null : 'takes curves of the browser';
  }
  if (ts.isBindingElement(node) && (node.propertyName ?? node.name).getText() === 'subtle')
    return 'takes curves of the browser';
  if (product && ts.isStringLiteralLike(node) && CONTAINER.test(node.text))
    return 'knows a container of keys';
  return null;
}

const names = (node: ts.Node, pattern: RegExp): boolean =>
  ts.isStringLiteralLike(node) && pattern.test(node.text);

/** `import(…)`, `require(…)`, `process.getBuiltinModule(…)`. */
function loads(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  return isAccess(callee) && ['require', 'getBuiltinModule'].includes(accessedName(callee) ?? '');
}

function* everyNode(node: ts.Node): Iterable<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* everyNode(child);
}
