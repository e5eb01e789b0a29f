/** Going through many cookies: a node may have hundreds of thousands of them, and clients who wait. */
import { setImmediate } from 'node:timers/promises';

/** So many cookies are looked at before others get their turn: one to two milliseconds. */
export const SLICE = 500;

/** Goes through things, and lets others have their turn after each {@link SLICE}. @param see called with each */
export async function inSlices<T>(things: Iterable<T>, see: (thing: T) => void): Promise<void> {
  let count = 0;
  for (const thing of things) {
    if (count > 0 && count % SLICE === 0) await setImmediate();
    count++;
    see(thing);
  }
}
