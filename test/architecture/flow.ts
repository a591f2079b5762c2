/**
 * Where the value of an expression may come from: through variables, parameters, fields, patterns, casts and
 * results, over all files of a program, whatever calls what when.
 */
import ts from 'typescript';
import { accessor, bare, isAccess, isAssignment, nodesIn, READING, targetsOf } from './syntax.js';

export class Flow {
  readonly #checker: ts.TypeChecker;
  /** whether a declaration is one of those whose values are looked for */
  readonly #isOrigin: (declaration: ts.Node) => boolean;
  /** by a variable, parameter or property: the expressions that are put into it */
  readonly #put = new Map<ts.Node, ts.Expression[]>();
  /** by a function: the expressions that it returns */
  readonly #returned = new Map<ts.Node, ts.Expression[]>();

  constructor(
    checker: ts.TypeChecker,
    files: readonly ts.SourceFile[],
    isOrigin: (node: ts.Node) => boolean,
  ) {
    this.#checker = checker;
    this.#isOrigin = isOrigin;
    for (const file of files) for (const node of nodesIn(file)) this.#collect(node);
  }

  /** The symbol that a name stands for, whatever it was imported as. */
  symbolOf(node: ts.Node): ts.Symbol | undefined {
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(node.parent)
      : this.#checker.getSymbolAtLocation(node);
    if (symbol === undefined || (symbol.flags & ts.SymbolFlags.Alias) === 0) return symbol;
    return this.#checker.getAliasedSymbol(symbol);
  }

  /** The declarations that a name, a pattern's part or a quoted key stands for. */
  declarationsOf(node: ts.Node): readonly ts.Node[] {
    if (ts.isBindingElement(node)) {
      const name = (node.propertyName ?? node.name).getText();
      return this.#checker.getTypeAtLocation(node.parent).getProperty(name)?.declarations ?? [];
    }
    if (!ts.isIdentifier(node) && !ts.isPrivateIdentifier(node) && !ts.isStringLiteralLike(node)) return [];
    return this.symbolOf(node)?.declarations ?? [];
  }

  isOriginSymbol(symbol: ts.Symbol | undefined): boolean {
    return symbol?.declarations?.some(this.#isOrigin) ?? false;
  }

  isOriginType(type: ts.Type): boolean {
    if (type.isUnionOrIntersection()) {
      return this.isOriginSymbol(type.aliasSymbol) || type.types.some((one) => this.isOriginType(one));
    }
    return this.isOriginSymbol(type.aliasSymbol) || this.isOriginSymbol(type.getSymbol());
  }

  /** Whether an expression may be a value of an origin's type, or part of one. */
  fromOrigin(expression: ts.Expression): boolean {
    const seen = new Set<ts.Node>();
    const expressionIs = (given: ts.Expression): boolean => {
      const node = bare(given);
      if (seen.has(node)) return false;
      seen.add(node);
      if (this.isOriginType(this.#checker.getTypeAtLocation(node))) return true;
      if (isAccess(node)) return nameIs(accessor(node)) || expressionIs(node.expression);
      if (ts.isCallExpression(node)) return callIs(node);
      if (ts.isConditionalExpression(node))
        return expressionIs(node.whenTrue) || expressionIs(node.whenFalse);
      if (isAssignment(node)) return expressionIs(node.right);
      if (ts.isBinaryExpression(node)) return expressionIs(node.left) || expressionIs(node.right);
      return nameIs(node);
    };
    const nameIs = (name: ts.Node): boolean => {
      const symbol = this.symbolOf(name);
      return this.isOriginSymbol(symbol) || (symbol?.declarations ?? []).some(declarationIs);
    };
    const callIs = (call: ts.CallExpression): boolean => {
      const declaration = this.#checker.getResolvedSignature(call)?.declaration;
      if (declaration !== undefined) {
        if (this.#isOrigin(declaration) || this.#returned.get(declaration)?.some(expressionIs)) return true;
      }
      const callee = bare(call.expression);
      return isAccess(callee) && READING.has(accessor(callee).getText()) && expressionIs(callee.expression);
    };
    const declarationIs = (node: ts.Node): boolean => {
      if (seen.has(node)) return false;
      seen.add(node);
      if (this.#put.get(node)?.some(expressionIs)) return true;
      if (ts.isParameter(node)) {
        return this.isOriginType(this.#checker.getTypeAtLocation(node)) || callbackIs(node.parent);
      }
      if (ts.isVariableDeclaration(node)) {
        const loop = node.parent.parent;
        if (ts.isForOfStatement(loop) && expressionIs(loop.expression)) return true;
      }
      if (ts.isGetAccessor(node)) return this.#returned.get(node)?.some(expressionIs) ?? false;
      if (ts.isBindingElement(node)) return partIs(node);
      return ts.isShorthandPropertyAssignment(node) && nameIs(node.name);
    };
    const partIs = (node: ts.BindingElement): boolean => {
      if (node.initializer !== undefined && expressionIs(node.initializer)) return true;
      const whole = this.#checker.getTypeAtLocation(node.parent);
      const name = (node.propertyName ?? node.name).getText();
      return (
        this.isOriginType(whole) ||
        this.isOriginSymbol(whole.getProperty(name)) ||
        declarationIs(node.parent.parent)
      );
    };
    /** A function that a method of such a value calls with its parts. */
    const callbackIs = (made: ts.Node): boolean => {
      const call = made.parent;
      if (!ts.isCallExpression(call) || !call.arguments.some((one) => one === made)) return false;
      const callee = bare(call.expression);
      return isAccess(callee) && expressionIs(callee.expression);
    };
    return expressionIs(expression);
  }

  #collect(node: ts.Node): void {
    if (isAssignment(node)) {
      for (const target of targetsOf(node)) {
        const name = isAccess(target) ? accessor(target) : target;
        this.#add(this.symbolOf(name)?.valueDeclaration, node.right);
      }
    } else if (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node))
      this.#add(node, node.initializer);
    else if (ts.isPropertyAssignment(node)) {
      this.#add(node, node.initializer);
      const whole = this.#checker.getContextualType(node.parent);
      this.#add(whole?.getProperty(node.name.getText())?.valueDeclaration, node.initializer);
    } else if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const parameters = this.#checker.getResolvedSignature(node)?.declaration?.parameters ?? [];
      for (const [at, argument] of (node.arguments ?? []).entries()) {
        const parameter = parameters[at];
        if (parameter !== undefined && ts.isParameter(parameter)) this.#add(parameter, argument);
      }
    } else if (ts.isReturnStatement(node) && node.expression !== undefined) {
      const made = ts.findAncestor(node, ts.isFunctionLike);
      if (made !== undefined) append(this.#returned, made, node.expression);
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) append(this.#returned, node, node.body);
  }

  #add(into: ts.Node | undefined, expression: ts.Expression | undefined): void {
    if (into !== undefined && expression !== undefined) append(this.#put, into, expression);
  }
}

function append(map: Map<ts.Node, ts.Expression[]>, key: ts.Node, value: ts.Expression): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
