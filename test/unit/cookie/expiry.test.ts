import { describe, expect, it } from 'vitest';
import { isExpired, oldestExpired } from '../../../src/cookie/expiry.js';
import { OldestFirst } from '../../../src/cookie/oldest-first.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
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
    returned: true,
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
    const records = new OldestFirst<string, CookieRecord>();
    for (const one of all) records.set(one.cbtid, one);
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
  it('stays as long as its record, in whatever number of steps up to sixteen, and goes with later changes', async () => {
    const store = new MemoryCookieStore();
    const at = new Date(NOON_MS).toISOString();
    const isKnown = async (cbtid: string): Promise<boolean> => (await store.get(cbtid)) !== undefined;
    await store.create(record('0', NOON_MS));
    for (let n = 0; n < 16; n += 1) await store.rotate(`${n}`, `${n + 1}`, at);
    for (let n = 0; n < 20; n += 1) await store.create(record(`other${n}`, NOON_MS));
    expect(await isKnown('0')).toBe(true);
    await store.rotate('16', '17', at);
    for (let n = 20; n < 40; n += 1) await store.create(record(`other${n}`, NOON_MS));
    expect([await isKnown('0'), await isKnown('1')]).toEqual([false, true]);
    await store.delete('17');
    for (let n = 40; n < 60; n += 1) await store.create(record(`other${n}`, NOON_MS));
    for (let n = 0; n < 17; n += 1) expect(await isKnown(`${n}`)).toBe(false);
  });
});
