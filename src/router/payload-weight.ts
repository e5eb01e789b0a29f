/**
 * How much memory a payload takes that is kept: its bytes where it came from a client, an estimate where the router made
 * it from values.
 */
import type { Payload } from '../wamp/payload.js';

/** @returns bytes, roughly. */
export function payloadWeight(payload: Payload): number {
  return payload.byteLength ?? weight([payload.args, payload.kwargs]);
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
