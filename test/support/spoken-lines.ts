/**
 * What the node says when something is wrong, found in the syntax trees of `src/`: lines of the log from `warn` on, reasons of
 * refusals, and why it does not start. For documents that have to know all of it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const SRC = path.resolve(import.meta.dirname, '../../src');

/** One thing that is said. Where it has parts that change, its longest constant part. */
export interface Spoken {
  readonly file: string;
  readonly how: 'line' | 'refusal' | 'denial' | 'start';
  readonly text: string;
}

/** Where the message is among the arguments of a function that writes a line, by the name of the function. */
const MESSAGE_AT: Readonly<Record<string, number>> = { warn: 1, error: 1, fatal: 1, say: 2, sayRepeated: 3 };
const LOUD = /^(?:warn|error)$/;

/** All of it, in the order of files and lines. */
export function spokenLines(): readonly Spoken[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.sort().flatMap((name) => spokenIn(name, readFileSync(path.join(SRC, name), 'utf8')));
}

function spokenIn(name: string, text: string): Spoken[] {
  const tree = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: Spoken[] = [];
  const add = (how: Spoken['how'], node: ts.Node | undefined): void => {
    for (const said of node === undefined ? [] : textsOf(node, tree)) found.push({ file: name, how, text: said });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) addCall(node, add);
    if (ts.isNewExpression(node) && node.expression.getText() === 'NodeError') add('start', node.arguments?.[1]);
    if (ts.isObjectLiteralExpression(node)) addObject(node, add);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

type Add = (how: Spoken['how'], node: ts.Node | undefined) => void;

function addCall({ expression, arguments: args }: ts.CallExpression, add: Add): void {
  const callee = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
  if (callee === 'deny') return add('denial', args[1]);
  const at = Object.hasOwn(MESSAGE_AT, callee) ? MESSAGE_AT[callee] : undefined;
  if (at === undefined) return;
  const level = callee.startsWith('say') ? args[at - 2] : undefined;
  if (level !== undefined && !(ts.isStringLiteral(level) && LOUD.test(level.text))) return;
  add('line', args[at]);
}

/** `{ kind, text }` of a refusal, where its kind is a constant, and `{ level, message }` of a line. */
function addObject(node: ts.ObjectLiteralExpression, add: Add): void {
  const value = (key: string): ts.Node | undefined =>
    node.properties.filter(ts.isPropertyAssignment).find(({ name }) => name.getText() === key)?.initializer;
  const [kind, level] = [value('kind'), value('level')];
  if (kind !== undefined && ts.isStringLiteral(kind)) add('refusal', value('text') ?? value('remedy'));
  if (level !== undefined && ts.isStringLiteral(level) && LOUD.test(level.text)) add('line', value('message'));
}

/** The texts that an expression can be, as far as they are constant. */
function textsOf(node: ts.Node, tree: ts.SourceFile): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    const parts = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)];
    return [parts.sort((a, b) => b.length - a.length)[0]?.trim() ?? ''];
  }
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap((one) => textsOf(one, tree));
  if (!ts.isIdentifier(node)) return [];
  const value = constantsOf(tree).get(node.text);
  return value === undefined ? [] : textsOf(value, tree);
}

const known = new WeakMap<ts.SourceFile, ReadonlyMap<string, ts.Expression>>();

/** name -> value of every `const` of a file, wherever it stands */
function constantsOf(tree: ts.SourceFile): ReadonlyMap<string, ts.Expression> {
  const before = known.get(tree);
  if (before !== undefined) return before;
  const found = new Map<string, ts.Expression>();
  known.set(tree, found);
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      found.set(node.name.text, node.initializer);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}
