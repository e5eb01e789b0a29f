/**
 * Logins that a cookie remembers, and logouts: sessions of one browser on transports that only note what happens. The
 * store can be made to wait and to fail.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { cookie } from '../../../src/auth/cookie.js';
import type { AuthMethod, AuthMethods, Principal } from '../../../src/auth/method.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { CookieStoreError } from '../../../src/cookie/error.js';
import type { LiveCookie } from '../../../src/cookie/live/live-cookie.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { Session } from '../../../src/session/session.js';
import { AUTH_URIS } from '../../../src/auth/verdict.js';
import { NOBODY_TO_ASK, clientInfo, everybody } from '../../support/client.js';
import { cookieId, cookieRecord, CREATED, recordOf } from '../../support/cookie-store.js';
import { parseMessage } from '../../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../../src/wamp/payload.js';
import { Tab } from '../../support/tab.js';
import { ALLOW_ALL, FakeClock } from '../../support/realm.js';

const ID = cookieId(1);
const NEW_ID = cookieId(2);
const ROLES = { caller: {}, subscriber: {} };

/** Lets everybody in who says a name; `wrong` is not let in. */
const byName: AuthMethod = {
  start: ({ realm, authid = 'joe' }) =>
    authid === 'wrong'
      ? { type: 'deny', reason: 'wamp.error.authentication_failed', message: 'no' }
      : { type: 'accept', principal: principalOf(realm, authid) },
};

function principalOf(realm: string, authid: string): Principal {
  return { realm, authid, authrole: 'anonymous', authmethod: 'name', authprovider: 'static' };
}

class FragileStore extends MemoryCookieStore {
  isFull = false;
  writes = 0;

  override async update(...args: Parameters<MemoryCookieStore['update']>) {
    this.#write();
    return super.update(...args);
  }

  override async delete(cbtid: string) {
    this.#write();
    return super.delete(cbtid);
  }

  #write(): void {
    this.writes += 1;
    if (this.isFull) throw new CookieStoreError('disk full');
  }
}

let clock: FakeClock;
let store: FragileStore;
let liveCookies: LiveCookies;
let router: Router;
let methods: AuthMethods;
let siblings: Map<string, AuthMethod>;

beforeEach(async () => {
  store = new FragileStore();
  await store.create(cookieRecord(ID));
  const log = silentLogger();
  liveCookies = new LiveCookies({ store, rules: LENIENT, clock: () => Date.parse(CREATED), log });
  let lastId = 0;
  clock = new FakeClock();
  const deps = { randomId: () => ++lastId, clock: Date.now, scheduler: clock };
  router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], deps);
  siblings = new Map([['name', byName]]);
  const byCookie = await cookie.create(
    { revalidate: true },
    {
      log,
      siblings,
      uris: AUTH_URIS.crossbar,
      ...NOBODY_TO_ASK,
      clock: () => clock.now,
      after: clock.after.bind(clock),
      admits: (realm, role) => router.realm(realm)?.role(role) !== undefined,
    },
  );
  methods = new Map([...everybody(), ...siblings, ['cookie', byCookie]]);
});

function tab(): Tab {
  return tabOf(liveCookies.enter(cookieRecord(ID), { authid: 'derived', isCookieId: false }));
}

function tabOf(liveCookie: LiveCookie | undefined, heldCookie?: string): Tab {
  const deps = { router, authMethods: methods, log: silentLogger() };
  return new Tab(clientInfo({ liveCookie, heldCookie }), (transport) => new Session(transport, deps));
}

/** Somebody else's session. */
async function joinedWithoutCookie(): Promise<Tab> {
  const opened = tabOf(undefined);
  expect((await opened.tell(hello(['anonymous'])))[0]?.[0]).toBe(2);
  return opened;
}

function hello(authmethods: readonly string[], authid?: string): readonly unknown[] {
  return [1, 'realm1', { roles: ROLES, authmethods, ...(authid !== undefined && { authid }) }];
}

/** A tab with a session. */
async function joined(authmethods: readonly string[] = ['cookie'], authid?: string): Promise<Tab> {
  const opened = tab();
  expect((await opened.tell(hello(authmethods, authid)))[0]?.[0]).toBe(2);
  return opened;
}

const LOGOUT = [6, {}, 'wamp.close.logout'];
const ANSWER = [6, {}, 'wamp.close.goodbye_and_out'];
const GOODBYE = [6, { message: 'the browser was logged out' }, 'wamp.close.logout'];
const refusal = (reason: string) => [[3, { message: expect.any(String) as string }, reason]];
const remembered = async () => (await recordOf(store, ID))?.auth?.authid;

describe('a login', () => {
  it('is remembered, and lets the browser in without a question', async () => {
    await joined(['name'], 'joe');
    const [welcome] = await tab().tell(hello(['anonymous', 'cookie']));
    expect(welcome).toMatchObject([
      2,
      expect.any(Number),
      { authid: 'joe', authmethod: 'name', authprovider: 'cookie' },
    ]);
  });

  it('from before a rotation is not attached to the cookie of now: the client is to come back', async () => {
    const owner = liveCookies.enter(cookieRecord(ID), { authid: 'derived', isCookieId: false });
    await tabOf(owner, ID).tell(hello(['name'], 'joe'));
    await liveCookies.rotate(ID, NEW_ID);
    for (const offer of [hello(['name'], 'planter'), hello(['anonymous']), hello(['cookie'])]) {
      const old = tabOf(owner, ID);
      expect([await old.tell(offer), old.closed?.cause]).toEqual([[], 'unavailable']);
    }
    expect((await recordOf(store, NEW_ID))?.auth?.authid).toBe('joe');
    const young = tabOf(owner, NEW_ID);
    expect((await young.tell(hello(['name'], 'mary')))[0]?.[0]).toBe(2);
    expect((await recordOf(store, NEW_ID))?.auth?.authid).toBe('mary');
  });

  it('does not count any more when its method was taken out of the config', async () => {
    await joined(['name'], 'joe');
    siblings.delete('name');
    const [welcome] = await tab().tell(hello(['cookie', 'anonymous']));
    expect(welcome).toMatchObject([2, expect.any(Number), { authid: 'derived', authmethod: 'anonymous' }]);
    expect(await tab().tell(hello(['cookie']))).toEqual(refusal('wamp.error.no_auth_method'));
  });

  it('for a realm that is gone is forgotten, and the browser goes on with what else it offers', async () => {
    await joined(['name'], 'joe');
    await liveCookies.setLogin(ID, {
      authid: 'joe',
      authrole: 'anonymous',
      authmethod: 'name',
      authrealm: 'renamed',
      authextra: null,
    });
    const [welcome] = await tab().tell(hello(['cookie', 'anonymous']));
    expect(welcome).toMatchObject([2, expect.any(Number), { realm: 'realm1', authmethod: 'anonymous' }]);
    expect(await remembered()).toBeUndefined();
  });

  describe('by a web service', () => {
    const LOGIN = { authid: 'joe', authrole: 'anonymous', authmethod: 'oidc', authrealm: 'realm1', authextra: null };
    const offer = hello(['cookie', 'anonymous']);

    it('counts while somebody vouches for it', async () => {
      await liveCookies.setLogin(ID, { ...LOGIN, source: { provider: 'google' } });
      expect((await tab().tell(offer))[0]).toMatchObject([2, expect.any(Number), { authid: 'derived' }]);
      const end = liveCookies.vouch({ faultOf: () => undefined });
      const [welcome] = await tab().tell(offer);
      expect(welcome).toMatchObject([2, expect.any(Number), { authid: 'joe', authmethod: 'oidc' }]);
      expect(JSON.stringify(welcome)).not.toContain('google');
      end();
      expect((await tab().tell(offer))[0]).toMatchObject([2, expect.any(Number), { authid: 'derived' }]);
    });

    it('ends when it expires, with its sessions, and is forgotten then', async () => {
      liveCookies.vouch({ faultOf: () => undefined });
      const expires = new Date(clock.now + 60_000).toISOString();
      await liveCookies.setLogin(ID, { ...LOGIN, source: { expires } });
      const opened = tab();
      expect((await opened.tell(offer))[0]).toMatchObject([2, expect.any(Number), { authid: 'joe' }]);
      clock.advance(60_000);
      const message = 'the login has expired';
      expect(await opened.take()).toEqual([[6, { message }, 'crossbar.close.session_ended']]);
      expect((await tab().tell(offer))[0]).toMatchObject([2, expect.any(Number), { authid: 'derived' }]);
      expect(await remembered()).toBeUndefined();
    });
  });

  it('costs one write, and none with each visit by cookie or with the same login again', async () => {
    await joined(['name'], 'joe');
    expect(store.writes).toBe(1);
    for (let visit = 0; visit < 5; visit += 1) await joined();
    expect(store.writes).toBe(1);
    const before = await recordOf(store, ID);
    await joined(['name'], 'joe');
    expect(await recordOf(store, ID)).toBe(before);
  });

  it('stays when another method fails, and is replaced when one succeeds', async () => {
    await joined(['name'], 'joe');
    expect(await tab().tell(hello(['name'], 'wrong'))).toEqual(refusal('wamp.error.authentication_failed'));
    expect(await remembered()).toBe('joe');
    await joined(['name'], 'mary');
    expect(await remembered()).toBe('mary');
  });

  it('is dropped by a session that is anonymous though it could have been in by cookie', async () => {
    await joined(['name'], 'joe');
    await joined(['anonymous']);
    expect(await remembered()).toBeUndefined();
    expect(await recordOf(store, ID)).toBeDefined();
  });

  it('is stored before WELCOME, and refused when it cannot be; sessions that are there go on', async () => {
    const other = await joined(['anonymous']);
    store.isFull = true;
    const refused = tab();
    // Without ABORT: a disk that is full passes, and clients take ABORT for final.
    expect(await refused.tell(hello(['name'], 'joe'))).toEqual([]);
    expect(refused.closed?.cause).toBe('unavailable');
    expect(await other.tell([32, 1, {}, 'com.topic'])).toEqual([[33, 1, expect.any(Number)]]);
    store.isFull = false;
    await joined(['name'], 'joe');
  });

  it('is refused when the store cannot even be read', async () => {
    const late = tab();
    await store.close();
    expect(await late.tell(hello(['cookie']))).toEqual([]);
    expect(late.closed?.cause).toBe('unavailable');
  });

  it('is not remembered on a connection whose cookie was logged out, but counts', async () => {
    const late = tab();
    await liveCookies.logOut(ID);
    expect((await late.tell(hello(['name'], 'joe')))[0]?.[0]).toBe(2);
    expect(await store.get(ID)).toBeUndefined();
  });
});

describe('a logout', () => {
  it('forgets the cookie, answers, and ends the sessions of the other tabs', async () => {
    const [one, two, stranger] = [await joined(['name'], 'joe'), await joined(), await joined(['anonymous'])];
    expect(await one.tell(LOGOUT)).toEqual([ANSWER]);
    expect(await store.get(ID)).toBeUndefined();
    expect([await two.take(), two.closed?.cause]).toEqual([[GOODBYE], 'goodbye']);
    expect([await stranger.take(), stranger.closed?.cause]).toEqual([[GOODBYE], 'goodbye']);
    expect(router.size['realm1']?.sessions).toBe(0);
  });

  it('keeps a tab out that is connected and has not said HELLO', async () => {
    const [one, late] = [await joined(['name'], 'joe'), tab()];
    await one.tell(LOGOUT);
    expect(await late.tell(hello(['cookie']))).toEqual(refusal('wamp.error.no_auth_method'));
  });

  it('leaves the connection to another session, which is not let in by the cookie', async () => {
    const one = await joined(['name'], 'joe');
    await one.tell(LOGOUT);
    expect((await one.tell(hello(['name'], 'mary')))[0]).toMatchObject([2, expect.any(Number), { authid: 'mary' }]);
    expect(await one.tell(LOGOUT)).toEqual([ANSWER]);
    expect(await one.tell(hello(['cookie']))).toEqual(refusal('wamp.error.no_auth_method'));
  });

  it('catches a session that is on its way in', async () => {
    const [one, coming] = [await joined(['name'], 'joe'), tab()];
    coming.session.receive(parseMessage(hello(['cookie']), 3, NO_PAYLOAD));
    await one.tell(LOGOUT);
    const [answer] = await coming.take();
    // Either it was refused, or it was let in and ended at once: it is not there.
    expect(answer?.[0]).toBe(3);
    expect(router.size['realm1']?.sessions).toBe(0);
  });

  it('that cannot be stored is an ABORT; it holds all the same', async () => {
    const [one, two] = [await joined(['name'], 'joe'), await joined()];
    store.isFull = true;
    expect(await one.tell(LOGOUT)).toEqual(refusal('wamp.error.runtime_error'));
    expect(await two.take()).toEqual([GOODBYE]);
    expect(await tab().tell(hello(['cookie']))).toEqual(refusal('wamp.error.no_auth_method'));
    liveCookies.close();
  });

  it('is what a kill with its reason is', async () => {
    const [victim, sibling] = [await joined(['name'], 'joe'), await joined()];
    const operator = await joinedWithoutCookie();
    const kill = [48, 1, {}, 'wamp.session.kill', [victim.session.id, 'wamp.close.logout', 'out with you']];
    expect(await operator.tell(kill)).toEqual([[50, 1, {}]]);
    expect([await victim.take(), victim.closed?.cause]).toEqual([
      [[6, { message: 'out with you' }, 'wamp.close.logout']],
      'goodbye',
    ]);
    expect(await sibling.take()).toEqual([GOODBYE]);
    expect(await store.get(ID)).toBeUndefined();
  });

  it('is told to the one who kills when it could not be stored, also when the victim has gone', async () => {
    const victim = await joined(['name'], 'joe');
    const operator = await joinedWithoutCookie();
    store.isFull = true;
    const kill = [48, 1, {}, 'wamp.session.kill_all', ['wamp.close.logout']];
    operator.session.receive(parseMessage(kill.slice(0, 4), 5, payloadOf(kill[4] as unknown[])));
    victim.session.transportLost();
    expect(await operator.take()).toEqual([[8, 48, 1, {}, 'wamp.error.runtime_error', [expect.any(String)]]]);
    liveCookies.close();
  });
});

describe('a realm or role that changes while a login is stored', () => {
  /** A browser whose login is on its way to the store: it may enter, as things stood. */
  function entering(): Tab {
    const opened = tab();
    const message = hello(['name'], 'joe');
    opened.session.receive(parseMessage([...message], message.length, NO_PAYLOAD));
    expect(opened.sent).toEqual([]);
    return opened;
  }

  it('is looked up once more: a role that is gone lets nobody in', async () => {
    const opened = entering();
    router.realm('realm1')?.removeRole('anonymous');
    expect(await opened.take()).toEqual(refusal('wamp.error.no_such_role'));
    expect(opened.closed?.cause).toBe('denied');
    expect(router.size.realm1?.sessions).toBe(0);
  });

  it('is looked up once more: neither does a realm that is gone', async () => {
    const opened = entering();
    const old = router.realm('realm1');
    router.removeRealm('realm1');
    expect(await opened.take()).toEqual(refusal('wamp.error.no_such_realm'));
    expect(old?.size.sessions).toBe(0);
  });

  it('is joined as it is then, where another one has taken its place', async () => {
    const opened = entering();
    const old = router.realm('realm1');
    router.removeRealm('realm1');
    router.addRealm({ name: 'realm1', roles: [{ ...ALLOW_ALL, permissions: [] }] });
    expect((await opened.take()).map(([type]) => type)).toEqual([2]);
    expect([old?.size.sessions, router.size.realm1?.sessions]).toEqual([0, 1]);
    expect(await opened.tell([32, 1, {}, 'com.topic'])).toEqual([[33, 1, expect.any(Number)]]);
  });

  it('counts with the role of now, when that was removed and added', async () => {
    const opened = entering();
    router.realm('realm1')?.removeRole('anonymous');
    router.realm('realm1')?.addRole({ name: 'anonymous', permissions: [] });
    expect((await opened.take()).map(([type]) => type)).toEqual([2]);
    expect(opened.session.role).toBe(router.realm('realm1')?.role('anonymous'));
    const [answer] = await opened.tell([32, 1, {}, 'com.topic']);
    expect(answer?.slice(0, 5)).toEqual([8, 32, 1, {}, 'wamp.error.not_authorized']);
  });
});
