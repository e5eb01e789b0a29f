/**
 * The first hundred of any number of things, in some order, without putting all of them in order. The things are gone through in
 * pieces; the others have their turn between two of them.
 *
 * The next page begins behind the last thing of this one, by its key: things that come and go meanwhile move no page.
 */
import { setImmediate } from 'node:timers/promises';

/** So many things are on a page. */
export const PAGE = 100;

/** How long a piece may take, in milliseconds. */
const PIECE_MS = 4;
/** How often the clock is looked at: after so many things. */
const PIECE_CHECK = 16;

/** Something with a place in an order: by `key`, then by `id`, then by `place`. */
export interface Ranked {
  readonly key: number | string;
  readonly id: number;
  /** The index of where it is from. */
  readonly place: number;
}

/** Where a page begins: behind this. */
export type Behind = readonly [key: number | string, id: number, place: number];

/** Which page is wanted. */
export interface PageWish {
  /** At most {@link PAGE}. */
  readonly limit: number;
  /** The largest keys first. */
  readonly descending: boolean;
  /** Undefined: the first page. */
  readonly after: Behind | undefined;
}

/** A page. */
export interface Page<T> {
  readonly chosen: readonly T[];
  /** How many things there are. */
  readonly total: number;
  /** Where the next page begins; null when this is the last one. */
  readonly next: Behind | null;
}

/** Goes through things, and lets others have their turn now and then. @param see called with each */
export async function inPieces<T>(things: Iterable<T>, see: (thing: T) => void): Promise<void> {
  let begun = performance.now();
  let count = 0;
  for (const thing of things) {
    see(thing);
    if (++count % PIECE_CHECK !== 0 || performance.now() - begun < PIECE_MS) continue;
    await setImmediate();
    begun = performance.now();
  }
}

/** @param things gone through once; undefined is passed over. */
export async function selectPage<T extends Ranked>(
  things: Iterable<T | undefined>,
  { limit, descending, after }: PageWish,
): Promise<Page<T>> {
  const order = descending ? -1 : 1;
  const from = after && { key: after[0], id: after[1], place: after[2] };
  // One more than wanted: it says whether there is another page.
  const best: T[] = [];
  let total = 0;
  await inPieces(things, (thing) => {
    if (thing === undefined) return;
    total++;
    if (from !== undefined && compare(thing, from, order) <= 0) return;
    const last = best[limit];
    if (last !== undefined && compare(thing, last, order) >= 0) return;
    insert(best, thing, order);
    if (best.length > limit + 1) best.pop();
  });
  const chosen = best.slice(0, limit);
  const end = chosen.at(-1);
  return { chosen, total, next: best.length > limit && end !== undefined ? [end.key, end.id, end.place] : null };
}

/** @returns which of two places in an order comes first, as a sort wants it. */
export function inOrder(a: Behind, b: Behind, descending: boolean): number {
  const [one, other] = [a, b].map(([key, id, place]) => ({ key, id, place }));
  if (one === undefined || other === undefined) return 0;
  return compare(one, other, descending ? -1 : 1);
}

/** @returns the place of a thing in an order. */
export function placeOf({ key, id, place }: Ranked): Behind {
  return [key, id, place];
}

function insert<T extends Ranked>(sorted: T[], thing: T, order: number): void {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sorted[middle];
    if (other !== undefined && compare(other, thing, order) < 0) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, thing);
}

function compare(a: Ranked, b: Ranked, order: number): number {
  if (a.key !== b.key) return a.key < b.key ? -order : order;
  return a.id - b.id || a.place - b.place;
}
