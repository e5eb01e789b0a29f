/**
 * Random bytes of the system, drawn in advance: to ask the system for each id costs more than all else that is done for
 * it. Nobody gets bytes that somebody else got.
 */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;

let pool = Buffer.alloc(0);
let used = 0;

/**
 * @param count from 0 to 8192.
 * @returns bytes that nobody else has seen, in memory of their own.
 * @throws RangeError for more than can be drawn at once.
 */
export function drawBytes(count: number): Buffer {
  if (!(count >= 0 && count <= POOL_BYTES)) throw new RangeError(`${count} random bytes cannot be drawn at once`);
  if (used + count > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(POOL_BYTES));
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
