/**
 * Erases what is over: expired cookies, marks of cookies that would have expired by now, and versions that later ones replaced. Every node
 * does so by itself: to erase twice is to erase once.
 */
import { setImmediate } from 'node:timers/promises';
import { SLICE } from '../slices.js';
import { seenKey, textOf, versionKey } from './values.js';
import { MARGIN_MS } from './table.js';
import type { Bucket } from '../../engine/engine.js';
import type { Copy } from './copy.js';
import type { Slot } from './table.js';

/** How many cookies are erased at a time. */
const AT_ONCE = 32;

/** @returns how many keys were erased. Rejects with EngineError: what is left goes with the next sweep. */
export async function sweep(bucket: Bucket, { table, probes }: Copy, clock: () => number): Promise<number> {
  let [looked, erased] = [0, 0];
  let work: Promise<number>[] = [];
  const settle = async (): Promise<void> => {
    for (const count of await Promise.all(work)) erased += count;
    work = [];
  };
  for (const [hash, slot] of table.slots()) {
    looked += 1;
    if (looked % SLICE === 0) await setImmediate();
    const outdated = table.outdated(hash, slot, clock());
    if (outdated === undefined) continue;
    const eraseKeys = (): Promise<number> =>
      erase(bucket, hash, slot, outdated === 'all' ? slot.version : slot.version - 1);
    work.push(outdated === 'all' ? eraseKeys().then((count) => (table.drop(hash), count)) : eraseKeys());
    if (work.length === AT_ONCE) await settle();
  }
  for (const [key, value] of probes) {
    if (clock() - Number(textOf(value)) > MARGIN_MS) work.push(eraseProbe(bucket, probes, key));
  }
  await settle();
  return erased;
}

/** The oldest first: what a crash leaves must not bring an older version back. */
async function erase(bucket: Bucket, hash: string, slot: Slot, last: number): Promise<number> {
  let count = 0;
  if (last === slot.version && slot.seen !== null) {
    await bucket.erase(seenKey(hash));
    count += 1;
  }
  for (; slot.first <= last; slot.first += 1) {
    await bucket.erase(versionKey(hash, slot.first));
    count += 1;
  }
  return count;
}

async function eraseProbe(bucket: Bucket, probes: Map<string, unknown>, key: string): Promise<number> {
  await bucket.erase(key);
  probes.delete(key);
  return 1;
}
