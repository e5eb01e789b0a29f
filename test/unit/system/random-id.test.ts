import { describe, expect, it } from 'vitest';

import { createRandomId } from '../../../src/system/random.js';
import { isId, MAX_ID } from '../../../src/wamp/id.js';

describe('random ids', () => {
  it('span the whole range of the specification: 1 to 2^53', () => {
    const lowest = createRandomId((bytes) => bytes.fill(0));
    const highest = createRandomId((bytes) => bytes.fill(0xff));
    expect(lowest()).toBe(1);
    expect(highest()).toBe(MAX_ID);
  });

  it('are ids, all different, over several fills of the buffer', () => {
    const draw = createRandomId();
    const ids = Array.from({ length: 2000 }, draw);
    expect(ids.every(isId)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
