/**
 * The memory that V8 sets aside for young objects. It doubles, up to 2 x 16 MiB, as soon as many objects survive a
 * collection, as sessions do that are opened one after the other; and it stays that large. What a router makes for a message is
 * garbage a moment later, so the room of a node that has just started, 2 x 4 MiB, serves as well: 2000 idle sessions take half
 * the memory, and calls and events no more processor time.
 */
import { setFlagsFromString } from 'node:v8';

/** What an operator says himself, in `NODE_OPTIONS` or at the command line of Node.js, goes before. */
const CHOSEN_BY_HAND = /--(?:max|min)[-_]semi[-_]space[-_]size/;

/**
 * From now on the room does not grow any more. V8 reads this flag each time when it would.
 * @param nodeOptions the options that Node.js was started with.
 */
export function stopGrowth(nodeOptions: readonly string[]): void {
  if (nodeOptions.some((option) => CHOSEN_BY_HAND.test(option))) return;
  setFlagsFromString('--semi-space-growth-factor=1');
}
