/**
 * What the monitor shows of router workers in other processes: their own monitors are asked, and what they say is put together with what is
 * here. One that does not answer in time is left out, until it answers again or is another process.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { inOrder } from './selection.js';
import type { Behind } from './selection.js';
import type { MonitorPage, RankedPage } from './sessions.js';
import type { MonitoredElsewhere } from './source.js';
import type { Asked } from './wish.js';

/** Realms of different processes have places of their own in an order. */
const PLACES = 100_000;

/** @returns the answers of those who gave one. @throws WampError (rejects) where the request is wrong. */
export async function askAll<T>(
  elsewhere: readonly MonitoredElsewhere[],
  name: string,
  requestOf: (index: number) => object,
): Promise<T[]> {
  const asked = elsewhere.map(async (each, index) => {
    try {
      return [(await each.ask(name, requestOf(index))) as T];
    } catch (error) {
      if (error instanceof WampError && error.uri === ErrorUri.INVALID_ARGUMENT) throw error;
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** @returns the page of all. @param here that of this process. */
export async function pageOfAll<T>(
  here: Promise<RankedPage<T>>,
  { name, asked, limit }: { readonly name: string; readonly asked: Asked; readonly limit: number },
  elsewhere: readonly MonitoredElsewhere[],
): Promise<MonitorPage<T>> {
  const own = await here;
  const { descending } = own;
  const others = await askAll<RankedPage<T>>(elsewhere, name, (index) => behindIn(asked, index));
  const rows = [own, ...others.map((page, index) => movedTo(page, index))].flatMap(({ entries, keys }) =>
    entries.flatMap((entry, at) => {
      const behind = keys[at];
      return behind === undefined ? [] : [{ entry, behind }];
    }),
  );
  const sorted = rows.toSorted((a, b) => inOrder(a.behind, b.behind, descending));
  const [chosen, pages] = [sorted.slice(0, limit), [own, ...others]];
  const isMore = sorted.length > limit || pages.some(({ next }) => next !== null);
  return {
    entries: chosen.map(({ entry }) => entry),
    total: pages.reduce((sum, { total }) => sum + total, 0),
    next: isMore ? (chosen.at(-1)?.behind ?? null) : null,
  };
}

/** `after` is a place among all: there it is one among those that are there. */
function behindIn(asked: Asked, index: number): Asked {
  const { after } = asked;
  if (!Array.isArray(after)) return asked;
  const [key, id, place] = after as unknown as Behind;
  return { ...asked, after: [key, id, place - placesBefore(index)] };
}

function movedTo<T>(page: RankedPage<T>, index: number): RankedPage<T> {
  const keys = page.keys.map(([key, id, place]): Behind => [key, id, place + placesBefore(index)]);
  return { ...page, keys };
}

function placesBefore(index: number): number {
  return PLACES * (index + 1);
}

/** Something that is done to clients. */
export interface Act<T> {
  readonly here: () => Promise<T>;
  /** What is asked of the others. */
  readonly name: string;
  readonly request: object;
}

const NOT_THERE: readonly string[] = [ErrorUri.NO_SUCH_SESSION, ErrorUri.NO_SUCH_COOKIE];

/**
 * Does it wherever somebody is found.
 *
 * @returns what was done; at one place at least.
 * @throws WampError (rejects) what this process says, where nobody is found; what goes wrong anywhere.
 */
export async function actOnAll<T>(
  { here, name, request }: Act<T>,
  elsewhere: readonly MonitoredElsewhere[],
): Promise<T[]> {
  const tried = [here, ...elsewhere.map((each) => async (): Promise<T> => (await each.act(name, request)) as T)];
  const done: T[] = [];
  let absence: unknown;
  for (const act of tried) {
    try {
      done.push(await act());
    } catch (error) {
      if (!(error instanceof WampError && NOT_THERE.includes(error.uri))) throw error;
      absence ??= error;
    }
  }
  if (done.length === 0) throw absence;
  return done;
}
