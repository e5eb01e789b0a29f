/** When a browser that is known gets a `Set-Cookie` all the same: another id, another signature, a longer life. */
import type { IncomingMessage } from 'node:http';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import type { CookieConfig } from '../../../src/cookie/schema.js';
import { sign } from '../../../src/cookie/signature.js';
import { CookieStoreError } from '../../../src/cookie/error.js';
import { CookieTracker } from '../../../src/cookie/tracker.js';
import type { Tracked } from '../../../src/cookie/tracker.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { rulesOf } from '../../../src/cookie/rules.js';
import { cookieId, cookieRecord, CREATED, JOE, recordingLog, recordOf } from '../../support/cookie-store.js';
import { cookieConfig } from '../../support/web.js';

const ID = cookieId(1);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let now: number;
let store: MemoryCookieStore;
let liveCookies: LiveCookies;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  now = Date.parse(CREATED);
  store = new MemoryCookieStore();
  recorded = recordingLog();
  liveCookies = liveCookiesOf(cookieConfig());
  await store.create(cookieRecord(ID, { max_age: 86_400 }));
});

function liveCookiesOf(config: CookieConfig): LiveCookies {
  return new LiveCookies({ store, rules: rulesOf(config), clock: () => now, log: recorded.log });
}

/** A node with this section, on the one store. */
function trackerOf(parts: Partial<CookieConfig>): CookieTracker {
  const config = cookieConfig(parts);
  liveCookies = liveCookiesOf(config);
  return new CookieTracker({ config, liveCookies, clock: () => now, log: recorded.log });
}

function resolve(tracker: CookieTracker, value: string): Promise<Tracked> {
  const request: unknown = { headers: { cookie: `cbtid=${value}` }, socket: {} };
  return tracker.resolve(request as IncomingMessage);
}

describe('a new id', () => {
  let tracker: CookieTracker;
  beforeEach(() => {
    tracker = trackerOf({ rotate: true });
  });

  it('is sent once, with the first request after a login, for the time that is left', async () => {
    expect((await resolve(tracker, ID)).setCookie).toBeUndefined();
    await liveCookies.setLogin(ID, JOE);
    now += DAY / 2;
    const { record, setCookie } = await resolve(tracker, ID);
    expect(record).toMatchObject({ created: CREATED, auth: JOE });
    expect(record.cbtid).not.toBe(ID);
    expect(setCookie).toBe(`cbtid=${record.cbtid}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax`);
    expect((await resolve(tracker, record.cbtid)).setCookie).toBeUndefined();
  });

  it('is not told to anybody who comes with the old one', async () => {
    await liveCookies.setLogin(ID, JOE);
    const { record } = await resolve(tracker, ID);
    now += MINUTE / 2;
    expect(await resolve(tracker, ID)).toMatchObject({ record: { cbtid: record.cbtid }, setCookie: undefined });
    await resolve(tracker, record.cbtid);
    now += MINUTE;
    const stranger = await resolve(tracker, ID);
    expect(stranger.record.auth).toBeNull();
    expect(stranger.record.cbtid).not.toBe(record.cbtid);
    expect(stranger.setCookie).toBeDefined();
  });

  it('is sent to one of many requests at once', async () => {
    await liveCookies.setLogin(ID, JOE);
    const all = await Promise.all(Array.from({ length: 20 }, () => resolve(tracker, ID)));
    expect(all.filter(({ setCookie }) => setCookie !== undefined)).toHaveLength(1);
    expect(new Set(all.map(({ record }) => record.cbtid)).size).toBe(1);
    expect(await store.list()).toHaveLength(1);
  });

  it('comes at once to an end of the old one where there is no grace', async () => {
    const strict = trackerOf({ rotate: true, rotate_grace: 0 });
    await liveCookies.setLogin(ID, JOE);
    const { record } = await resolve(strict, ID);
    await resolve(strict, record.cbtid);
    expect((await resolve(strict, ID)).record.auth).toBeNull();
  });

  it('is not given where that is switched off', async () => {
    await liveCookies.setLogin(ID, JOE);
    expect(await resolve(trackerOf({}), ID)).toMatchObject({ record: { cbtid: ID }, setCookie: undefined });
  });

  it('is tried again when the store fails, and the browser stays known', async () => {
    await liveCookies.setLogin(ID, JOE);
    const rotate = vi.spyOn(store, 'rotate').mockRejectedValueOnce(new CookieStoreError('disk full'));
    expect(await resolve(tracker, ID)).toMatchObject({ record: { cbtid: ID, auth: JOE }, setCookie: undefined });
    expect(recorded.warnings()).toMatchObject([{ msg: 'cookie could not get a new id' }]);
    expect((await resolve(tracker, ID)).setCookie).toBeDefined();
    expect(rotate).toHaveBeenCalledTimes(2);
  });

  it('is not given to a browser that logs out at that moment', async () => {
    await liveCookies.setLogin(ID, JOE);
    const [tracked] = await Promise.all([resolve(tracker, ID), liveCookies.logOut(ID)]);
    expect(await tracker.enter(tracked.record).login()).toBeUndefined();
    expect((await store.list()).every(({ auth }) => auth === null)).toBe(true);
  });
});

describe('another signature', () => {
  it('comes with the first of new secrets', async () => {
    const [old, young] = ['the secret of yesterday', 'the secret of today'];
    expect((await resolve(trackerOf({ secrets: [old] }), sign(ID, old))).setCookie).toBeUndefined();
    const tracker = trackerOf({ secrets: [young, old] });
    const { record, setCookie } = await resolve(tracker, sign(ID, old));
    expect(record.cbtid).toBe(ID);
    expect(setCookie).toMatch(`cbtid=${sign(ID, young)}; Max-Age=86400;`);
    expect((await resolve(tracker, sign(ID, young))).setCookie).toBeUndefined();
  });

  it.each([
    ['unsigned', ID],
    ['forged', sign(ID, 'the secret of somebody else')],
    ['cut', sign(ID, 'the secret of today').slice(0, -2)],
  ])('is not given to an id that is %s: the store does not hear of it', async (_what, value) => {
    const get = vi.spyOn(store, 'get');
    const { record } = await resolve(trackerOf({ secrets: ['the secret of today'] }), value);
    expect(record.cbtid).not.toBe(ID);
    expect(get).not.toHaveBeenCalled();
  });
});

describe('a longer life', () => {
  it('comes with every request once a tenth of it has passed, where it slides', async () => {
    const tracker = trackerOf({ sliding: true });
    now += DAY / 10 - 1;
    expect((await resolve(tracker, ID)).setCookie).toBeUndefined();
    now += 1;
    expect((await resolve(tracker, ID)).setCookie).toMatch(`cbtid=${ID}; Max-Age=86400;`);
    await vi.waitFor(async () => expect((await recordOf(store, ID))?.seen).toBe(new Date(now).toISOString()));
    now += DAY - 1;
    expect((await resolve(tracker, ID)).record.cbtid).toBe(ID);
  });

  it('does not come where it does not slide', async () => {
    const tracker = trackerOf({});
    now += DAY - 1;
    expect((await resolve(tracker, ID)).setCookie).toBeUndefined();
    now += 1;
    expect((await resolve(tracker, ID)).record.cbtid).not.toBe(ID);
  });

  it('ends where nobody comes for the idle timeout, and with max_age all the same', async () => {
    const tracker = trackerOf({ idle_timeout: 3600 });
    for (let hour = 0; hour < 23; hour += 1) {
      now += 60 * MINUTE - 1;
      expect((await resolve(tracker, ID)).record.cbtid).toBe(ID);
      await vi.waitFor(async () => expect((await recordOf(store, ID))?.seen).toBe(new Date(now).toISOString()));
    }
    now += 60 * MINUTE;
    expect((await resolve(tracker, ID)).record.cbtid).not.toBe(ID);
  });
});
