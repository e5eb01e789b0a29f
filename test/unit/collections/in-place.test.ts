import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { InPlaceMap, InPlaceSet } from '../../../src/collections/in-place.js';

interface Item {
  readonly name: string;
}

const items = (count: number): Item[] => Array.from({ length: count }, (_, index) => ({ name: String(index) }));

/** The same numbers every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const KEYS: readonly [what: string, keys: readonly (object | number)[]][] = [
  ['objects', items(40)],
  ['numbers', Array.from({ length: 40 }, (_, index) => index * 225_179_981_368_524 + 1)],
];

describe.each(KEYS)('a map of %s that changes in place', (_what, keys) => {
  const chosen = (roll: (sides: number) => number) => keys[roll(keys.length)] ?? 0;

  it('does what a Map does', () => {
    const roll = dice(1);
    const [map, model] = [new InPlaceMap<object | number, number>(), new Map<object | number, number>()];
    for (let step = 0; step < 3000; step++) {
      const key = chosen(roll);
      if (roll(2) === 0) expect(map.delete(key)).toBe(model.delete(key));
      else expect(map.set(key, step)).toBe((model.set(key, step), map));
      expect([map.size, map.get(key), map.has(key)]).toEqual([model.size, model.get(key), model.has(key)]);
      expect(map.firstKey).toBe([...model.keys()][0]);
      if (step % 100 !== 0) continue;
      expect([...map]).toEqual([...model]);
      expect([...map.keys()]).toEqual([...model.keys()]);
      expect([...map.values()]).toEqual([...model.values()]);
      const each: unknown[] = [];
      map.forEach((value, at, of) => each.push([at, value, of === map]));
      expect(each).toEqual([...model].map(([at, value]) => [at, value, true]));
    }
    map.clear();
    expect([map.size, [...map], map.firstKey]).toEqual([0, [], undefined]);
  });

  it('shows the same as a Map to those who go through it while it changes', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const roll = dice(seed);
      const [map, model] = [new InPlaceMap<object | number, number>(), new Map<object | number, number>()];
      for (const key of keys.slice(0, 12)) map.set(key, model.set(key, 0).size);
      const [ours, theirs] = [map.keys(), model.keys()];
      for (let step = 0; step < 60; step++) {
        const next = theirs.next();
        expect(ours.next()).toEqual(next);
        if (next.done === true) break;
        for (let change = roll(4); change > 0; change--) {
          const key = roll(3) === 0 ? next.value : chosen(roll);
          if (roll(5) < 3) expect(map.delete(key)).toBe(model.delete(key));
          else map.set(key, model.set(key, 0).size);
        }
      }
    }
  });

  it('does so also when all is taken out, and something new comes', () => {
    const [one, two, three] = keys;
    const map = new InPlaceMap<object | number, number>();
    map.set(one ?? 0, 1).set(two ?? 0, 2);
    const entries = map.entries();
    expect(entries.next().value).toEqual([one, 1]);
    expect(entries.next().value).toEqual([two, 2]);
    map.clear();
    map.set(three ?? 0, 3);
    expect(entries.next().value).toEqual([three, 3]);
    expect(entries.next()).toEqual({ done: true, value: undefined });
  });
});

describe('a set that changes in place', () => {
  it('has each member once, in the order in which they came', () => {
    const [one, two, three] = items(3) as [Item, Item, Item];
    const set = new InPlaceSet<Item>().add(two).add(one).add(two);
    expect([set.size, set.first, [...set]]).toEqual([2, two, [two, one]]);
    expect([set.has(one), set.has(three), set.delete(three), set.delete(two)]).toEqual([true, false, false, true]);
    set.add(two);
    expect([set.size, set.first, [...set]]).toEqual([2, one, [one, two]]);
  });

  it('knows its members from those of other sets and maps', () => {
    const [one, two] = items(2) as [Item, Item];
    const sets = [new InPlaceSet<Item>().add(one), new InPlaceSet<Item>().add(two)];
    const map = new InPlaceMap<Item, Item>().set(one, two);
    expect(sets.map((set) => [set.has(one), set.has(two)])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect([map.get(one), map.get(two)]).toEqual([two, undefined]);
  });

  it('lets go of what was in it for a moment, without a full collection', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
    const oldBytes = () =>
      getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
    const set = new InPlaceSet<object>();
    const here: object[] = [{}, {}];
    for (const member of here) set.add(member);
    // What a quiet time has made old is what the rest would hang on.
    for (let time = 0; time < 4; time++) collect({ type: 'minor' });
    const before = oldBytes();
    // Some are there at any time, and large enough to be seen: all of them together have 20 MB.
    for (let count = 0; count < 5000; count++) {
      const member = { memory: new Array<number>(500).fill(count) };
      set.add(member);
      here.push(member);
      if (here.length > 8) set.delete(here.shift() ?? {});
      if (count % 100 === 0) collect({ type: 'minor' });
    }
    expect(oldBytes() - before).toBeLessThan(10_000_000);
  });
});
