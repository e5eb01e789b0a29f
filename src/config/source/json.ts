/**
 * `config.json`: strict JSON. The usual mistakes (a comment, a trailing comma) get messages of their own, and do not hide other
 * problems in the file.
 */
import { createScanner, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';

import { MAX_DEPTH, TOO_DEEP } from './source.js';
import type { ParsedSource, SourceMember, SourceNode } from './source.js';
import { ROOT } from './text.js';
import type { Finding } from './text.js';

/** Parses strict JSON. */
export function parseJson(text: string): ParsedSource {
  const deep = offsetBeyondDepth(text);
  if (deep !== undefined) return { findings: [{ offset: deep, pointer: ROOT, text: TOO_DEEP }] };
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const findings = withoutEchoes(errors, text);
  const broken = findings.some(({ harmless }) => !harmless);
  const root = broken || tree === undefined ? undefined : nodeOf(tree);
  return { findings, ...(root === undefined ? {} : { root }) };
}

/** The parser is recursive and must not meet the end of the stack; the scanner is not. */
function offsetBeyondDepth(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) return undefined;
    const token = text.charAt(offset);
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    if (depth > MAX_DEPTH) return offset;
  }
}

interface JsonFinding extends Finding {
  /** The rest of the text can still be read. */
  readonly harmless: boolean;
}

/** @returns the errors up to the first that is not harmless: the ones after it are consequences. */
function withoutEchoes(errors: readonly ParseError[], text: string): JsonFinding[] {
  const findings: JsonFinding[] = [];
  let last = -1;
  for (const error of errors) {
    if (error.offset === last) continue;
    last = error.offset;
    const finding = explainSyntax(error, text);
    findings.push(finding);
    if (!finding.harmless) break;
  }
  return findings;
}

function explainSyntax(error: ParseError, text: string): JsonFinding {
  const code = printParseErrorCode(error.error);
  const found = text.slice(error.offset, error.offset + error.length);
  if (code === 'InvalidCommentToken')
    return finding(error.offset, 'found a comment (allowed in YAML, not in JSON)', true);
  const comma = trailingComma(code, found, text, error.offset);
  if (comma !== undefined)
    return finding(comma, `found a comma before "${found}" (allowed between two values only)`, true);
  return finding(error.offset, `not valid JSON: ${SYNTAX[code] ?? unexpected(found)}`, false);
}

function finding(offset: number, text: string, harmless: boolean): JsonFinding {
  return { offset, pointer: ROOT, text, harmless };
}

/** @returns the offset of a trailing comma, if that is the error. */
function trailingComma(code: string, found: string, text: string, offset: number): number | undefined {
  const closes = (code === 'PropertyNameExpected' && found === '}') || (code === 'ValueExpected' && found === ']');
  const before = text.slice(0, offset).trimEnd();
  if (!closes || !before.endsWith(',')) return undefined;
  // Two commas in a row are another mistake.
  return /[,[{]\s*,$/.test(before) ? undefined : before.length - 1;
}

const SYNTAX: Readonly<Record<string, string>> = {
  CommaExpected: 'a comma is missing before this',
  ColonExpected: 'a colon is missing before this',
  CloseBraceExpected: 'the file ends, but a "}" is missing',
  CloseBracketExpected: 'the file ends, but a "]" is missing',
  EndOfFileExpected: 'the document ends before this',
  UnexpectedEndOfString: 'this string has no end (a line break inside is written "\\n")',
  UnexpectedEndOfNumber: 'this number has no end',
  InvalidUnicode: '"\\u" takes four hexadecimal digits',
  InvalidEscapeCharacter: 'a backslash is written "\\\\"',
  InvalidCharacter: 'control characters in a string are written "\\u0000"',
};

function unexpected(found: string): string {
  if (found.startsWith("'")) return 'strings take double quotes';
  return found === '' ? 'the file ends where a value is missing' : `unexpected ${JSON.stringify(found.slice(0, 20))}`;
}

function nodeOf(node: Node): SourceNode {
  const { offset, children = [] } = node;
  if (node.type === 'object') return { kind: 'object', offset, members: children.flatMap(memberOf) };
  if (node.type === 'array') return { kind: 'array', offset, items: children.map(nodeOf) };
  return { kind: 'scalar', offset, value: node.value as string | number | boolean | null };
}

function memberOf({ children: [key, value] = [] }: Node): SourceMember[] {
  if (key === undefined || value === undefined) return [];
  return [{ key: String(key.value), keyOffset: key.offset, value: nodeOf(value) }];
}
