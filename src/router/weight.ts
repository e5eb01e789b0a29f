/**
 * Estimates of the memory that the router needs for what it keeps, in bytes: for the budget of a session (`budget.ts`) and the
 * limits of a realm. A payload from a client counts with its bytes, one that the router built with an estimate.
 */
import { componentCount } from '../wamp/uri.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Match } from '../wamp/uri.js';

/** A message without its URI, options and payload. */
const OVERHEAD_BYTES = 200;

/** A call in flight without its message. */
export const CALL_BYTES = 400;

/** The entries of a session in all indexes for one subscription or registration. */
const MEMBER_BYTES = 400;

/** A component of a wildcard pattern: a node of the index, measured. */
const COMPONENT_BYTES = 300;

/** @returns the bytes of a subscription or registration, as if no other session shared it. */
export function patternWeight(match: Match, uri: string): number {
  return MEMBER_BYTES + uri.length + (match === 'wildcard' ? componentCount(uri) * COMPONENT_BYTES : 0);
}

/**
 * @param options they count too: the client chooses their size (lists of receivers, names of keys).
 * @returns the bytes of a message.
 */
export function messageWeight(uri: string, payload: Payload, options: Dict): number {
  const bytes = payload.byteLength ?? weight([payload.args, payload.kwargs]);
  return OVERHEAD_BYTES + uri.length + bytes + weight(options);
}

/** @returns the bytes of a value. Not recursive, because a client may nest values deeper than the stack allows. */
export function weight(value: unknown): number {
  const open: unknown[] = [value];
  let total = 0;
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string') total += 16 + next.length;
    else if (next instanceof Uint8Array) total += 64 + next.byteLength;
    else if (typeof next !== 'object' || next === null) total += 8;
    else {
      total += 32;
      for (const [key, item] of Object.entries(next)) {
        total += key.length;
        open.push(item);
      }
    }
  }
  return total;
}
