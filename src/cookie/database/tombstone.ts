/**
 * What stays of a deleted cookie in the database for a minute, so that other processes see that it was logged out and did not just
 * expire. To everything else a tombstone counts as no value.
 */

/** Long enough: other processes look every second, unless they are suspended. */
const TOMBSTONE_MS = 60_000;

const TOMBSTONE = /^\{"deleted":(\d+)\}$/;

export function tombstone(nowMs: number): string {
  return JSON.stringify({ deleted: nowMs });
}

export function isTombstone(value: string): boolean {
  return TOMBSTONE.test(value);
}

/** @returns whether a value is a tombstone that may go. One from the future may, too: the clock was set back. */
export function isOldTombstone(value: string, nowMs: number): boolean {
  const deleted = TOMBSTONE.exec(value)?.[1];
  return deleted !== undefined && Math.abs(nowMs - Number(deleted)) >= TOMBSTONE_MS;
}
