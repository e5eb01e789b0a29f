/**
 * A config that is an object of the program, as the same tree that files are parsed into. There is no text: offsets only give
 * the order, and problems have no line.
 */
import { MAX_DEPTH, pointerOf } from './source.js';
import type { ParsedSource, Path, SourceMember, SourceNode } from './source.js';
import type { Finding } from './text.js';

const ALLOWED = '(allowed: what JSON can say)';

/** @returns the tree. Members that are undefined are left out, as in JSON. A value that JSON cannot express is a finding. */
export function sourceOf(config: object): ParsedSource {
  const findings: Finding[] = [];
  let offset = 0;

  const refused = (path: Path, what: string): SourceNode => {
    findings.push({ offset, pointer: pointerOf(path), text: `found ${what} ${ALLOWED}` });
    return { kind: 'scalar', offset, value: null };
  };

  const nodeOf = (value: unknown, path: Path, around: readonly object[]): SourceNode => {
    offset += 1;
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      return { kind: 'scalar', offset, value };
    }
    if (typeof value !== 'object') return refused(path, value === undefined ? 'undefined' : `a ${typeof value}`);
    if (around.includes(value)) return refused(path, 'an object that contains itself');
    return containerOf(value, path, [...around, value]);
  };

  const containerOf = (value: object, path: Path, around: readonly object[]): SourceNode => {
    const start = offset;
    // `plainValue` refuses an object or list at this depth.
    const isTooDeep = path.length >= MAX_DEPTH;
    if (Array.isArray(value)) {
      const items: readonly unknown[] = isTooDeep ? [] : value;
      return {
        kind: 'array',
        offset: start,
        items: items.map((item, at) => nodeOf(item, [...path, String(at)], around)),
      };
    }
    const kind = Object.prototype.toString.call(value);
    if (kind !== '[object Object]') return refused(path, `a ${kind.slice(8, -1)}`);
    const entries = isTooDeep ? [] : Object.entries(value).filter(([, member]) => member !== undefined);
    const members = entries.map(([key, member]): SourceMember => {
      const keyOffset = ++offset;
      return { key, keyOffset, value: nodeOf(member, [...path, key], around) };
    });
    return { kind: 'object', offset: start, members };
  };

  const root = nodeOf(config, [], []);
  return { root, findings };
}
