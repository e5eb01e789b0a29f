/**
 * What the architecture test wants to know of a source file: its imports and the words it uses, found in the syntax
 * tree and not by searching text, so that comments and strings do not count.
 */
import type ts from 'typescript';

import { compiler } from './compiler.js';
import { spokenLines } from './spoken-lines.js';
import type { Spoken } from './spoken-lines.js';
import { spokenWords } from './spoken-words.js';

const {
  JSDocParsingMode,
  ScriptTarget,
  SyntaxKind,
  canHaveModifiers,
  createSourceFile,
  forEachChild,
  getLeadingCommentRanges,
  getModifiers,
  isCallExpression,
  isExportDeclaration,
  isForOfStatement,
  isFunctionLike,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNamedExports,
  isNamedImports,
  isPropertyAccessExpression,
  isQualifiedName,
  isStringLiteralLike,
  isVariableDeclaration,
  isVariableStatement,
} = compiler;

export interface ImportFact {
  readonly specifier: string;
  /** Gone after compilation: `import type`, `export type … from`, `import('…').T`. */
  readonly typeOnly: boolean;
  /** What is imported by name; empty for all else. */
  readonly names: readonly string[];
}

export interface FunctionFact {
  readonly name: string;
  /** From its first line to its last, without its comment. */
  readonly lines: number;
}

export interface ExportFact {
  readonly name: string;
  /** Has a doc comment. */
  readonly documented: boolean;
}

export interface SourceFacts {
  readonly imports: readonly ImportFact[];
  /** Every identifier that is a use of a name, not a property or a declaration: `process`, `console`, `Promise`. */
  readonly names: ReadonlySet<string>;
  /** `async` or `await` anywhere. */
  readonly asynchronous: boolean;
  readonly functions: readonly FunctionFact[];
  /** What is declared and exported here. */
  readonly exports: readonly ExportFact[];
  /** Nothing but `export { name } from '…'`, each name written out. */
  readonly onlyReexports: boolean;
  readonly words: ReadonlySet<string>;
  readonly spoken: readonly Spoken[];
}

// text -> what is known of it: several tests ask about the same files, and parsing is most of their time
const known = new Map<string, SourceFacts>();

// Whether there is a doc comment is seen without reading it.
const OPTIONS: ts.CreateSourceFileOptions = {
  languageVersion: ScriptTarget.Latest,
  jsDocParsingMode: JSDocParsingMode.ParseNone,
};

/** Reads one TypeScript file. */
export function sourceFacts(text: string): SourceFacts {
  const facts = known.get(text) ?? read(text);
  known.set(text, facts);
  return facts;
}

function read(text: string): SourceFacts {
  const imports: ImportFact[] = [];
  const names = new Set<string>();
  const functions: FunctionFact[] = [];
  const exports: ExportFact[] = [];
  let asynchronous = false;

  const visit = (node: ts.Node): void => {
    const found = importFact(node);
    if (found !== undefined) imports.push(found);
    if (node.kind === SyntaxKind.AsyncKeyword || node.kind === SyntaxKind.AwaitExpression) asynchronous = true;
    if (isForOfStatement(node) && node.awaitModifier !== undefined) asynchronous = true;
    if (isIdentifier(node) && isUse(node)) names.add(node.text);
    if (isFunction(node)) functions.push({ name: nameOf(node), lines: linesOf(node) });
    exports.push(...exportFacts(node));
    forEachChild(node, visit);
  };
  const file = createSourceFile('file.ts', text, OPTIONS, true);
  visit(file);
  const onlyReexports = file.statements.every(isReexport);
  const [words, spoken] = [spokenWords(file), spokenLines(file)];
  return { imports, names, asynchronous, functions, exports, onlyReexports, words, spoken };
}

function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function nameOf(node: ts.Node): string {
  if ('name' in node && node.name !== undefined) return (node.name as ts.Node).getText();
  return isVariableDeclaration(node.parent) ? node.parent.name.getText() : '(nameless)';
}

function linesOf(node: ts.Node): number {
  const file = node.getSourceFile();
  const lineAt = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  return lineAt(node.getEnd()) - lineAt(node.getStart()) + 1;
}

function exportFacts(node: ts.Node): ExportFact[] {
  if (!canHaveModifiers(node)) return [];
  if (getModifiers(node)?.some(({ kind }) => kind === SyntaxKind.ExportKeyword) !== true) return [];
  const { text } = node.getSourceFile();
  const comments = getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  const documented = comments.some(({ pos }) => text.startsWith('/**', pos));
  if (isVariableStatement(node)) {
    return node.declarationList.declarations.map(({ name }) => ({ name: name.getText(), documented }));
  }
  return [{ name: nameOf(node), documented }];
}

function isReexport(node: ts.Statement): boolean {
  if (!isExportDeclaration(node) || node.moduleSpecifier === undefined) return false;
  return node.exportClause !== undefined && isNamedExports(node.exportClause);
}

function importFact(node: ts.Node): ImportFact | undefined {
  if (isImportDeclaration(node)) return fact(node.moduleSpecifier, isTypeOnlyImport(node), importedNames(node));
  if (isExportDeclaration(node) && node.moduleSpecifier) return fact(node.moduleSpecifier, node.isTypeOnly);
  if (isImportTypeNode(node) && isLiteralTypeNode(node.argument)) return fact(node.argument.literal, true);
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    return fact(node.arguments[0], false);
  }
  return undefined;
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  return node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
}

function importedNames({ importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  if (bindings === undefined || !isNamedImports(bindings)) return [];
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}

function fact(specifier: ts.Node | undefined, typeOnly: boolean, names: readonly string[] = []): ImportFact {
  if (specifier !== undefined && isStringLiteralLike(specifier)) return { specifier: specifier.text, typeOnly, names };
  // An import of a computed name could be of anything: let it match no table.
  return { specifier: '(computed)', typeOnly, names };
}

/** Whether the identifier stands for a value or a type of that name, and is not the name of a property. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (isQualifiedName(parent) && parent.right === node) return false;
  return !('name' in parent && parent.name === node);
}
