/**
 * A parsed config file with the position of every value. JSON and YAML are both parsed into this tree, so that the later steps
 * know one shape. `plainValue` refuses what is dangerous (`__proto__`, endless nesting); of a key twice the last one counts.
 */
import { ROOT } from './text.js';
import type { Finding, LineIndex } from './text.js';

export type SourceNode =
  | { readonly kind: 'object'; readonly offset: number; readonly members: readonly SourceMember[] }
  | { readonly kind: 'array'; readonly offset: number; readonly items: readonly SourceNode[] }
  | { readonly kind: 'scalar'; readonly offset: number; readonly value: string | number | boolean | null };

export interface SourceMember {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: SourceNode;
}

/** The result of a parser. */
export interface ParsedSource {
  /** Missing when the text cannot be parsed. */
  readonly root?: SourceNode;
  readonly findings: readonly Finding[];
}

/** Deeper than any config, far from the end of the stack. */
export const MAX_DEPTH = 100;
/** The most values in a config: a few YAML aliases can expand to any number. */
const MAX_VALUES = 100_000;

export const TOO_DEEP = `nested too deeply (allowed: ${MAX_DEPTH} levels)`;

export type Path = readonly string[];

/** @returns the JSON pointer of a path, in the form that messages use. */
export function pointerOf(path: Path): string {
  return path.length === 0 ? ROOT : path.map((segment) => `/${escapeSegment(segment)}`).join('');
}

/** @returns the path of a JSON pointer (RFC 6901); the empty pointer is the root. */
export function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function escapeSegment(segment: string): string {
  const escaped = segment.replaceAll('~', '~0').replaceAll('/', '~1');
  // A key may contain anything; a message stays on one line.
  return /^[\x20-\x7e]*$/.test(escaped) ? escaped : JSON.stringify(escaped).slice(1, -1);
}

/** @returns the offset of a value, or of the nearest value around it when it comes from a default. */
export function valueOffset(root: SourceNode, path: Path): number {
  let node = root;
  for (const segment of path) {
    const child = childOf(node, segment);
    if (child === undefined) break;
    node = child;
  }
  return node.offset;
}

/** @returns the offset of the key that a path ends in. */
export function keyOffset(root: SourceNode, path: Path): number {
  let node = root;
  let offset = root.offset;
  for (const segment of path) {
    const member = node.kind === 'object' ? memberOf(node.members, segment) : undefined;
    const child = member?.value ?? childOf(node, segment);
    if (child === undefined) break;
    offset = member?.keyOffset ?? child.offset;
    node = child;
  }
  return offset;
}

function childOf(node: SourceNode, segment: string): SourceNode | undefined {
  if (node.kind === 'object') return memberOf(node.members, segment)?.value;
  return node.kind === 'array' ? node.items[Number(segment)] : undefined;
}

/** Of a key that is there twice the last one counts. */
function memberOf(members: readonly SourceMember[], key: string): SourceMember | undefined {
  return members.findLast((member) => member.key === key);
}

/** What {@link plainValue} makes of a tree. */
export interface PlainValue {
  readonly value: unknown;
  /** What had to be left out. */
  readonly findings: readonly Finding[];
  /** Keys that are there twice. */
  readonly notes: readonly Finding[];
}

/**
 * @returns the plain value of the tree, and findings about what was left out. Objects have no prototype, so that a key such as
 * `constructor` is found only if it is in the file.
 */
export function plainValue(root: SourceNode, lines: LineIndex): PlainValue {
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  let values = 0;

  const convert = (node: SourceNode, path: Path): unknown => {
    values += 1;
    if (values > MAX_VALUES) {
      if (values === MAX_VALUES + 1)
        report(
          node.offset,
          path,
          `found more than ${MAX_VALUES} values (allowed: fewer, and aliases count every time)`,
        );
      return null;
    }
    if (node.kind === 'scalar') return scalar(node.value, node.offset, path);
    if (path.length >= MAX_DEPTH) {
      report(node.offset, path.slice(0, 5), TOO_DEEP);
      return null;
    }
    if (node.kind === 'array') return node.items.map((item, index) => convert(item, [...path, String(index)]));
    return objectOf(node.members, path);
  };

  const objectOf = (members: readonly SourceMember[], path: Path): unknown => {
    const object = Object.create(null) as Record<string, unknown>;
    const last = new Map(members.map((member) => [member.key, member]));
    for (const member of members) {
      const { key, keyOffset: offset } = member;
      const counts = last.get(key) ?? member;
      if (counts !== member) {
        const { line, column } = lines.at(offset);
        const pointer = pointerOf([...path, key]);
        const text = `key ${JSON.stringify(key)} is there twice: this one counts, that in line ${line}, column ${column} has no effect`;
        notes.push({ offset: counts.keyOffset, pointer, text });
      } else if (key === '__proto__') {
        report(offset, [...path, key], 'found the key "__proto__" (allowed: any other key)');
      } else {
        object[key] = convert(member.value, [...path, key]);
      }
    }
    return object;
  };

  const scalar = (value: string | number | boolean | null, offset: number, path: Path): unknown => {
    if (typeof value !== 'number' || Number.isFinite(value)) return value;
    report(offset, path, 'found a number that JSON cannot express (allowed: a finite number)');
    return 0;
  };

  const report = (offset: number, path: Path, text: string): void => {
    findings.push({ offset, pointer: pointerOf(path), text });
  };

  return { value: convert(root, []), findings, notes };
}
