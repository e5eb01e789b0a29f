import { describe, expect, it } from 'vitest';
import { IdMap } from '../../../src/collections/id-map.js';

interface Item {
  readonly name: string;
}

/** The same numbers every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What a `Map` does is right. */
function compare(ids: readonly number[], steps: number): void {
  const random = generator(steps);
  const real = new Map<number, Item>();
  const own = new IdMap<Item>();
  for (let step = 0; step < steps; step++) {
    const id = ids[Math.floor(random() * ids.length)] ?? 0;
    // Now it grows, now it shrinks.
    if (random() < (Math.floor(step / 500) % 2 === 0 ? 0.7 : 0.3)) {
      const item = { name: `${id} at ${step}` };
      real.set(id, item);
      own.set(id, item);
    } else {
      expect(own.delete(id)).toBe(real.delete(id));
    }
    const asked = ids[Math.floor(random() * ids.length)] ?? 0;
    expect(own.get(asked)).toBe(real.get(asked));
    expect(own.has(asked)).toBe(real.has(asked));
    expect(own.size).toBe(real.size);
  }
  expect(new Set(own.values())).toEqual(new Set(real.values()));
  for (const [id, item] of real) expect(own.get(id)).toBe(item);
  for (const id of ids) expect(own.delete(id)).toBe(real.delete(id));
  expect(own.size).toBe(0);
  expect(own.values()).toEqual([]);
}

describe('IdMap', () => {
  it('does what a Map does, for ids that follow each other', () => {
    const ids = Array.from({ length: 300 }, (_, i) => i + 1);
    compare(ids, 20_000);
  });

  it('does so for random ids up to 2^53', () => {
    const random = generator(7);
    compare([0, 1, 2 ** 53, ...Array.from({ length: 300 }, () => Math.floor(random() * 2 ** 53))], 20_000);
  });

  it.each([2 ** 10, 2 ** 20, 2 ** 23, 2 ** 32, 2 ** 40])('does so for multiples of %d', (step) => {
    compare(
      Array.from({ length: 200 }, (_, i) => (i + 1) * step),
      5000,
    );
  });

  it('does so at the end of the table, where it goes on at the beginning', () => {
    for (let first = 0; first < 200; first++) compare([first, first + 1, first + 2, first + 3, first + 8], 60);
  });

  it('takes thousands, and is as good as new when they have gone', () => {
    const map = new IdMap<Item>();
    for (let id = 1; id <= 10_000; id++) map.set(id, { name: String(id) });
    expect(map.size).toBe(10_000);
    expect(map.get(10_000)).toEqual({ name: '10000' });
    for (let id = 1; id <= 10_000; id++) expect(map.delete(id)).toBe(true);
    map.set(5, { name: 'again' });
    expect(map.values()).toEqual([{ name: 'again' }]);
  });

  it('hands out a list that stays as it is while the map is emptied', () => {
    const map = new IdMap<Item>();
    for (let id = 1; id <= 20; id++) map.set(id, { name: String(id) });
    let seen = 0;
    for (const item of map.values()) {
      seen += 1;
      expect(map.delete(Number(item.name))).toBe(true);
    }
    expect(seen).toBe(20);
  });
});
