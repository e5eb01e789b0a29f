/**
 * The string literals of a source file that stand for a value: what is compared, chosen by or handed on. Not those that only name
 * a key (`place.get('path')`, `x['path']`, `'path' in x`, `{ 'path': 1 }`), and no module names.
 */
import ts from 'typescript';

/** @returns each of them once. */
export function spokenWords(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && !isKey(node)) words.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true));
  return words;
}

/** Methods that go to a key: those of `Cursor` and `Place`. */
const GOING: ReadonlySet<string> = new Set(['get', 'at', 'set']);

function isKey(literal: ts.StringLiteralLike): boolean {
  const { parent } = literal;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true;
  if (ts.isElementAccessExpression(parent)) return parent.argumentExpression === literal;
  if (ts.isBinaryExpression(parent)) {
    return parent.operatorToken.kind === ts.SyntaxKind.InKeyword && parent.left === literal;
  }
  if (ts.isCallExpression(parent)) return isGoing(parent);
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === literal;
}

function isGoing({ expression }: ts.CallExpression): boolean {
  if (expression.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isPropertyAccessExpression(expression) && GOING.has(expression.name.text);
}
