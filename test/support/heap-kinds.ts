/**
 * What is alive in a process, by kind, from a heap snapshot: finer than by class, because most of what leaks has none. A plain object is
 * told by its keys, a closure by its name.
 *
 * Compiled code, and what V8 learns of the values that it sees, is no kind: it grows with the time that a process works, not with what
 * the program keeps.
 */
import { readFileSync } from 'node:fs';

/** What is alive of one kind: how many, and their own bytes. */
interface Kind {
  readonly count: number;
  readonly bytes: number;
}

/** kind -> what is alive of it */
export type Kinds = ReadonlyMap<string, Kind>;

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

/** What a program makes. Other words are for code, V8 itself, and roots. */
const COUNTED = ['object', 'closure', 'string', 'concatenated string', 'sliced string', 'regexp', 'bigint', 'symbol'];
/** What is in arrays, sets and maps: how large it is says more than how many there are, and V8 makes some of its own. */
const ARRAY = 'array';

/** So many keys of an object are enough to know it. */
const KEYS = 8;

/** Reads a file of `v8.writeHeapSnapshot`. */
export function kindsOf(file: string): Kinds {
  const { snapshot, nodes, edges, strings } = JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
  const { node_fields: fields, node_types: nodeTypes, edge_fields: edgeFields, edge_types: edgeTypes } = snapshot.meta;
  const valueAt = (node: number, field: string): number => nodes[node + fields.indexOf(field)] ?? 0;
  const property = edgeTypes[0].indexOf('property');
  const keysBetween = (from: number, to: number): string[] => {
    const keys: string[] = [];
    for (let edge = from; edge < to && keys.length < KEYS; edge += edgeFields.length) {
      const key = edges[edge] === property ? strings[edges[edge + 1] ?? 0] : undefined;
      if (key !== undefined && key !== '__proto__') keys.push(key);
    }
    return keys.toSorted();
  };
  const kinds = new Map<string, { count: number; bytes: number }>();
  let edgesEnd = 0;
  for (let node = 0; node < nodes.length; node += fields.length) {
    const edgesStart = edgesEnd;
    edgesEnd += valueAt(node, 'edge_count') * edgeFields.length;
    const type = nodeTypes[0][valueAt(node, 'type')] ?? '';
    if (type !== ARRAY && !COUNTED.includes(type)) continue;
    const name = strings[valueAt(node, 'name')] ?? '';
    const isPlain = type === 'object' && name === 'Object';
    const shown = isPlain ? `{${keysBetween(edgesStart, edgesEnd).join(', ')}}` : name;
    const kind = type.endsWith('string') ? 'string' : type === ARRAY ? ARRAY : `${type} ${shown}`;
    const known = kinds.get(kind) ?? { count: 0, bytes: 0 };
    kinds.set(kind, { count: known.count + 1, bytes: known.bytes + valueAt(node, 'self_size') });
  }
  return kinds;
}

/** @returns the kinds of which there are so many more, but for arrays. */
export function grown(before: Kinds, after: Kinds, least: number): string[] {
  return [...after].flatMap(([kind, { count }]) => {
    const more = count - (before.get(kind)?.count ?? 0);
    return kind === ARRAY || more < least ? [] : [`${String(more)} more: ${kind}`];
  });
}

/** @returns the bytes of all kinds. */
export function bytesOf(kinds: Kinds): number {
  return [...kinds.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}
