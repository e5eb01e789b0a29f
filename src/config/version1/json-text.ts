/** A tree as the text of a JSON file: four spaces, as Crossbar.io writes it. Keys keep their order, numbers their digits. */
import type { SourceNode } from '../source/source.js';

const INDENT = '    ';

/** @param original - the text that the offsets of the tree point into. */
export function jsonText(root: SourceNode, original: string): string {
  const write = (node: SourceNode, indent: string): string => {
    const inner = indent + INDENT;
    const block = (open: string, parts: readonly string[], close: string): string =>
      parts.length === 0
        ? open + close
        : `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
    if (node.kind === 'scalar') return digitsAt(original, node) ?? JSON.stringify(node.value);
    if (node.kind === 'array') {
      return block(
        '[',
        node.items.map((item) => write(item, inner)),
        ']',
      );
    }
    const members = node.members.map(({ key, value }) => `${JSON.stringify(key)}: ${write(value, inner)}`);
    return block('{', members, '}');
  };
  return `${write(root, '')}\n`;
}

/** A number may have more digits than JavaScript can hold, and the file is not for this program alone. */
function digitsAt(original: string, { value, offset }: Extract<SourceNode, { kind: 'scalar' }>): string | undefined {
  if (typeof value !== 'number') return undefined;
  const digits = /^-?\d[\d.eE+-]*/.exec(original.slice(offset, offset + 400))?.[0];
  return digits !== undefined && Number(digits) === value ? digits : undefined;
}
