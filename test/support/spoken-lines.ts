/**
 * What the node says when something is wrong, found in the syntax trees of `src/`: lines of the log from `warn` on, reasons of
 * refusals, and why it does not start. For documents that have to know all of it.
 */
import type ts from 'typescript';
import { compiler } from './compiler.js';

const {
  forEachChild,
  isCallExpression,
  isConditionalExpression,
  isIdentifier,
  isNewExpression,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isStringLiteral,
  isStringLiteralLike,
  isTemplateExpression,
  isVariableDeclaration,
} = compiler;

/** One thing that is said. Where it has parts that change, its longest constant part. */
export interface Spoken {
  readonly how: 'line' | 'refusal' | 'denial' | 'start';
  readonly text: string;
}

/** Where the message is among the arguments of a function that writes a line, by the name of the function. */
const MESSAGE_AT: Readonly<Record<string, number>> = { warn: 1, error: 1, fatal: 1, say: 2, sayRepeated: 3 };
const LOUD = /^(?:warn|error)$/;

/** @returns all of it that one file says, in the order of its lines. */
export function spokenLines(tree: ts.SourceFile): readonly Spoken[] {
  const found: Spoken[] = [];
  const add = (how: Spoken['how'], node: ts.Node | undefined): void => {
    for (const said of node === undefined ? [] : textsOf(node, tree)) found.push({ how, text: said });
  };
  const visit = (node: ts.Node): void => {
    if (isCallExpression(node)) addCall(node, add);
    if (isNewExpression(node) && node.expression.getText() === 'NodeError') add('start', node.arguments?.[1]);
    if (isObjectLiteralExpression(node)) addObject(node, add);
    forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

type Add = (how: Spoken['how'], node: ts.Node | undefined) => void;

function addCall({ expression, arguments: args }: ts.CallExpression, add: Add): void {
  const callee = isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
  if (callee === 'deny') return add('denial', args[1]);
  const at = Object.hasOwn(MESSAGE_AT, callee) ? MESSAGE_AT[callee] : undefined;
  if (at === undefined) return;
  const level = callee.startsWith('say') ? args[at - 2] : undefined;
  if (level !== undefined && !(isStringLiteral(level) && LOUD.test(level.text))) return;
  add('line', args[at]);
}

/** `{ kind, text }` of a refusal, where its kind is a constant, and `{ level, message }` of a line. */
function addObject(node: ts.ObjectLiteralExpression, add: Add): void {
  const value = (key: string): ts.Node | undefined =>
    node.properties.filter(isPropertyAssignment).find(({ name }) => name.getText() === key)?.initializer;
  const [kind, level] = [value('kind'), value('level')];
  if (kind !== undefined && isStringLiteral(kind)) add('refusal', value('text') ?? value('remedy'));
  if (level !== undefined && isStringLiteral(level) && LOUD.test(level.text)) add('line', value('message'));
}

/** The texts that an expression can be, as far as they are constant. */
function textsOf(node: ts.Node, tree: ts.SourceFile): string[] {
  if (isStringLiteralLike(node)) return [node.text];
  if (isTemplateExpression(node)) {
    const parts = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)];
    return [parts.sort((a, b) => b.length - a.length)[0]?.trim() ?? ''];
  }
  if (isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap((one) => textsOf(one, tree));
  if (!isIdentifier(node)) return [];
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
    if (isVariableDeclaration(node) && isIdentifier(node.name) && node.initializer !== undefined) {
      found.set(node.name.text, node.initializer);
    }
    forEachChild(node, visit);
  };
  visit(tree);
  return found;
}
