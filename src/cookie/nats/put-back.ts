/**
 * Puts back what a bucket has lost, from the copy of a node that was told: a server leads the stream whose copy had stopped
 * earlier. Every node does so by itself; a version is created once, so who comes later changes nothing.
 *
 * A version goes back only on the one that it was made on. Where somebody changed the cookie since, that counts. The mark of a cookie that
 * is gone counts in any case: nobody gets its id again.
 */
import { isConflict } from '../../engine/engine.js';
import { encodeVersion, isGone, versionKey } from './values.js';
import type { Bucket } from '../../engine/engine.js';
import type { Slot, Table } from './table.js';

/** How many are written at a time. */
const AT_ONCE = 32;

/** What was told before the loss, and what is there now. */
export interface Tables {
  readonly before: Table;
  readonly now: Table;
  /** What was told earlier was not lost, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/**
 * @param nowMs in milliseconds since 1970.
 * @returns how many values were put back, and the revision of the last one, or 0. Rejects with EngineError.
 */
export async function putBack(
  bucket: Bucket,
  { before, now, sinceMs }: Tables,
  nowMs: number,
): Promise<{ readonly count: number; readonly revision: number }> {
  let count = 0;
  let revision = 0;
  const missing = before.slots();
  const work = async (): Promise<void> => {
    for (const [hash, slot] of missing) {
      const version = slot.at < sinceMs ? undefined : lostVersion(slot, now.at(hash));
      if (slot.held === undefined || version === undefined || before.outdated(hash, slot, nowMs) === 'all') continue;
      const value = encodeVersion(slot.held, version === 0 ? slot.from : undefined);
      const written = await created(bucket, versionKey(hash, version), value);
      if (written === undefined) continue;
      count += 1;
      revision = Math.max(revision, written);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { count, revision };
}

/** @returns the number under which a version goes back; undefined where it does not. */
function lostVersion(slot: Slot, there: Slot | undefined): number | undefined {
  const { held, version, printBefore } = slot;
  if (held === undefined || version === -1) return undefined;
  if (there === undefined || there.version === -1) return version;
  if (there.held !== undefined && isGone(there.held)) return undefined;
  if (isGone(held)) return Math.max(version, there.version + 1);
  return there.version === version - 1 && there.print === printBefore ? version : undefined;
}

/** @returns undefined where another node was first. */
async function created(bucket: Bucket, key: string, value: Uint8Array): Promise<number | undefined> {
  try {
    return await bucket.create(key, value);
  } catch (error) {
    if (!isConflict(error)) throw error;
    return undefined;
  }
}
