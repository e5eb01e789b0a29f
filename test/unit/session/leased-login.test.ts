/** Logins that belong to somebody else: the cookie does not remember them, and the session ends with them. */
import { beforeEach, expect, it } from 'vitest';
import { leaseUntil } from '../../../src/auth/lease.js';
import type { LeasedSession } from '../../../src/auth/lease.js';
import type { AuthMethod, ClientInfo } from '../../../src/auth/method.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { Session } from '../../../src/session/session.js';
import { clientInfo } from '../../support/client.js';
import { CREATED, cookieId, cookieRecord, recordOf } from '../../support/cookie-store.js';
import { ALLOW_ALL, FakeClock } from '../../support/realm.js';
import { Tab } from '../../support/tab.js';

const ID = cookieId(1);
const END = { reason: 'crossbar.close.session_ended', message: 'the login has expired' };
const GOODBYE = [6, { message: END.message }, END.reason];

let clock: FakeClock;
let router: Router;
let store: MemoryCookieStore;
let client: ClientInfo;
/** The sessions whose lease has begun, and how many have let go of it. */
let leased: LeasedSession[];
let released: number;

beforeEach(async () => {
  clock = new FakeClock();
  let lastId = 0;
  router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], {
    randomId: () => ++lastId,
    clock: () => clock.now,
    scheduler: clock,
  });
  store = new MemoryCookieStore();
  await store.create(cookieRecord(ID));
  const liveCookies = new LiveCookies({
    store,
    rules: LENIENT,
    clock: () => Date.parse(CREATED),
    log: silentLogger(),
  });
  client = clientInfo({ liveCookie: liveCookies.enter(cookieRecord(ID), { authid: 'derived', isCookieId: false }) });
  leased = [];
  released = 0;
});

/** A method whose logins last `ms`. */
function lending(ms: number): AuthMethod {
  const times = { clock: () => clock.now, after: clock.after.bind(clock) };
  return {
    start: ({ realm }) => {
      const lease = leaseUntil({ untilMs: clock.now + ms, ...END }, times);
      return {
        type: 'accept',
        principal: { realm, authid: 'joe', authrole: 'anonymous', authmethod: 'lent', authprovider: 'test' },
        lease: {
          begin: (session) => {
            leased.push(session);
            const end = lease.begin(session);
            return () => {
              released += 1;
              end();
            };
          },
        },
      };
    },
  };
}

function tab(ms = 60_000): Tab {
  const deps = { router, authMethods: new Map([['lent', lending(ms)]]), log: silentLogger() };
  return new Tab(client, (transport) => new Session(transport, deps));
}

async function joined(ms?: number): Promise<Tab> {
  const opened = tab(ms);
  expect((await opened.tell([1, 'realm1', { roles: { caller: {} }, authmethods: ['lent'] }]))[0]?.[0]).toBe(2);
  return opened;
}

it('is not remembered by the cookie', async () => {
  await joined();
  expect((await recordOf(store, ID))?.auth).toBeNull();
});

it('ends its session with a GOODBYE, and its connection', async () => {
  const opened = await joined();
  clock.advance(59_999);
  expect([await opened.take(), opened.closed]).toEqual([[], undefined]);
  clock.advance(1);
  expect([await opened.take(), opened.closed?.cause]).toEqual([[GOODBYE], 'goodbye']);
  expect([released, clock.waiting]).toEqual([1, 0]);
});

it('ends a session at once whose time is over when it gets its WELCOME', async () => {
  const opened = tab(-1);
  await opened.tell([1, 'realm1', { roles: { caller: {} }, authmethods: ['lent'] }]);
  clock.advance(0);
  expect((await opened.take()).at(-1)).toEqual(GOODBYE);
});

it.each<[string, (opened: Tab) => unknown]>([
  ['the client says GOODBYE', (opened) => opened.tell([6, {}, 'wamp.close.close_realm'])],
  ['the transport is gone', (opened) => opened.session.transportLost()],
  ['the session is killed', (opened) => opened.session.kill('wamp.close.killed')],
  ['the node stops', (opened) => opened.session.shutdown(true)],
  ['the session breaks the protocol', (opened) => opened.session.fail(new TypeError('a fault of the test'))],
])('is let go of when %s, once', async (_what, end) => {
  const opened = await joined();
  await end(opened);
  expect([released, clock.waiting]).toEqual([1, 0]);
  await opened.take();
  leased[0]?.dismiss(END.reason, END.message);
  expect([await opened.take(), released]).toEqual([[], 1]);
});

it('waits longer than a timer of Node.js can', async () => {
  const year = 366 * 86_400_000;
  const opened = await joined(year);
  clock.advance(year - 1);
  expect(await opened.take()).toEqual([]);
  clock.advance(1);
  expect(await opened.take()).toEqual([GOODBYE]);
});
