/** The first hundred of many, in order, in pieces. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';

import { Looks } from '../../../src/monitor/looks.js';
import { PAGE, selectPage } from '../../../src/monitor/selection.js';
import type { Behind, Ranked } from '../../../src/monitor/selection.js';

/** @returns all pages, one after the other. */
async function allPages(things: readonly Ranked[], limit: number, descending: boolean): Promise<Ranked[][]> {
  const pages: Ranked[][] = [];
  let after: Behind | undefined;
  for (;;) {
    const { chosen, total, next } = await selectPage(things, { limit, descending, after });
    expect(total).toBe(things.length);
    pages.push([...chosen]);
    if (next === null) return pages;
    after = next;
  }
}

describe('pages', () => {
  it('have everything once, in order, whatever the order of the things', async () => {
    const key = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(7));
    const thing = fc.record({ key, id: fc.integer({ min: 1, max: 40 }), place: fc.integer({ min: 0, max: 1 }) });
    const things = fc.uniqueArray(thing, { selector: ({ id, place }) => `${id} ${place}` });
    await fc.assert(
      fc.asyncProperty(things, fc.integer({ min: 1, max: 5 }), fc.boolean(), async (all, limit, descending) => {
        const pages = await allPages(all, limit, descending);
        const order = descending ? -1 : 1;
        const sorted = all.toSorted((a, b) => order * (a.key - b.key) || a.id - b.id || a.place - b.place);
        expect(pages.flat()).toEqual(sorted);
        expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      }),
    );
  });

  it('are not moved by things that come and go before them', async () => {
    const things = Array.from({ length: 250 }, (_, index) => ({ key: index, id: index + 1, place: 0 }));
    const first = await selectPage(things, { limit: PAGE, descending: true, after: undefined });
    const others = things.filter(({ id }) => id < 200);
    const second = await selectPage(others, { limit: PAGE, descending: true, after: first.next ?? undefined });
    expect(second.chosen.map(({ id }) => id)).toEqual(Array.from({ length: PAGE }, (_, index) => 150 - index));
  });

  it('of many things let others have their turn', async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    function* slowly(): Generator<Ranked> {
      for (let id = 1; id <= 256; id++) {
        const until = performance.now() + 0.1;
        while (performance.now() < until);
        yield { key: id, id, place: 0 };
      }
    }
    await selectPage(slowly(), { limit: 10, descending: true, after: undefined });
    isOver = true;
    expect(turns).toBeGreaterThan(1);
  });
});

describe('looks', () => {
  it('happen one after the other, and the same question has the same answer', async () => {
    const looks = new Looks();
    const begun: string[] = [];
    const open: (() => void)[] = [];
    const look = (question: string): Promise<string> =>
      looks.look(question, async () => {
        begun.push(question);
        await new Promise<void>((resolve) => open.push(resolve));
        return question.toUpperCase();
      });
    const [a, b, again] = [look('a'), look('b'), look('b')];
    await Promise.resolve();
    expect(begun).toEqual(['a']);
    open.shift()?.();
    expect(await a).toBe('A');
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(['a', 'b']);
    open.shift()?.();
    expect(await Promise.all([b, again])).toEqual(['B', 'B']);
    expect(begun).toEqual(['a', 'b']);
  });

  it('that fail keep nobody waiting, and too many are refused', async () => {
    const looks = new Looks();
    const failing = looks.look('a', () => Promise.reject(new Error('no')));
    const next = looks.look('b', () => Promise.resolve(1));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(1);
    const many = Array.from({ length: 40 }, (_, index) => looks.look(String(index), () => Promise.resolve(index)));
    const settled = await Promise.allSettled(many);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(32);
    await expect(many.at(-1)).rejects.toThrow('too many look at the same time');
  });
});
