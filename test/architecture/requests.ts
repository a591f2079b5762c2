/**
 * Only libs/client/src/room/outgoing sends a room's requests; what makes a room asks for itself. The compiler is asked: every mention of what sends counts, under whichever name, whether it is called
 * there or not, and so does what is taken from a connection behind a cast or by a computed name.
 */
import ts from 'typescript';
import { Flow } from './flow.js';
import { CLIENT, findingAt, pathFrom, programOf, type Finding, type Planted } from './program.js';
import { accessedName, accessor, isAccess, nodesIn } from './syntax.js';

const OUTGOING = `${CLIENT}room/outgoing/`;

/** What sends, and who else may have it: files of the client. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // The one request that makes a room.
  'Connection.request': ['account/create-room.ts'],
  'RequestPort.request': [],
  // The connection over its session.
  'Requests.make': ['link/connection.ts'],
  send: [],
  sendInTurn: [],
  // What is worth nothing later.
  sendOnce: ['room/member/signals.ts'],
};
const NAMES: ReadonlySet<string> = new Set(Object.keys(ALLOWED).map((name) => name.split('.').at(-1) ?? ''));

export interface Report {
  /** how many files were looked at */
  readonly files: number;
  readonly findings: readonly Finding[];
}

/** `planted`: sources by their paths from `root`, beside or over those on disk. */
export function checkRequests(root: string, planted: Planted = {}): Report {
  const program = programOf(root, planted);
  const checker = program.getTypeChecker();
  const pathOf = pathFrom(root);
  const sources = program.getSourceFiles().filter((file) => pathOf(file).startsWith(CLIENT));
  const senders = new Map(
    sources
      .flatMap((file) => [...nodesIn(file)])
      .flatMap((node) => {
        const name = nameOf(node);
        return name !== null && name in ALLOWED ? [[node, name] as const] : [];
      }),
  );
  const owners = new Set<ts.Node>(
    [...senders.keys()].map(({ parent }) => parent).filter((node) => !ts.isSourceFile(node)),
  );
  const flow = new Flow(checker, sources, (node) => owners.has(node));
  const outside = sources.filter((file) => !pathOf(file).startsWith(OUTGOING));

  const senderAt = (node: ts.Node): string | undefined =>
    flow
      .declarationsOf(node)
      .map((declaration) => senders.get(declaration))
      .find((name) => name !== undefined);

  const findings: Finding[] = [];
  const used = new Set<string>();
  for (const file of outside) {
    const path = pathOf(file);
    for (const node of nodesIn(file)) {
      const sender = senderAt(node);
      if (sender === undefined) {
        const named = isAccess(node) && senderAt(accessor(node)) !== undefined;
        if (!named && isHidden(flow, node)) {
          findings.push(findingAt(path, node, 'takes what sends from a connection'));
        }
      } else if (ALLOWED[sender]?.some((name) => path === CLIENT + name) === true) {
        used.add(`${sender} in ${path}`);
      } else if (!senders.has(node.parent)) {
        findings.push(findingAt(path, node.parent, `mentions ${sender}, which sends`));
      }
    }
  }
  for (const [sender, files] of Object.entries(ALLOWED)) {
    for (const path of files.map((name) => CLIENT + name)) {
      if (!used.has(`${sender} in ${path}`))
        findings.push({ file: path, line: 1, what: `needs no ${sender}` });
    }
  }
  return { files: outside.length, findings };
}

/** Class.member, or a function's name; null for what is declared otherwise. */
function nameOf(node: ts.Node): string | null {
  if (ts.isFunctionDeclaration(node))
    return node.getSourceFile().fileName.includes(OUTGOING) ? (node.name?.text ?? null) : null;
  if (!ts.isMethodDeclaration(node) && !ts.isMethodSignature(node)) return null;
  const owner =
    ts.isClassLike(node.parent) || ts.isInterfaceDeclaration(node.parent) ? node.parent.name : undefined;
  return `${owner?.text ?? ''}.${node.name.getText()}`;
}

/** Whether what sends is reached where no declaration of it is named: behind a cast, or by a computed name. */
function isHidden(flow: Flow, node: ts.Node): boolean {
  if (isAccess(node)) {
    const name = accessedName(node);
    return (name === null || NAMES.has(name)) && flow.fromOrigin(node.expression);
  }
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = (node.propertyName ?? node.name).getText();
    const { initializer } = node.parent.parent;
    return NAMES.has(name) && initializer !== undefined && flow.fromOrigin(initializer);
  }
  return (
    ts.isCallExpression(node) &&
    node.expression.getText().startsWith('Reflect.') &&
    node.arguments.some((given) => flow.fromOrigin(given))
  );
}
