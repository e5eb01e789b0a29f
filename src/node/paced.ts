/** Long lists for the operator must not keep the clients of the node waiting. */
import { setImmediate } from 'node:timers/promises';

/** The time in one turn of the event loop. */
const PIECE_MS = 10;

/** Hands out one thing after the other; when that has taken some milliseconds, all others have their turn before the next. */
export async function* paced<T>(things: Iterable<T>): AsyncGenerator<T, undefined> {
  let begun = performance.now();
  for (const thing of things) {
    yield thing;
    if (performance.now() - begun < PIECE_MS) continue;
    await setImmediate();
    begun = performance.now();
  }
}
