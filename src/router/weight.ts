/**
 * How much memory takes what the router keeps, in bytes, roughly: for the account of a session (`budget.ts`) and the bounds
 * of a realm. Payloads count with their bytes where they came from a client, with an estimate where the router made them
 * from values.
 */
import { componentCount } from '../wamp/uri.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Match } from '../wamp/uri.js';

/** What a message takes besides its URI, options and payload. */
const OVERHEAD_BYTES = 200;

/** What a call takes that is not over, without what it says. */
export const CALL_BYTES = 400;

/** What a session's part in a subscription or registration takes: the entries in all indexes. */
const MEMBER_BYTES = 400;

/** What each component of a wildcard pattern takes: a node of the index, measured. */
const COMPONENT_BYTES = 300;

/** @returns bytes of a subscription or registration, as if nobody shared it. */
export function patternWeight(match: Match, uri: string): number {
  return MEMBER_BYTES + uri.length + (match === 'wildcard' ? componentCount(uri) * COMPONENT_BYTES : 0);
}

/**
 * @param options of the client, which chooses their size as that of the payload: lists of receivers, names of keys.
 * @returns bytes, roughly.
 */
export function messageWeight(uri: string, payload: Payload, options: Dict): number {
  const bytes = payload.byteLength ?? weight([payload.args, payload.kwargs]);
  return OVERHEAD_BYTES + uri.length + bytes + weight(options);
}

/**
 * @returns bytes of a value, roughly. With a list of what is left to do: values of a client may be nested deeper than the stack is.
 */
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
