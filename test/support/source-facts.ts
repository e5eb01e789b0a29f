/**
 * What the architecture test wants to know of a source file: its imports and the words it uses, found in the syntax
 * tree and not by searching text, so that comments and strings do not count.
 */
import ts from 'typescript';

export interface ImportFact {
  readonly specifier: string;
  /** Gone after compilation: `import type`, `export type … from`, `import('…').T`. */
  readonly typeOnly: boolean;
}

export interface SourceFacts {
  readonly imports: readonly ImportFact[];
  /** Every identifier that is a use of a name, not a property or a declaration: `process`, `console`, `Promise`. */
  readonly names: ReadonlySet<string>;
  /** `async` or `await` anywhere. */
  readonly asynchronous: boolean;
}

/** Reads one TypeScript file. */
export function sourceFacts(text: string): SourceFacts {
  const imports: ImportFact[] = [];
  const names = new Set<string>();
  let asynchronous = false;

  const visit = (node: ts.Node): void => {
    const found = importFact(node);
    if (found !== undefined) imports.push(found);
    if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitExpression) asynchronous = true;
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) asynchronous = true;
    if (ts.isIdentifier(node) && isUse(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true));
  return { imports, names, asynchronous };
}

function importFact(node: ts.Node): ImportFact | undefined {
  if (ts.isImportDeclaration(node)) return fact(node.moduleSpecifier, isTypeOnlyImport(node));
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) return fact(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return fact(node.argument.literal, true);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return fact(node.arguments[0], false);
  }
  return undefined;
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function fact(specifier: ts.Node | undefined, typeOnly: boolean): ImportFact {
  if (specifier !== undefined && ts.isStringLiteralLike(specifier)) return { specifier: specifier.text, typeOnly };
  // An import of a computed name could be of anything: let it match no table.
  return { specifier: '(computed)', typeOnly };
}

/** Whether the identifier stands for a value or a type of that name, and is not the name of a property. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isQualifiedName(parent) && parent.right === node) return false;
  return !('name' in parent && parent.name === node);
}
