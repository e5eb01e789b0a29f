// docs/errors.md, made of the source: the classes of errors with their codes, the URIs, and how connections end. What it
// says of each is the comment that stands above it.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import ts from 'typescript';

const root = path.dirname(import.meta.dirname);
const src = path.join(root, 'src');

/** @typedef {{ name: string, text: string }} Entry */
/** @typedef {{ name: string, text: string, codes: Entry[] }} ErrorClass */

/** @returns {string} the page */
export function errorsPage() {
  const classes = sources().flatMap(({ tree }) => errorClasses(tree));
  const exported = exportedNames();
  const isPublic = (/** @type {ErrorClass} */ { name }) => exported.has(name);
  const uris = constants('wamp/error.ts');
  return [
    '# Errors\n',
    'Written from the source by `npm run generate`.\n',
    '## What a program gets\n',
    'The package exports these classes. `code` names the case and is stable; the text may change.\n',
    ...classes.filter(isPublic).map(section),
    '## In the log, and as `cause`\n',
    'These errors are not thrown to a program. They are the `err` of a log line, or the `cause` of an error above.\n',
    table(
      ['class', 'code', 'what it is'],
      classes
        .filter((found) => !isPublic(found))
        .map(({ name, text, codes }) => [code(name), codes.map((entry) => code(entry.name)).join(' ') || '-', text]),
    ),
    '## Error URIs\n',
    'The URIs in answers to clients: in ERROR, after which the session goes on, or as the reason of ABORT, which ends it. The error',
    'URI of a callee is passed on unchanged.\n',
    table(
      ['URI', 'what it means'],
      uris.get('ErrorUri')?.map(({ name, text }) => [code(name), text]),
    ),
    '## Reasons of GOODBYE\n',
    table(
      ['URI', 'what it means'],
      uris.get('CloseUri')?.map(({ name, text }) => [code(name), text]),
    ),
    '## Close codes\n',
    'The code in the close frame of a WebSocket. A RawSocket connection ends without a code. So does one that is cut, because the client',
    'answers no ping, does not read, or is silent: a browser says 1006 then.\n',
    table(['code', 'when'], endings()),
  ].join('\n');
}

/** @param {ErrorClass} found */
function section({ name, text, codes }) {
  const rows = codes.map((entry) => [code(entry.name), entry.text]);
  return `### ${name}\n\n${text}\n\n${rows.length === 0 ? '' : `${table(['code', 'when'], rows)}\n`}`.trimEnd() + '\n';
}

/** @returns {{ file: string, tree: ts.SourceFile }[]} */
function sources() {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.sort().map((file) => ({ file, tree: parse(file) }));
}

/** @param {string} file below src */
function parse(file) {
  return ts.createSourceFile(file, readFileSync(path.join(src, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

/** @returns {Set<string>} the names that `src/index.ts` passes on */
function exportedNames() {
  const names = parse('index.ts').statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map((element) => element.name.text)
      : [],
  );
  return new Set(names);
}

/**
 * @param {ts.SourceFile} tree
 * @returns {ErrorClass[]} the classes in it that extend Error
 */
function errorClasses(tree) {
  return tree.statements.filter(isErrorClass).map((found) => {
    const member = found.members.find((each) => ts.isPropertyDeclaration(each) && each.name.getText(tree) === 'code');
    const codes = member !== undefined && ts.isPropertyDeclaration(member) ? codesOf(member, tree) : [];
    return { name: found.name?.text ?? '', text: commentAt(tree, found.pos), codes };
  });
}

/**
 * @param {ts.Statement} node
 * @returns {node is ts.ClassDeclaration}
 */
function isErrorClass(node) {
  const clauses = ts.isClassDeclaration(node) ? (node.heritageClauses ?? []) : [];
  return clauses.some(({ types }) => types.some((type) => type.expression.getText() === 'Error'));
}

/**
 * @param {ts.PropertyDeclaration} member `code = 'ERR_…'`, or `code: SomeErrorCode`
 * @param {ts.SourceFile} tree
 * @returns {Entry[]}
 */
function codesOf({ initializer, type, pos }, tree) {
  if (initializer !== undefined && ts.isStringLiteral(initializer)) {
    return [{ name: initializer.text, text: commentAt(tree, pos) }];
  }
  const alias = tree.statements.find(
    (statement) => ts.isTypeAliasDeclaration(statement) && statement.name.text === type?.getText(tree),
  );
  if (alias === undefined || !ts.isTypeAliasDeclaration(alias)) return [];
  const members = ts.isUnionTypeNode(alias.type) ? [...alias.type.types] : [alias.type];
  return members.flatMap((each, index) => {
    if (!ts.isLiteralTypeNode(each) || !ts.isStringLiteral(each.literal)) return [];
    // The comment stands before the bar.
    return [{ name: each.literal.text, text: commentAt(tree, members[index - 1]?.end ?? alias.type.pos) }];
  });
}

/**
 * @param {string} file below src
 * @returns {Map<string, Entry[]>} the tables of texts that it exports, by name: `{ KEY: 'value' }`
 */
function constants(file) {
  const tree = parse(file);
  return new Map(
    tables(tree).map(([name, table]) => [
      name,
      table.properties.flatMap((property) =>
        ts.isPropertyAssignment(property) && ts.isStringLiteral(property.initializer)
          ? [{ name: property.initializer.text, text: commentAt(tree, property.pos) }]
          : [],
      ),
    ]),
  );
}

/**
 * @param {ts.SourceFile} tree
 * @returns {[string, ts.ObjectLiteralExpression][]}
 */
function tables(tree) {
  const declarations = tree.statements.flatMap((statement) =>
    ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [],
  );
  return declarations.flatMap(({ name, initializer }) => {
    const value = initializer && ts.isAsExpression(initializer) ? initializer.expression : initializer;
    return value && ts.isObjectLiteralExpression(value) ? [[name.getText(tree), value]] : [];
  });
}

/** @returns {string[][]} the code of each reason for which the node ends a connection */
function endings() {
  const tree = parse('transport/endings.ts');
  const table = tables(tree).find(([name]) => name === 'ENDINGS')?.[1];
  const rows = (table?.properties ?? []).flatMap((property) => {
    const number = /\bcode: (\d+)/.exec(property.getText(tree))?.[1];
    return number === undefined ? [] : [[number, commentAt(tree, property.pos)]];
  });
  return rows.sort(([a], [b]) => Number(a) - Number(b));
}

/**
 * @param {ts.SourceFile} tree
 * @param {number} position where the comment may begin: the end of what stands before
 * @returns {string} the comment there, in one line
 */
function commentAt(tree, position) {
  const found = ts.getLeadingCommentRanges(tree.text, position)?.at(-1);
  if (found === undefined) return '';
  const lines = tree.text.slice(found.pos + '/**'.length, found.end - '*/'.length).split('\n');
  const text = lines.map((line) => line.trim().replace(/^\*\s?/, '')).join(' ');
  return text.trim().replaceAll(/\{@link (\w+)\}/g, '`$1`');
}

/** @param {string} text */
function code(text) {
  return `\`${text}\``;
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} [rows]
 */
function table(head, rows = []) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}
