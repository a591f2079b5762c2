/** Where a source of the page asks Angular for something: `ui/` only draws what it is given. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { findingAt, type Finding } from './program.js';

export const UI = 'apps/web/src/app/ui/';

/** Functions of Angular that inject what they are called for, or that work only where injecting does. */
const INJECTING = /^(inject|toSignal|toObservable|takeUntilDestroyed|effect|resource|httpResource)$/;

/** A name of Angular that injects, by whatever name it was imported. */
function injectingNames(file: ts.SourceFile): ReadonlySet<string> {
  const names = file.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement)) return [];
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) return [];
    return bindings.elements
      .filter(({ name, propertyName }) => INJECTING.test((propertyName ?? name).text))
      .map(({ name }) => name.text);
  });
  return new Set(names);
}

/** Constructors with parameters, calls of what injects, and Angular as a whole, by whose members anything can be called. */
export function injectionsIn(path: string, text: string): readonly Finding[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const names = injectingNames(file);
  const findings: Finding[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isConstructorDeclaration(node) && node.parameters.length > 0) {
      findings.push(findingAt(path, node, 'is injected by its constructor'));
    }
    if (
      ts.isNamespaceImport(node) ||
      (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    ) {
      findings.push(findingAt(path, node, 'has all of a module'));
    }
    if (ts.isIdentifier(node) && names.has(node.text) && !ts.isImportSpecifier(node.parent)) {
      findings.push(findingAt(path, node.parent, 'injects'));
    }
    ts.forEachChild(node, look);
  };
  look(file);
  return findings;
}

/** Of every source below `ui/`. */
export function injectionsOfUi(root: string): {
  readonly files: number;
  readonly findings: readonly Finding[];
} {
  const files = readdirSync(join(root, UI), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
  );
  const findings = files.flatMap((name) =>
    injectionsIn(`${UI}${name}`, readFileSync(join(root, UI, name), 'utf8')),
  );
  return { files: files.length, findings };
}
