/** Pages of a node whose router workers are in several processes: all pages together have each thing once, in the order that is wanted. */
import { describe, expect, it } from 'vitest';
import { actOnAll, askAll, pageOfAll } from '../../../src/monitor/elsewhere.js';
import { placeOf, selectPage } from '../../../src/monitor/selection.js';
import { ErrorUri, WampError } from '../../../src/wamp/error.js';
import type { Behind, Ranked } from '../../../src/monitor/selection.js';
import type { RankedPage } from '../../../src/monitor/sessions.js';
import type { MonitoredElsewhere } from '../../../src/monitor/source.js';
import type { Asked } from '../../../src/monitor/wish.js';

async function pageOf(things: readonly Ranked[], { limit, descending, after }: Asked): Promise<RankedPage<Ranked>> {
  const isDown = descending === true;
  const wish = { limit: Number(limit), descending: isDown, after: after as Behind | undefined };
  const { chosen, total, next } = await selectPage(things, wish);
  return { entries: chosen, total, next, keys: chosen.map(placeOf), descending: isDown };
}

function elsewhere(answer: (name: string, request: object) => Promise<unknown>): MonitoredElsewhere {
  return { worker: 'other', running: undefined, ask: answer, act: answer };
}

/** Keys and ids that are the same in several places. */
function thingsOf(count: number, places: number): Ranked[] {
  return Array.from({ length: count }, (_, id) => ({ id, key: (id * 7) % 5, place: id % places }));
}

describe('pages of several processes', () => {
  const several = [thingsOf(13, 2), thingsOf(9, 3), [], thingsOf(17, 1)];
  it.each([
    [true, several],
    [false, several],
    [true, [[], thingsOf(39, 2)]],
  ])('have each thing once, in order (descending: %s)', async (descending, groups) => {
    const [own = [], ...others] = groups;
    const there = others.map((things) => elsewhere((_name, asked) => pageOf(things, asked as Asked)));
    const seen: Ranked[] = [];
    let after: Behind | null = null;
    do {
      const asked: Asked = { limit: 5, descending, ...(after !== null && { after }) };
      const wish = { name: 'sessions', asked, limit: 5 };
      const page = await pageOfAll(pageOf(own, asked), wish, there);
      expect(page.total).toBe(39);
      expect(page.entries.length).toBe(Math.min(5, 39 - seen.length));
      seen.push(...page.entries);
      after = page.next;
    } while (after !== null);
    expect(seen).toHaveLength(39);
    const keys = seen.map(({ key, id }) => [Number(key), id] as const);
    const sorted = keys.toSorted((a, b) => (descending ? b[0] - a[0] : a[0] - b[0]) || a[1] - b[1]);
    expect(keys).toEqual(sorted);
    for (const things of groups) for (const thing of things) expect(seen).toContain(thing);
  });

  it('leave out who does not answer, and tell what is wrong with a request', async () => {
    const silent = elsewhere(() => Promise.reject(new Error('the operation was aborted')));
    const here = elsewhere(() => Promise.resolve('here'));
    expect(await askAll([silent, here], 'summary', () => ({}))).toEqual(['here']);
    const wrong = elsewhere(() => Promise.reject(new WampError(ErrorUri.INVALID_ARGUMENT, 'what?')));
    await expect(askAll([here, wrong], 'sessions', () => ({}))).rejects.toThrow('what?');
  });
});

describe('what is done to clients', () => {
  const absent = (): Promise<never> => Promise.reject(new WampError(ErrorUri.NO_SUCH_SESSION, 'there is no session 1'));

  it('is done wherever they are', async () => {
    const act = { here: absent, name: 'endSession', request: {} };
    expect(await actOnAll<number>(act, [elsewhere(absent), elsewhere(() => Promise.resolve(1))])).toEqual([1]);
    await expect(actOnAll(act, [elsewhere(absent)])).rejects.toThrow('there is no session 1');
  });

  it('fails where it cannot be done', async () => {
    const act = { here: absent, name: 'endSession', request: {} };
    const broken = elsewhere(() => Promise.reject(new Error('the process is gone')));
    await expect(actOnAll(act, [broken])).rejects.toThrow('the process is gone');
  });
});
