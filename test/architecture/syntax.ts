/** What a TypeScript source writes to and reads from, by its syntax alone. */
import ts from 'typescript';

/** Through what changes a value's type and not the value. */
export function bare(node: ts.Expression): ts.Expression {
  const inner =
    ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node) ||
    ts.isTypeAssertionExpression(node) || ts.isSatisfiesExpression(node) || ts.isAwaitExpression(node); // prettier-ignore
  return inner ? bare(node.expression) : node;
}

export type Access = ts.PropertyAccessExpression | ts.ElementAccessExpression;
export const isAccess = (node: ts.Node): node is Access =>
  ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);

/** The node that names what is accessed. */
export const accessor = (node: Access): ts.Node =>
  ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression;

/** The name that is accessed; null: it is computed. */
export function accessedName(node: Access): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : null;
}

export const isAssignment = (node: ts.Node): node is ts.BinaryExpression =>
  ts.isBinaryExpression(node) &&
  node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
  node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;

/** Names of files and of what is imported stand for nothing that happens. */
const isImport = (node: ts.Node): boolean => ts.isImportDeclaration(node) || ts.isExportDeclaration(node);

/** A node and all below it, imports apart. */
export function* nodesIn(node: ts.Node): Iterable<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    if (!isImport(child)) children.push(child);
  });
  for (const child of children) yield* nodesIn(child);
}

/** What an assignment, `delete`, `++` or a loop writes to; patterns are taken apart. */
export function targetsOf(node: ts.Node): readonly ts.Expression[] {
  if (isAssignment(node)) return leaves(node.left);
  if (ts.isDeleteExpression(node)) return [bare(node.expression)];
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const { PlusPlusToken, MinusMinusToken } = ts.SyntaxKind;
    return node.operator === PlusPlusToken || node.operator === MinusMinusToken ? [bare(node.operand)] : [];
  }
  const loop = ts.isForOfStatement(node) || ts.isForInStatement(node);
  return loop && !ts.isVariableDeclarationList(node.initializer) ? leaves(node.initializer) : [];
}

function leaves(pattern: ts.Expression): readonly ts.Expression[] {
  const node = bare(pattern);
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap(leaves);
  if (ts.isSpreadElement(node)) return leaves(node.expression);
  if (ts.isBinaryExpression(node)) return leaves(node.left);
  if (!ts.isObjectLiteralExpression(node)) return [node];
  return node.properties.flatMap((property) => {
    if (ts.isPropertyAssignment(property)) return leaves(property.initializer);
    if (ts.isShorthandPropertyAssignment(property)) return [property.name];
    return ts.isSpreadAssignment(property) ? leaves(property.expression) : [];
  });
}

/** Methods of arrays, maps, sets and bytes that change what they are called on. */
export const MUTATING: ReadonlySet<string> = new Set(
  'push pop shift unshift splice sort reverse fill copyWithin set add delete clear'.split(' '),
);
/** Methods that hand out what the value holds itself, and not a copy. */
export const READING: ReadonlySet<string> = new Set(
  'get at find findLast values entries keys next'.split(' '),
);
/** Functions that change their first argument, or call a method on it. */
const MUTATORS =
  /^(Object\.(assign|defineProperty|defineProperties|setPrototypeOf)|Reflect\.(set|defineProperty|deleteProperty|setPrototypeOf|apply))$/;
const ON_ANOTHER = /\.(call|apply|bind)$/;

export interface Mutation {
  readonly node: ts.Node;
  /** what is changed */
  readonly of: ts.Expression;
  /** what is written to or called */
  readonly by: Access;
}

/** Everything below a node that changes a value in place, whosever value it is. */
export function* mutationsIn(root: ts.Node): Iterable<Mutation> {
  for (const node of nodesIn(root)) {
    for (const target of targetsOf(node)) {
      if (isAccess(target)) yield { node, of: target.expression, by: target };
    }
    if (!ts.isCallExpression(node)) continue;
    const callee = bare(node.expression);
    if (!isAccess(callee)) continue;
    const [first] = node.arguments;
    const text = callee.getText().replaceAll('?.', '.');
    if (first !== undefined && (MUTATORS.test(text) || ON_ANOTHER.test(text))) {
      yield { node, of: first, by: callee };
    }
    if (MUTATING.has(accessedName(callee) ?? 'set')) yield { node, of: callee.expression, by: callee };
  }
}
