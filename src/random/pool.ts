/**
 * Random bytes of the system, drawn in advance: to ask the system for each id costs more than all else that is done for
 * it. Nobody gets bytes that somebody else got.
 */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;

let pool = Buffer.alloc(0);
let used = 0;

/** @param count at most {@link POOL_BYTES}. @returns bytes that nobody else has seen, in memory of their own. */
export function drawBytes(count: number): Buffer {
  if (used + count > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(POOL_BYTES));
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
