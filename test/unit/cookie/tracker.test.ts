import type { IncomingMessage } from 'node:http';

import { beforeEach, describe, expect, it } from 'vitest';

import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { CookieStoreError } from '../../../src/cookie/error.js';
import type { CookieStore } from '../../../src/cookie/store.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { rulesOf } from '../../../src/cookie/rules.js';
import { CookieTracker, newCookieId } from '../../../src/cookie/tracker.js';
import { cookieId, cookieRecord, CREATED, recordingLog } from '../../support/cookie-store.js';
import { cookieConfig } from '../../support/web.js';

const HOUR = 3_600_000;
const config = cookieConfig();

function request(cookie?: string, socket: object = {}): IncomingMessage {
  return { headers: { cookie }, socket } as unknown as IncomingMessage;
}

describe('CookieTracker', () => {
  let now: number;
  let store: MemoryCookieStore;
  let recorded: ReturnType<typeof recordingLog>;
  let tracker: CookieTracker;

  function trackerOn(other: CookieStore): CookieTracker {
    const deps = { clock: () => now, log: recorded.log };
    const liveCookies = new LiveCookies({ store: other, rules: rulesOf(config), ...deps });
    return new CookieTracker({ config, liveCookies, ...deps });
  }
  beforeEach(() => {
    now = Date.parse(CREATED);
    store = new MemoryCookieStore();
    recorded = recordingLog();
    tracker = trackerOn(store);
  });

  it('gives a new browser a cookie and knows it afterwards', async () => {
    const first = await tracker.resolve(request());
    expect(first.record).toEqual(cookieRecord(first.record.cbtid, { max_age: 86400, returned: false }));
    expect(first.record.cbtid).toMatch(/^[A-Za-z0-9+/]{24}$/);
    expect(first.setCookie).toBe(`cbtid=${first.record.cbtid}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax`);
    const second = await tracker.resolve(request(`cbtid=${first.record.cbtid}`));
    expect(second).toEqual({ record: first.record, setCookie: undefined });
  });

  it('gives two browsers two cookies, also at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => tracker.resolve(request())));
    expect(new Set(all.map(({ record }) => record.cbtid)).size).toBe(100);
  });

  describe('for a login by a web page', () => {
    const auth = { authid: 'joe', authrole: 'user', authmethod: 'ticket', authrealm: 'realm1', authextra: null };

    it('makes a new cookie that is logged in and needs no other id', async () => {
      const { record, setCookie } = await tracker.logIn(auth, true);
      expect(record).toMatchObject({ auth, created: CREATED, modified: CREATED, rotated: CREATED, returned: false });
      expect(setCookie).toBe(`cbtid=${record.cbtid}; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax`);
      expect(await store.unreturned()).toEqual([]);
      const next = await tracker.resolve(request(`cbtid=${record.cbtid}`));
      expect([next.record.cbtid, next.setCookie]).toEqual([record.cbtid, undefined]);
    });

    it('finds the cookie that a request presents, and makes none', async () => {
      expect(await tracker.presented(request())).toBeUndefined();
      expect(await tracker.presented(request(`cbtid=${cookieId(1)}`))).toBeUndefined();
      expect(await store.list()).toEqual([]);
      const { record } = await tracker.logIn(auth, false);
      const found = await tracker.presented(request(`cbtid=${cookieId(1)}; cbtid=${record.cbtid}`));
      expect(found).toEqual({ record, isHeld: true });
      await store.rotate(record.cbtid, cookieId(2), CREATED);
      expect(await tracker.presented(request(`cbtid=${record.cbtid}`))).toMatchObject({ isHeld: false });
      now += 61_000;
      expect(await tracker.presented(request(`cbtid=${record.cbtid}`))).toBeUndefined();
    });

    it('logs it out, and tells the browser to drop it', async () => {
      const { record } = await tracker.logIn(auth, false);
      expect(await tracker.logins()).toEqual([record]);
      expect(await tracker.logOut(record)).toBe(true);
      expect([await tracker.presented(request(`cbtid=${record.cbtid}`)), await tracker.logins()]).toEqual([
        undefined,
        [],
      ]);
      expect(tracker.cleared(true)).toBe('cbtid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax');
    });

    it('asks those who vouch for it', async () => {
      const { record } = await tracker.logIn({ ...auth, source: { provider: 'google' } }, false);
      const liveCookie = tracker.enter(record);
      const faultOf = () => record.auth && liveCookie.faultOf(record.auth);
      expect(faultOf()).toBe('no such method');
      const ends = [
        tracker.vouch({ faultOf: () => 'no such method' }),
        tracker.vouch({ faultOf: () => 'no such principal' }),
      ];
      expect(faultOf()).toBe('no such principal');
      const end = tracker.vouch({ faultOf: ({ source }) => (source?.provider === 'google' ? undefined : 'expired') });
      expect(faultOf()).toBeUndefined();
      end();
      expect(faultOf()).toBe('no such principal');
      for (const each of ends) each();
      expect(faultOf()).toBe('no such method');
    });
  });

  it('never adopts an id that a client made up', async () => {
    const made = cookieId(1);
    const { record, setCookie } = await tracker.resolve(request(`cbtid=${made}`));
    expect(record.cbtid).not.toBe(made);
    expect(setCookie).toBeDefined();
    expect(await store.get(made)).toBeUndefined();
  });

  it.each(['cbtid=UNKNOWN; cbtid=KNOWN', 'cbtid=KNOWN; cbtid=UNKNOWN', 'cbtid=FIRST; cbtid=KNOWN'])(
    'takes the first value that the store knows: %s',
    async (header) => {
      await store.create(cookieRecord(cookieId(1)));
      await store.create(cookieRecord(cookieId(3)));
      const text = header.replace('UNKNOWN', cookieId(2)).replace('KNOWN', cookieId(1)).replace('FIRST', cookieId(3));
      const { record, setCookie } = await tracker.resolve(request(text));
      expect(record.cbtid).toBe(cookieId(header.includes('FIRST') ? 3 : 1));
      expect(setCookie).toBeUndefined();
    },
  );

  it('adds Secure on a TLS connection, or when told that the browser has one', async () => {
    expect((await tracker.resolve(request(undefined, { encrypted: true }))).setCookie).toContain('; Secure');
    expect((await tracker.resolve(request())).setCookie).not.toContain('Secure');
    expect((await tracker.resolve(request(), { secureConnection: true })).setCookie).toContain('; Secure');
    const viaProxy = request(undefined, { encrypted: true });
    expect((await tracker.resolve(viaProxy, { secureConnection: false })).setCookie).not.toContain('Secure');
  });

  it('knows a cookie up to the last millisecond of max_age and not one longer', async () => {
    const { record } = await tracker.resolve(request());
    now += 86_400_000 - 1;
    expect((await tracker.resolve(request(`cbtid=${record.cbtid}`))).record).toEqual(record);
    now += 1;
    const next = await tracker.resolve(request(`cbtid=${record.cbtid}`));
    expect(next.record.cbtid).not.toBe(record.cbtid);
    expect(next.setCookie).toBeDefined();
    expect(await store.get(record.cbtid)).toBeUndefined();
  });

  it('goes by the lifetime that the record was made with, not by the config of today', async () => {
    await store.create(cookieRecord(cookieId(1), { max_age: 604800 }));
    now += 7 * 24 * HOUR - 1;
    expect((await tracker.resolve(request(`cbtid=${cookieId(1)}`))).setCookie).toBeUndefined();
  });

  it('looks on behind an expired cookie', async () => {
    await store.create(cookieRecord(cookieId(1), { max_age: 1 }));
    await store.create(cookieRecord(cookieId(2)));
    now += HOUR;
    const { record } = await tracker.resolve(request(`cbtid=${cookieId(1)}; cbtid=${cookieId(2)}`));
    expect(record.cbtid).toBe(cookieId(2));
  });

  it('logs nobody out when the clock jumps an hour, either way', async () => {
    const { record } = await tracker.resolve(request());
    const start = now;
    for (const jump of [-HOUR, HOUR, -14 * HOUR]) {
      now = start + jump;
      expect((await tracker.resolve(request(`cbtid=${record.cbtid}`))).record.cbtid).toBe(record.cbtid);
    }
  });

  it('does not revive a cookie that it has seen expired when the clock jumps back', async () => {
    const { record } = await tracker.resolve(request());
    now += 24 * HOUR;
    await tracker.resolve(request(`cbtid=${record.cbtid}`));
    now -= HOUR;
    expect((await tracker.resolve(request(`cbtid=${record.cbtid}`))).record.cbtid).not.toBe(record.cbtid);
  });

  it('does not believe a record of next year', async () => {
    await store.create(cookieRecord(cookieId(1), { created: '2027-11-20T00:00:00.000Z' }));
    expect((await tracker.resolve(request(`cbtid=${cookieId(1)}`))).setCookie).toBeDefined();
  });

  it('rejects when the store fails, and makes nobody an untracked client', async () => {
    await store.close();
    await expect(tracker.resolve(request())).rejects.toBeInstanceOf(CookieStoreError);
    await expect(tracker.resolve(request(`cbtid=${cookieId(1)}`))).rejects.toBeInstanceOf(CookieStoreError);
  });

  it('does not let the client wait for, or fail with, the deletion of an expired cookie', async () => {
    await store.create(cookieRecord(cookieId(1), { max_age: 1 }));
    now += HOUR;
    let fail = (): void => undefined;
    const deleting = new Promise<never>((_, reject) => {
      fail = () => reject(new CookieStoreError('disk full'));
    });
    const slow: CookieStore = {
      open: () => store.open(),
      get: (id) => store.get(id),
      create: (record) => store.create(record),
      update: (...args) => store.update(...args),
      rotate: (...args) => store.rotate(...args),
      delete: () => deleting,
      unreturned: () => store.unreturned(),
      evict: (id) => store.evict(id),
      list: () => store.list(),
      close: () => store.close(),
    };
    const { setCookie } = await trackerOn(slow).resolve(request(`cbtid=${cookieId(1)}`));
    expect(setCookie).toBeDefined();
    fail();
    await deleting.catch(() => undefined);
    await Promise.resolve();
    expect(recorded.warnings()).toMatchObject([{ msg: 'expired cookie could not be deleted' }]);
  });

  it('never logs a whole cookie id', async () => {
    const { record } = await tracker.resolve(request());
    now += 48 * HOUR;
    await tracker.resolve(request(`cbtid=${record.cbtid}`));
    expect(recorded.entries.length).toBeGreaterThan(0);
    expect(JSON.stringify(recorded.entries)).not.toContain(record.cbtid);
  });
});

describe('newCookieId', () => {
  it.each([6, 7, 12, 24, 25, 40, 63, 64])('makes %i base64 characters', (length) => {
    expect(newCookieId(length)).toMatch(new RegExp(`^[A-Za-z0-9+/]{${length}}$`));
  });

  it('does not repeat itself in a hundred thousand', () => {
    expect(new Set(Array.from({ length: 100_000 }, () => newCookieId(24))).size).toBe(100_000);
  });
});
