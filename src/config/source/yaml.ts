/**
 * `config.yaml`: YAML 1.2 with the values of JSON. Anchors and aliases work; custom tags and keys that are not text
 * are refused.
 */
import { isAlias, isMap, isScalar, isSeq, Lexer, parseDocument, Parser } from 'yaml';
import type { Alias, Pair, YAMLMap } from 'yaml';

import { MAX_DEPTH, TOO_DEEP } from './source.js';
import type { ParsedSource, SourceMember, SourceNode } from './source.js';
import { ROOT } from './text.js';
import type { Finding } from './text.js';

/** Parses YAML. */
export function parseYaml(text: string): ParsedSource {
  const deep = offsetBeyondDepth(text);
  if (deep !== undefined) return { findings: [{ offset: deep, pointer: ROOT, text: TOO_DEEP }] };
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, version: '1.2' });
  const [error] = document.errors;
  // Only the first error is reported: the others are consequences.
  if (error?.code === 'MULTIPLE_DOCS') {
    return { findings: [syntax(error.pos[0], 'a second document begins here (allowed: one)')] };
  }
  if (error !== undefined) return { findings: [syntax(error.pos[0], oneLine(error.message))] };
  if (document.contents === null) return { findings: [] };
  const reader = new YamlReader();
  const root = reader.read(document.contents);
  // An unknown tag or anchor leaves a value missing, so the tree is not checked.
  const tags = document.warnings.map((warning) => syntax(warning.pos[0], oneLine(warning.message)));
  const findings = [...tags, ...reader.findings];
  return findings.length > 0 ? { findings } : { root, findings };
}

/** The composer is recursive and must not meet the end of the stack; the parser keeps a stack of its own. */
function offsetBeyondDepth(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    Array.from(parser.next(lexeme));
    // The document itself is on the stack too.
    if (parser.stack.length > MAX_DEPTH + 1) return parser.offset;
  }
  return undefined;
}

function syntax(offset: number, text: string): Finding {
  return { offset, pointer: ROOT, text: `not valid YAML: ${text}` };
}

function oneLine(message: string): string {
  const [first = ''] = message.split('\n');
  return first.charAt(0).toLowerCase() + first.slice(1);
}

/** Turns nodes of the YAML library into ours, in the order of the file: an alias means the last anchor before it. */
class YamlReader {
  readonly findings: Finding[] = [];
  /** anchor -> its value; undefined while it is being read, which makes an alias inside a circle. */
  readonly #anchors = new Map<string, SourceNode | undefined>();

  read(node: unknown): SourceNode {
    if (isAlias(node)) return this.#alias(node);
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return nothing(0);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, undefined);
    const source = this.#plain(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, source);
    return source;
  }

  #plain(node: unknown): SourceNode {
    if (isMap(node)) return { kind: 'object', offset: offsetOf(node), members: this.#members(node) };
    if (isSeq(node)) return { kind: 'array', offset: offsetOf(node), items: node.items.map((item) => this.read(item)) };
    if (!isScalar(node)) return nothing(0);
    const { value } = node;
    const offset = offsetOf(node);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', offset, value };
    }
    return nothing(offset);
  }

  #members(map: YAMLMap): SourceMember[] {
    const members: SourceMember[] = [];
    for (const pair of map.items) {
      const key = this.#key(pair, offsetOf(map));
      if (key !== undefined)
        members.push({ ...key, value: pair.value === null ? nothing(key.keyOffset) : this.read(pair.value) });
    }
    return members;
  }

  #key({ key }: Pair, fallback: number): { key: string; keyOffset: number } | undefined {
    if (isScalar(key) && key.value !== null)
      return { key: key.source ?? JSON.stringify(key.value), keyOffset: offsetOf(key) };
    this.findings.push(syntax(hasRange(key) ? offsetOf(key) : fallback, 'a key must be text'));
    return undefined;
  }

  #alias(alias: Alias): SourceNode {
    const offset = offsetOf(alias);
    const target = this.#anchors.get(alias.source);
    if (target !== undefined) return target;
    const circle = this.#anchors.has(alias.source);
    this.findings.push(
      syntax(
        offset,
        // The name is not shown: it may be a password without quotes that begins with an asterisk.
        circle ? `the alias "*${alias.source}" contains itself` : 'this alias has no anchor before it',
      ),
    );
    return nothing(offset);
  }
}

function hasRange(node: unknown): node is { range: readonly number[] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function offsetOf(node: unknown): number {
  return hasRange(node) ? (node.range[0] ?? 0) : 0;
}

function nothing(offset: number): SourceNode {
  return { kind: 'scalar', offset, value: null };
}
