/**
 * Only libs/client/src/room/state writes what is known of a room. The compiler is asked, so that no alias, cast or
 * new name hides a write: values are followed to where they come from (flow.ts), what of room/state writes is found
 * in the bodies of its functions, and every mention of that counts, whether it is called there or not.
 */
import ts from 'typescript';
import { Flow } from './flow.js';
import { CLIENT, findingAt, pathFrom, programOf, type Finding, type Planted } from './program.js';
import { accessor, bare, isAccess, MUTATING, mutationsIn, nodesIn, READING } from './syntax.js';

const STATE = `${CLIENT}room/state/`;
/** What room state consists of, as the vault holds it. */
const RECORDS = /^libs\/client\/src\/vault\/(records|record-keys|content|index-keys)\.ts$/;

/** Who may use what of room/state writes: everybody, or files of the client. */
const ALLOWED: Readonly<Record<string, 'everybody' | readonly string[]>> = {
  // The one way in: nothing of a draft is visible before it is stored.
  'RoomDraft.apply': 'everybody',
  // The room alone, because it goes on when the vault fails; its parts ask the room.
  'RoomState.write': ['room/room.ts'],
  'RoomState.create': ['account/create-room.ts'],
  'RoomState.load': ['account/unlocked-account.ts'],
  // Bring into memory what the vault holds, and change none of it.
  'RoomState.read': 'everybody',
  'RoomState.inTurn': 'everybody',
  'RoomState.loadEarlier': 'everybody',
  'RoomState.hold': ['view/timeline-feed.ts', 'view/prepare.ts'],
  // Registers who is to hear of a write.
  'RoomState.watch': ['room/conversation/conversation.ts'],
};

export interface Report {
  /** how many files were looked at */
  readonly files: number;
  /** what of room/state writes, as Class.member or as a function's name */
  readonly writers: readonly string[];
  readonly findings: readonly Finding[];
}

/** `planted`: sources by their paths from `root`, beside or over those on disk. */
export function checkRoomState(root: string, planted: Planted = {}): Report {
  const program = programOf(root, planted);
  const checker = program.getTypeChecker();
  const pathOf = pathFrom(root);
  // The other libraries too: what is passed to them is followed there.
  const sources = program.getSourceFiles().filter((file) => pathOf(file).startsWith('libs/'));
  const inside = sources.filter((file) => pathOf(file).startsWith(STATE) || RECORDS.test(pathOf(file)));
  const outside = sources.filter((file) => !inside.includes(file));
  const flow = new Flow(checker, outside, (node) => inside.includes(node.getSourceFile()));
  const writers = writersIn(inside, flow);

  const findings: Finding[] = [];
  const used = new Set<string>();
  const find = (node: ts.Node, what: string): void => {
    findings.push(findingAt(pathOf(node.getSourceFile()), node, what));
  };
  for (const file of outside) {
    for (const { node, of, by } of mutationsIn(file)) {
      // A call of a method of room/state is looked at below, by what that method does.
      const declared = flow.isOriginSymbol(flow.symbolOf(accessor(by)));
      if (ts.isCallExpression(node) ? !declared && flow.fromOrigin(of) : declared || flow.fromOrigin(of)) {
        find(node, 'changes room state');
      }
    }
    for (const node of nodesIn(file)) {
      const writer = flow
        .declarationsOf(node)
        .map((declaration) => writers.get(declaration))
        .find((name) => name !== undefined);
      if (writer !== undefined) {
        const allowed = ALLOWED[writer];
        const here = allowed === 'everybody' || allowed?.some((path) => pathOf(file) === CLIENT + path);
        if (here === true) used.add(`${writer} in ${pathOf(file)}`);
        else find(node.parent, `mentions ${writer}, which writes`);
      }
      if (looser(checker, flow, node)) find(node, 'casts readonly away');
    }
  }
  for (const [writer, files] of Object.entries(ALLOWED)) {
    if (files === 'everybody') continue;
    for (const path of files.map((name) => CLIENT + name)) {
      if (!used.has(`${writer} in ${path}`))
        findings.push({ file: path, line: 1, what: `needs no ${writer}` });
    }
  }
  return { files: outside.length, writers: [...new Set(writers.values())], findings };
}

/** What of room/state changes something that was there before, by declarations: Class.member, or a function's name. */
function writersIn(files: readonly ts.SourceFile[], flow: Flow): ReadonlyMap<ts.Node, string> {
  const members = new Map<ts.Node, string>();
  for (const node of files.flatMap((file) => [...nodesIn(file)])) {
    if (
      ts.isFunctionDeclaration(node) ||
      (ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent))
    ) {
      members.set(node, node.name?.getText() ?? '');
    } else if (ts.isMethodDeclaration(node) || ts.isMethodSignature(node) || ts.isAccessor(node)) {
      const owner =
        ts.isClassLike(node.parent) || ts.isInterfaceDeclaration(node.parent) ? node.parent.name : undefined;
      members.set(node, `${owner?.text ?? ''}.${node.name.getText()}`);
    }
  }
  const writers = new Map<ts.Node, string>();
  const writes = (node: ts.Node): boolean => {
    if (ts.isMethodSignature(node)) {
      const name = node.name.getText();
      return MUTATING.has(name) || [...writers.values()].some((writer) => writer.endsWith(`.${name}`));
    }
    return (
      [...mutationsIn(node)].some(({ of }) => !isOwn(flow, of)) ||
      [...nodesIn(node)].some(
        (part) => part !== node && flow.declarationsOf(part).some((one) => writers.has(one)),
      )
    );
  };
  for (let before = -1; before < writers.size;) {
    before = writers.size;
    for (const [node, name] of members) if (!writers.has(node) && writes(node)) writers.set(node, name);
  }
  return writers;
}

/** Whether a value is made in the function that changes it: no parameter, field or variable of the module leads to it. */
function isOwn(flow: Flow, expression: ts.Expression): boolean {
  const node = bare(expression);
  if (isAccess(node)) return isOwn(flow, node.expression);
  if (ts.isCallExpression(node)) {
    const callee = bare(node.expression);
    return !isAccess(callee) || !READING.has(accessor(callee).getText()) || isOwn(flow, callee);
  }
  if (!ts.isIdentifier(node)) return node.kind !== ts.SyntaxKind.ThisKeyword;
  let declaration = flow.symbolOf(node)?.valueDeclaration;
  while (declaration !== undefined && ts.isBindingElement(declaration))
    declaration = declaration.parent.parent;
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return false;
  const { initializer, parent } = declaration;
  if (ts.isSourceFile(parent.parent.parent)) return false;
  if (ts.isForOfStatement(parent.parent)) return isOwn(flow, parent.parent.expression);
  return initializer === undefined || isOwn(flow, initializer);
}

/** Whether a cast gives what is readonly in room state a type by which it can be changed. */
function looser(checker: ts.TypeChecker, flow: Flow, node: ts.Node): boolean {
  if (!ts.isAsExpression(node) && !ts.isTypeAssertionExpression(node)) return false;
  const given = bare(node);
  return loosens(checker, given, checker.getTypeAtLocation(node)) && flow.fromOrigin(given);
}

function loosens(checker: ts.TypeChecker, given: ts.Expression, wanted: ts.Type): boolean {
  const seen = new Set<ts.Type>();
  const gains = (from: ts.Type, to: ts.Type): boolean => {
    if (from === to || seen.has(to)) return false;
    seen.add(to);
    if ((to.flags & ts.TypeFlags.Any) !== 0) return true;
    if (to.isUnion()) return to.types.some((one) => gains(from, one));
    if (from.isUnion()) return from.types.some((one) => gains(one, to));
    if ((from.flags & to.flags & ts.TypeFlags.Object) === 0) return false;
    const name = to.getSymbol()?.name ?? '';
    if (from.getSymbol()?.name === `Readonly${name}`) return true;
    if (checker.isArrayType(from) || checker.isArrayType(to)) {
      const [a, b] = [from, to].map((list) => list.getNumberIndexType());
      return a !== undefined && b !== undefined && gains(a, b);
    }
    return to.getProperties().some((property) => {
      const own = from.getProperty(property.name);
      if (own === undefined || (property.flags & ts.SymbolFlags.Method) !== 0) return false;
      if (isReadonly(from, own) && !isReadonly(to, property)) return true;
      return gains(checker.getTypeOfSymbol(own), checker.getTypeOfSymbol(property));
    });
  };
  return gains(checker.getTypeAtLocation(given), wanted);
}

function isReadonly(type: ts.Type, property: ts.Symbol): boolean {
  const [made] = type.getSymbol()?.declarations ?? [];
  if (made !== undefined && ts.isMappedTypeNode(made) && made.readonlyToken !== undefined) {
    return made.readonlyToken.kind !== ts.SyntaxKind.MinusToken;
  }
  return (property.declarations ?? []).some(
    (node) => ts.isGetAccessor(node) || (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Readonly) !== 0,
  );
}
