/**
 * Ids of global scope, drawn from the randomness of the system (section "IDs": uniformly from [1, 2^53]). The router
 * itself is pure and gets this function passed in.
 */
import { randomFillSync } from 'node:crypto';

import type { RandomId } from '../wamp/id.js';

const BYTES_PER_ID = 8;
/** One call of the system serves this many ids: every publication needs one. */
const IDS_PER_FILL = 512;

/** @returns a function that draws ids. @param fill - fills a buffer with random bytes; a test may pass its own. */
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
