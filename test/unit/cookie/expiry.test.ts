import { describe, expect, it } from 'vitest';
import { isExpired, isOldForward, oldestExpired } from '../../../src/cookie/expiry.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { MAX_FORWARD_AGE_MS } from '../../../src/cookie/store.js';
import type { CookieRecord } from '../../../src/cookie/store.js';

const HOUR_MS = 3_600_000;
const NOON_MS = Date.parse('2026-06-01T12:00:00.000Z');

function record(cbtid: string, createdMs: number, max_age = 3600): CookieRecord {
  return {
    cbtid,
    created: new Date(createdMs).toISOString(),
    modified: null,
    max_age,
    auth: null,
    seen: null,
    rotated: null,
  };
}

describe('isExpired', () => {
  it.each([
    ['just made', NOON_MS, false],
    ['one millisecond before the end', NOON_MS - HOUR_MS + 1, false],
    ['at the end', NOON_MS - HOUR_MS, true],
    ['an hour in the future: the clock was set back', NOON_MS + HOUR_MS, false],
    ['two days in the future: never by a clock of ours', NOON_MS + 48 * HOUR_MS, true],
  ])('%s', (_what, createdMs, expected) => {
    expect(isExpired(record('a', createdMs), NOON_MS)).toBe(expected);
  });
});

describe('oldestExpired', () => {
  it('names expired cookies from the old end, a few at a time, and stops at the first that lives', () => {
    const old = NOON_MS - 2 * HOUR_MS;
    const all = [record('a', old), record('b', old), record('c', old), record('d', NOON_MS), record('e', old)];
    const records = new Map(all.map((one) => [one.cbtid, one]));
    const sweep = () => oldestExpired(records, NOON_MS).filter((cbtid) => records.delete(cbtid));
    expect([sweep(), sweep(), sweep()]).toEqual([['a', 'b'], ['c'], []]);
  });

  it('keeps a memory store small when its visitors do not come back', async () => {
    const store = new MemoryCookieStore();
    await store.open();
    const ids = Array.from({ length: 1000 }, (_, i) => `id${i}`);
    // One visitor a minute, for an hour each: 60 are alive at any time.
    for (const [i, cbtid] of ids.entries()) await store.create(record(cbtid, NOON_MS + i * 60_000));
    const kept = await Promise.all(ids.map((cbtid) => store.get(cbtid)));
    expect(kept.filter((one) => one !== undefined).length).toBe(60);
  });
});

describe('a forward', () => {
  const forward = (cbtid: string, movedMs: number) => ({
    cbtid,
    moved_to: 'new',
    moved: new Date(movedMs).toISOString(),
  });

  it.each([
    ['just made', NOON_MS, false],
    ['one millisecond before the end', NOON_MS - MAX_FORWARD_AGE_MS + 1, false],
    ['at the end', NOON_MS - MAX_FORWARD_AGE_MS, true],
    ['an hour in the future: the clock was set back', NOON_MS + HOUR_MS, false],
    ['two days in the future: never by a clock of ours', NOON_MS + 48 * HOUR_MS, true],
  ])('that is %s', (_what, movedMs, expected) => {
    expect(isOldForward(forward('a', movedMs), NOON_MS)).toBe(expected);
  });

  it('is dropped with later rotations, up to the first that is followed', async () => {
    const store = new MemoryCookieStore();
    for (const n of [0, 1, 2]) {
      const at = NOON_MS + n * 40 * 60_000;
      await store.create(record(`old${n}`, at));
      await store.rotate(`old${n}`, `new${n}`, new Date(at).toISOString());
    }
    const left = await Promise.all(['old0', 'old1', 'old2'].map((cbtid) => store.get(cbtid)));
    expect(left.map((entry) => entry !== undefined)).toEqual([false, true, true]);
    expect(await store.get('new0')).toBeUndefined(); // expired: an hour old
    expect(await store.get('new1')).toBeDefined();
  });
});
