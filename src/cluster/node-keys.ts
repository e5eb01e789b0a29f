/** What stands in the bucket of nodes, and in heartbeats: see `membership.ts`. */
import { decodeJson } from './json.js';
import { keyOf, nodeOf } from './node-ref.js';
import type { Change } from '../engine/engine.js';
import type { NodeRef } from './node-ref.js';

/** What the keys of nodes that are there begin with. */
export const HERE = 'n.';
/** And those of nodes that were removed. */
export const GONE = 'gone.';

/** @returns the node that a key of the bucket is about; undefined for any other key. */
export function nodeIn(key: string): NodeRef | undefined {
  const prefix = [HERE, GONE].find((each) => key.startsWith(each));
  return prefix === undefined ? undefined : nodeOf(key.slice(prefix.length));
}

/** @returns the nodes that are there, as the last change of each key says. */
export function hereIn(changes: readonly Change[]): NodeRef[] {
  const last = new Map(changes.map((change) => [change.key, change.value]));
  const nodes = [...last]
    .filter(([key, value]) => key.startsWith(HERE) && value !== undefined)
    .map(([key]) => nodeIn(key));
  return nodes.filter((node) => node !== undefined).filter((node) => last.get(GONE + keyOf(node)) === undefined);
}

/** @returns whose heartbeat a message is, and its number; undefined for any other message. */
export function heartbeatIn(data: Uint8Array): { readonly from: NodeRef; readonly count: number } | undefined {
  const { node, count } = decodeJson(data);
  const from = typeof node === 'string' ? nodeOf(node) : undefined;
  return from === undefined || typeof count !== 'number' ? undefined : { from, count };
}
