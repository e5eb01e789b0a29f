/**
 * Random bytes of the system, drawn in advance: to ask the system for each id costs more than all else that is done for
 * it. Nobody gets bytes that somebody else got.
 */
import { randomFillSync } from 'node:crypto';

import type { RandomId } from '../wamp/id.js';

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

const BYTES_PER_ID = 8;
/** One call of the system serves this many ids: every publication needs one. */
const IDS_PER_FILL = 512;

/**
 * Ids of global scope (section "IDs": uniformly from [1, 2^53]). The router itself is pure and gets this function passed in.
 *
 * @param fill fills a buffer with random bytes; a test may pass its own.
 */
export function createRandomId(fill: (buffer: Uint8Array) => void = randomFillSync): RandomId {
  const bytes = new Uint8Array(BYTES_PER_ID * IDS_PER_FILL);
  const view = new DataView(bytes.buffer);
  let offset = bytes.length;
  return () => {
    if (offset === bytes.length) {
      fill(bytes);
      offset = 0;
    }
    // 53 random bits, 0 to 2^53 - 1, moved up by one. 2^53 itself is still exact.
    const high = view.getUint32(offset) & 0x1f_ffff;
    const low = view.getUint32(offset + 4);
    offset += BYTES_PER_ID;
    return high * 0x1_0000_0000 + low + 1;
  };
}
