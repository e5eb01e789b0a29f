/**
 * How much memory a publication takes that is kept: its bytes where it came from a client, an estimate where the router
 * made it from values.
 */
import type { Dict, Payload } from '../wamp/payload.js';

/** What a publication takes besides its topic, options and payload, in bytes, roughly. */
const OVERHEAD_BYTES = 200;

/**
 * @param options of the publisher, who chooses their size as that of the payload: lists of receivers, names of keys.
 * @returns bytes, roughly.
 */
export function publicationWeight(topic: string, payload: Payload, options: Dict): number {
  const bytes = payload.byteLength ?? weight([payload.args, payload.kwargs]);
  return OVERHEAD_BYTES + topic.length + bytes + weight(options);
}

/** With a list of what is left to do: values of a client may be nested deeper than the stack is. */
function weight(value: unknown): number {
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
