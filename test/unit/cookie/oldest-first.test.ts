/** The oldest keys of a Map, compared with those of an ordinary one. */
import { describe, expect, it } from 'vitest';

import { OldestFirst } from '../../../src/cookie/oldest-first.js';
import { seededRandom } from '../../support/cookie-store.js';

function filled(count: number): OldestFirst<number, string> {
  const map = new OldestFirst<number, string>();
  for (let n = 0; n < count; n += 1) map.set(n, `value ${n}`);
  return map;
}

describe('the oldest keys', () => {
  it('stay the same until they are deleted', () => {
    const map = filled(3);
    expect([map.oldest(0), map.oldest(0), map.oldest(1), map.oldest(2), map.oldest(3)]).toEqual([
      0,
      0,
      1,
      2,
      undefined,
    ]);
    map.delete(0);
    expect([map.oldest(0), map.oldest(1), map.oldest(2)]).toEqual([1, 2, undefined]);
    map.delete(2);
    expect([map.oldest(0), map.oldest(1)]).toEqual([1, undefined]);
  });

  it('do not change with their values, and are the youngest when they are set again', () => {
    const map = filled(3);
    expect(map.oldest(0)).toBe(0);
    map.set(0, 'another value');
    expect(map.oldest(0)).toBe(0);
    map.delete(0);
    map.set(0, 'again');
    expect([map.oldest(0), map.oldest(1), map.oldest(2)]).toEqual([1, 2, 0]);
  });

  it('are found when the end was reached, and something is added behind it', () => {
    const map = filled(1);
    map.delete(0);
    expect(map.oldest(0)).toBeUndefined();
    map.set(1, 'one');
    expect(map.oldest(0)).toBe(1);
    expect(map.oldest(1)).toBeUndefined();
    map.set(2, 'two');
    expect([map.oldest(0), map.oldest(1)]).toEqual([1, 2]);
    map.clear();
    expect(map.oldest(0)).toBeUndefined();
  });

  it('are those of an ordinary Map, whatever is done', () => {
    const random = seededRandom(11);
    const [map, plain] = [filled(0), new Map<number, string>()];
    const faults: object[] = [];
    for (let step = 0; step < 20_000; step += 1) {
      const key = Math.floor(random() * 300);
      const what = random();
      const oldest = map.oldest(0) ?? key;
      if (what < 0.45) for (const each of [map, plain]) each.set(key, String(step));
      else if (what < 0.8) for (const each of [map, plain]) each.delete(key);
      else if (what < 0.9) for (const each of [map, plain]) each.delete(oldest);
      if (what > 0.7) {
        const oldestKeys = [0, 1, 2].map((index) => map.oldest(index));
        const [first, second, third] = plain.keys();
        if (oldestKeys.join() !== [first, second, third].join()) faults.push({ step, oldestKeys });
      }
    }
    expect(faults).toEqual([]);
    expect([...map]).toEqual([...plain]);
  });
});
