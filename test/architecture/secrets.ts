/**
 * No secret passes for another, for public bytes, or they for it: the compiler is asked (secrets-plants.ts). And only
 * libs/crypto/src/secrets.ts makes a secret by a cast; everywhere else a guard or a schema does.
 */
import ts from 'typescript';
import { findingAt, pathFrom, programOf, type Finding } from './program.js';
import { CASTS, DOORS, HEADER, KINDS, type Kind } from './secrets-plants.js';
import { nodesIn } from './syntax.js';

const GUARDS = 'libs/crypto/src/secrets.ts';
const PLANTED = 'libs/client/src/planted-secret-';

export interface Report {
  /** what the compiler says of `given` as a kind at a door; null: it compiles */
  readonly refusal: (door: string, kind: Kind) => string | null;
  /** casts to a secret, planted ones among them, by the names of those */
  readonly casts: readonly (Finding & { readonly planted: string | null })[];
  /** how many files were searched for casts */
  readonly files: number;
}

export function checkSecrets(root: string): Report {
  const doors = Object.entries(DOORS);
  const kindFile = (kind: Kind): string => `${PLANTED}${kind}.ts`;
  const castFiles = new Map(Object.keys(CASTS).map((name, at) => [`${PLANTED}cast-${String(at)}.ts`, name]));
  const head = HEADER.trim().split('\n');
  const program = programOf(
    root,
    Object.fromEntries([
      ...KINDS.map((kind) => [
        kindFile(kind),
        [...head, `declare const given: ${kind};`, ...doors.map(([, { use }]) => `void (${use});`)].join(
          '\n',
        ),
      ]),
      ...[...castFiles].map(([path, name]) => [path, `${HEADER}${CASTS[name] ?? ''}`]),
    ]) as Record<string, string>,
  );
  const pathOf = pathFrom(root);
  const sources = program.getSourceFiles().filter((file) => pathOf(file).startsWith('libs/'));
  const refusals = new Map<string, string>();
  for (const kind of KINDS) {
    const file = sources.find((source) => pathOf(source) === kindFile(kind));
    if (file === undefined) throw new Error(`${kindFile(kind)} was not compiled`);
    for (const { start = 0, messageText } of program.getSemanticDiagnostics(file)) {
      const line = file.getLineAndCharacterOfPosition(start).line - head.length - 1;
      refusals.set(
        `${kind} ${doors[line]?.[0] ?? 'header'}`,
        ts.flattenDiagnosticMessageText(messageText, ' '),
      );
    }
  }
  return {
    refusal: (door, kind) => refusals.get(`${kind} header`) ?? refusals.get(`${kind} ${door}`) ?? null,
    casts: castsIn(program, sources, pathOf).map((finding) => ({
      ...finding,
      planted: castFiles.get(finding.file) ?? null,
    })),
    files: sources.length,
  };
}

function castsIn(
  program: ts.Program,
  sources: readonly ts.SourceFile[],
  pathOf: (file: ts.SourceFile) => string,
): readonly Finding[] {
  const checker = program.getTypeChecker();
  return sources
    .filter((file) => pathOf(file) !== GUARDS)
    .flatMap((file) =>
      [...nodesIn(file)]
        .filter((node) => ts.isAsExpression(node) || ts.isTypeAssertionExpression(node))
        .filter((node) => holdsSecret(checker, checker.getTypeAtLocation(node)))
        .map((node) => findingAt(pathOf(file), node, 'makes a secret')),
    );
}

/** Whether a type is a secret, or has one among its fields. */
function holdsSecret(checker: ts.TypeChecker, type: ts.Type, depth = 2): boolean {
  if (type.isUnionOrIntersection()) return type.types.some((one) => holdsSecret(checker, one, depth));
  const name = type.getSymbol()?.name;
  if (name === 'Secret') return true;
  if (depth === 0 || name === 'Bytes' || name === 'Uint8Array' || (type.flags & ts.TypeFlags.Object) === 0)
    return false;
  return checker
    .getPropertiesOfType(type)
    .filter(({ flags }) => (flags & ts.SymbolFlags.Property) !== 0)
    .some((property) => holdsSecret(checker, checker.getTypeOfSymbol(property), depth - 1));
}
