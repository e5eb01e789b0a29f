/**
 * The string literals of a source file that stand for a value: what is compared, chosen by or handed on. Not those that only name
 * a key (`place.get('path')`, `x['path']`, `'path' in x`, `{ 'path': 1 }`), and no module names.
 */
import type ts from 'typescript';
import { compiler } from './compiler.js';

const {
  SyntaxKind,
  forEachChild,
  isBinaryExpression,
  isCallExpression,
  isElementAccessExpression,
  isExportDeclaration,
  isImportDeclaration,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isPropertySignature,
  isStringLiteralLike,
} = compiler;

/** @returns each of them once. */
export function spokenWords(tree: ts.SourceFile): ReadonlySet<string> {
  const words = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (isStringLiteralLike(node) && !isKey(node)) words.add(node.text);
    forEachChild(node, visit);
  };
  visit(tree);
  return words;
}

/** Methods that go to a key: those of `Cursor` and `Place`. */
const GOING: ReadonlySet<string> = new Set(['get', 'at', 'set']);

function isKey(literal: ts.StringLiteralLike): boolean {
  const { parent } = literal;
  if (isImportDeclaration(parent) || isExportDeclaration(parent)) return true;
  if (isElementAccessExpression(parent)) return parent.argumentExpression === literal;
  if (isBinaryExpression(parent)) {
    return parent.operatorToken.kind === SyntaxKind.InKeyword && parent.left === literal;
  }
  if (isCallExpression(parent)) return isGoing(parent);
  return (isPropertyAssignment(parent) || isPropertySignature(parent)) && parent.name === literal;
}

function isGoing({ expression }: ts.CallExpression): boolean {
  if (expression.kind === SyntaxKind.ImportKeyword) return true;
  return isPropertyAccessExpression(expression) && GOING.has(expression.name.text);
}
