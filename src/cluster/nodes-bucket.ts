/** How what `membership.ts` knows stands in its bucket, and in heartbeats. */
import { decodeJson } from './json.js';
import { keyOf, nodeOf } from './node-ref.js';
import type { Change } from '../engine/engine.js';
import type { NodeRef } from './node-ref.js';

/** The keys of nodes that are there, and of those that were removed. */
export const HERE = 'n.';
export const GONE = 'gone.';

/** How many slots there are: see `Membership.slot`. */
export const SLOTS = 2 ** 16;

/** @returns the slot of a node. @param revision of the change that made its key */
export function slotOf(revision: number): number {
  return revision % SLOTS;
}

/** @returns whether a node that is there has a slot. @param except the key of one that does not count */
export function isTaken(slot: number, except: string, changes: readonly Change[]): boolean {
  const last = new Map(changes.map((change) => [change.key, change]));
  return [...last.values()].some(({ key, value, revision }) => {
    return key.startsWith(HERE) && key !== except && value !== undefined && slotOf(revision) === slot;
  });
}

/** @returns the node that a key is about; undefined for the other keys of the bucket. */
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

/** @returns the keys that are left of nodes which are gone. @param oldestMs those that came later keep theirs, in milliseconds since 1970 */
export function tracesIn(changes: readonly Change[], oldestMs: number): string[] {
  const last = new Map(changes.map(({ key, value }) => [key, value]));
  const isTrace = (key: string): boolean => {
    const node = nodeIn(key);
    return node !== undefined && node.epoch < oldestMs && last.get(HERE + keyOf(node)) === undefined;
  };
  return [...last.keys()].filter(isTrace);
}

/** @returns what a heartbeat says. */
export function heartbeatIn(data: Uint8Array): { readonly from: NodeRef; readonly count: number } | undefined {
  const { node, count } = decodeJson(data);
  const from = typeof node === 'string' ? nodeOf(node) : undefined;
  return from === undefined || typeof count !== 'number' ? undefined : { from, count };
}
