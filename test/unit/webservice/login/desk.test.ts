/** Logins and logouts over HTTP, step by step: what is left when a step fails, and what a planted cookie is worth. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CookieStoreError } from '../../../../src/cookie/error.js';
import { LiveCookies } from '../../../../src/cookie/live/live-cookies.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { LENIENT } from '../../../../src/cookie/rules.js';
import { CookieTracker } from '../../../../src/cookie/tracker.js';
import type { CookieEntry, CookieRecord } from '../../../../src/cookie/store.js';
import type { LiveCookie } from '../../../../src/cookie/live/live-cookie.js';
import { LoginDesk } from '../../../../src/webservice/login/desk.js';
import type { NewLogin } from '../../../../src/webservice/login/desk.js';
import { recordingLog, recordOf } from '../../../support/cookie-store.js';
import { openExchange } from '../../../support/exchange.js';
import { cookieConfig } from '../../../support/web.js';

const NOW = Date.parse('2026-11-20T22:25:02.621Z');
const JOE: NewLogin = {
  user: { realm: 'realm1', authid: 'joe', authrole: 'member', authextra: undefined },
  authmethod: 'ticket',
  source: {},
};
const FAILURE = new CookieStoreError('no space', { cause: new Error('ENOSPC') });

/** Fails where a test says so. */
class BrokenStore extends MemoryCookieStore {
  readonly broken = new Set<'get' | 'create' | 'delete'>();

  override get(cbtid: string): Promise<CookieEntry | undefined> {
    return this.broken.has('get') ? Promise.reject(FAILURE) : super.get(cbtid);
  }

  override create(record: CookieRecord): Promise<void> {
    return this.broken.has('create') ? Promise.reject(FAILURE) : super.create(record);
  }

  override delete(cbtid: string): Promise<CookieEntry | undefined> {
    return this.broken.has('delete') ? Promise.reject(FAILURE) : super.delete(cbtid);
  }
}

let now = NOW;
let store: BrokenStore;
let liveCookies: LiveCookies;
let tracker: CookieTracker;
let desk: LoginDesk;

beforeEach(() => {
  now = NOW;
  const { log } = recordingLog();
  const clock = (): number => now;
  store = new BrokenStore();
  liveCookies = new LiveCookies({ store, rules: LENIENT, clock, log });
  tracker = new CookieTracker({ config: cookieConfig({ rotate: true, rotate_grace: 60 }), liveCookies, clock, log });
  desk = new LoginDesk({ tracker, clock, admits: (realm, role) => realm === 'realm1' && role === 'member' });
  tracker.vouch({ faultOf: ({ authid }) => (authid === 'gone' ? 'no such principal' : undefined) });
});
afterEach(() => liveCookies.close());

const from = (cookie?: string): ReturnType<typeof openExchange> =>
  openExchange({ method: 'POST', headers: cookie === undefined ? {} : { cookie: `cbtid=${cookie}` } });

/** Logs in, and sends the answer. @returns the new cookie. */
async function logIn(cookie?: string, login = JOE): Promise<string> {
  const { request, res } = from(cookie);
  const record = await desk.open(request, res, login);
  expect(String(res.getHeader('set-cookie'))).toContain(`cbtid=${record.cbtid};`);
  await sent(res);
  return record.cbtid;
}

async function sent(res: ReturnType<typeof from>['res']): Promise<void> {
  const finished = new Promise((resolve) => res.once('finish', resolve));
  res.end('{}');
  await finished;
  res.emit('close');
  // What is begun then takes some turns.
  await new Promise((resolve) => setImmediate(resolve));
}

/** A visitor without a login, with an open connection and a session. */
async function visitor(): Promise<{ cbtid: string; live: LiveCookie; ended: string[] }> {
  const { record } = await tracker.resolve(from().request.req);
  const live = tracker.enter(record);
  const ended: string[] = [];
  live.joined({ id: 1, dismiss: (reason) => void ended.push(reason) });
  return { cbtid: record.cbtid, live, ended };
}

const whoami = async (cookie: string): Promise<string | undefined> => (await desk.whoami(from(cookie).request))?.authid;

describe('a login', () => {
  it('is a new cookie, which the next handshake does not change', async () => {
    const cookie = await logIn();
    expect(await whoami(cookie)).toBe('joe');
    const record = await recordOf(store, cookie);
    expect(record).toMatchObject({ auth: { authid: 'joe', authrealm: 'realm1', authrole: 'member', source: {} } });
    const { record: resolved, setCookie } = await tracker.resolve(from(cookie).request.req);
    expect([resolved.cbtid, setCookie]).toEqual([cookie, undefined]);
  });

  it('leaves nothing to whoever planted the cookie that the browser had: no login, no session, no grace', async () => {
    const planted = await visitor();
    const cookie = await logIn(planted.cbtid);
    expect(cookie).not.toBe(planted.cbtid);
    expect(planted.ended).toEqual(['wamp.close.logout']);
    expect(planted.live.isLoggedOut).toBe(true);
    expect(await whoami(planted.cbtid)).toBeUndefined();
    expect(await store.get(planted.cbtid)).toBeUndefined();
    // At once, within what a replaced id has as grace: it is nobody's.
    const again = await tracker.resolve(from(planted.cbtid).request.req);
    expect([planted.cbtid, cookie]).not.toContain(again.record.cbtid);
    expect(again.record.auth).toBeNull();
  });

  it('ends the login that the browser had before, and only when the answer is sent', async () => {
    const old = await logIn();
    const { request, res } = from(old);
    const { cbtid } = await desk.open(request, res, { ...JOE, user: { ...JOE.user, authid: 'mary' } });
    expect(await whoami(old)).toBe('joe');
    await sent(res);
    expect(await whoami(old)).toBeUndefined();
    expect(await whoami(cbtid)).toBe('mary');
  });

  it('ends every cookie that the request presents', async () => {
    const [one, other] = [await logIn(), await logIn()];
    await logIn(`${one}; cbtid=${other}`);
    expect([await whoami(one), await whoami(other)]).toEqual([undefined, undefined]);
  });

  it('has an end of its own, where its source has one', async () => {
    const cookie = await logIn(undefined, { ...JOE, expiresMs: NOW + 5000 });
    expect((await recordOf(store, cookie))?.auth?.source?.expires).toBe('2026-11-20T22:25:07.621Z');
    const present = await desk.present(from(cookie).request);
    expect(present && desk.expiryOf(present)).toBe(NOW + 5000);
    now = NOW + 5000;
    expect(await whoami(cookie)).toBeUndefined();
  });

  it.each([
    ['its role is gone', { user: { ...JOE.user, authrole: 'gone' } }],
    ['its realm is gone', { user: { ...JOE.user, realm: 'realm2' } }],
    ['its principal is gone', { user: { ...JOE.user, authid: 'gone' } }],
  ])('does not count when %s', async (_what, parts) => {
    expect(await whoami(await logIn(undefined, { ...JOE, ...parts }))).toBeUndefined();
  });

  it('is not made when the store cannot look up, and not when it cannot write: all is as before', async () => {
    const old = await logIn();
    for (const step of ['get', 'create'] as const) {
      store.broken.add(step);
      const { request, res } = from(old);
      await expect(desk.open(request, res, JOE)).rejects.toBe(FAILURE);
      expect(res.hasHeader('set-cookie')).toBe(false);
      store.broken.clear();
      expect(await whoami(old)).toBe('joe');
      expect(await tracker.logins()).toHaveLength(1);
    }
  });

  it('holds when the old cookie cannot be deleted, which is logged out all the same', async () => {
    const planted = await visitor();
    store.broken.add('delete');
    const cookie = await logIn(planted.cbtid);
    expect(await whoami(cookie)).toBe('joe');
    expect(planted.ended).toEqual(['wamp.close.logout']);
    expect((await tracker.presented(from(planted.cbtid).request.req))?.record).toBeUndefined();
  });

  it('is taken back when the client has left before the answer: all is as before', async () => {
    const old = await logIn();
    const { request, res, socket } = from(old);
    const closed = new Promise((resolve) => res.once('close', resolve));
    socket.destroy();
    await closed;
    await desk.open(request, res, JOE);
    expect(await whoami(old)).toBe('joe');
    expect(await tracker.logins()).toHaveLength(1);
  });

  it('holds when the answer was cut on its way: nobody knows how much of it has arrived', async () => {
    const planted = await visitor();
    const { request, res, socket } = from(planted.cbtid);
    const { cbtid } = await desk.open(request, res, JOE);
    const closed = new Promise((resolve) => res.once('close', resolve));
    res.write('{');
    socket.destroy();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(planted.ended).toEqual(['wamp.close.logout']);
    expect(await whoami(cbtid)).toBe('joe');
  });
});

describe('the cookie over TLS', () => {
  it('is Secure, when it comes and when it goes, and may have a name that nobody else can set', async () => {
    const config = cookieConfig({ name: '__Host-cbtid', secure: true });
    for (const [section, name, isTls] of [
      [config, '__Host-cbtid', false],
      [cookieConfig(), 'cbtid', true],
    ] as const) {
      const { log } = recordingLog();
      const clock = (): number => now;
      const other = new LoginDesk({
        tracker: new CookieTracker({ config: section, liveCookies, clock, log }),
        clock,
        admits: () => true,
      });
      const { request, res } = from();
      Object.assign(request.req.socket, { encrypted: isTls });
      const { cbtid } = await other.open(request, res, JOE);
      await other.close(request, res);
      expect(res.getHeader('set-cookie')).toEqual([
        `${name}=${cbtid}; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax`,
        `${name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`,
      ]);
    }
  });
});

describe('whoami', () => {
  it('tells nothing to whoever has a replaced id', async () => {
    const first = await visitor();
    await liveCookies.setLogin(first.cbtid, {
      ...JOE.user,
      authmethod: 'ticket',
      authrealm: 'realm1',
      authextra: null,
    });
    const { record } = await tracker.resolve(from(first.cbtid).request.req);
    expect(record.cbtid).not.toBe(first.cbtid);
    expect(await whoami(first.cbtid)).toBeUndefined();
    expect(await whoami(record.cbtid)).toBe('joe');
  });

  it('makes no cookie, and changes none', async () => {
    expect(await desk.whoami(from().request)).toBeUndefined();
    expect(await desk.whoami(from('A'.repeat(24)).request)).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });
});

describe('a logout', () => {
  it('ends all sessions, forgets the cookie, and takes it from the browser', async () => {
    const cookie = await logIn();
    const live = tracker.enter((await recordOf(store, cookie)) ?? expect.fail('no record'));
    const ended: string[] = [];
    for (const id of [1, 2]) live.joined({ id, dismiss: (reason) => void ended.push(reason) });
    const { request, res } = from(cookie);
    expect(await desk.close(request, res)).toMatchObject({ authid: 'joe' });
    expect(ended).toEqual(['wamp.close.logout', 'wamp.close.logout']);
    expect(String(res.getHeader('set-cookie'))).toMatch(/^cbtid=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await store.get(cookie)).toBeUndefined();
  });

  it('is the same without a cookie', async () => {
    const { request, res } = from();
    expect(await desk.close(request, res)).toBeUndefined();
    expect(res.hasHeader('set-cookie')).toBe(true);
  });

  it('holds when the store cannot delete, and says that it failed', async () => {
    const cookie = await logIn();
    store.broken.add('delete');
    const { request, res } = from(cookie);
    await expect(desk.close(request, res)).rejects.toBe(FAILURE);
    expect(res.hasHeader('set-cookie')).toBe(true);
    expect(await whoami(cookie)).toBeUndefined();
  });

  it('leaves the cookie where the store cannot even look: the user can try again', async () => {
    const cookie = await logIn();
    store.broken.add('get');
    const { request, res } = from(cookie);
    await expect(desk.close(request, res)).rejects.toBe(FAILURE);
    expect(res.hasHeader('set-cookie')).toBe(false);
  });

  it('of many ends those that fit', async () => {
    const of = (sid: string, subject: string): NewLogin => ({
      ...JOE,
      source: { provider: 'p', issuer: 'i', subject, sid },
    });
    const [one, two, other] = [
      await logIn(undefined, of('1', 'a')),
      await logIn(undefined, of('2', 'a')),
      await logIn(),
    ];
    expect(await desk.endWhere(({ source }) => source?.sid === '1')).toBe(1);
    expect([await whoami(one), await whoami(two), await whoami(other)]).toEqual([undefined, 'joe', 'joe']);
    expect(await desk.endWhere(({ source }) => source?.subject === 'a')).toBe(1);
    expect(await desk.endWhere(({ source }) => source?.subject === 'a')).toBe(0);
    expect(await whoami(other)).toBe('joe');
  });
});
