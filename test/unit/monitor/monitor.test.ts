/** `crossbar.monitor.*` on a realm: who may call them, what they tell, and what they do. */
import { beforeEach, describe, expect, it } from 'vitest';

import { RefusedLogins } from '../../../src/auth/refused/refused-logins.js';
import { cookieDigest } from '../../../src/cookie/digest.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { ManagedCookies } from '../../../src/cookie/management.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { Monitor } from '../../../src/monitor/monitor.js';
import { monitorProcedures } from '../../../src/monitor/procedures.js';
import { Realm } from '../../../src/router/realm.js';
import { cookieId, cookieRecord, CREATED, JOE, recordingLog } from '../../support/cookie-store.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';
import type { MonitorAction } from '../../../src/monitor/source.js';

/** How long ago the sessions joined, in seconds. */
const AGE_S = Math.max(1, (Date.parse(CREATED) - Date.parse('2026-01-01T00:00:00.000Z')) / 1000);

const ALL = { call: true, register: true, publish: true, subscribe: true };
const rule = (uri: string, match: 'prefix' | 'exact' | 'wildcard') => ({ uri, match, allow: ALL });
const ROLES = [
  { name: 'operator', permissions: [rule('crossbar.monitor.', 'prefix')] },
  { name: 'node', permissions: [rule('crossbar.', 'prefix')] },
  {
    name: 'admin',
    permissions: [
      rule('crossbar.monitor.', 'prefix'),
      rule('crossbar.monitor.session.', 'prefix'),
      rule('crossbar.monitor.cookie.logout', 'exact'),
    ],
  },
  { name: 'odd', permissions: [rule('crossbar.monitor..end', 'wildcard')] },
  { name: 'everything', permissions: [rule('', 'prefix')] },
  { name: 'open', 'allow-by-default': true },
] as const;
type RoleName = (typeof ROLES)[number]['name'];

let realm: Realm;
let refused: RefusedLogins;
let actions: MonitorAction[];
let lastSession: number;
let lastRequest: number;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  [actions, lastSession, lastRequest] = [[], 0, 0];
  recorded = recordingLog();
  const clock = (): number => Date.parse(CREATED);
  const store = new MemoryCookieStore();
  const liveCookies = new LiveCookies({ store, rules: LENIENT, clock, log: recorded.log });
  refused = new RefusedLogins(clock);
  const monitor = new Monitor({
    node: () => ({
      ...{ version: '1', pid: 1, title: 'node', started: CREATED, memory_bytes: 1, cpu_seconds: 1, transports: [] },
      config: { file: null, loaded: CREATED, pending: [] },
    }),
    clock,
    log: recorded.log,
    onAction: (action) => actions.push(action),
  });
  let lastId = 0;
  realm = new Realm(
    { name: 'realm1', roles: [...ROLES] },
    {
      ...{ randomId: () => ++lastId, nextRouterId: () => ++lastId, clock, scheduler: new FakeClock() },
      management: monitorProcedures(monitor, recorded.log),
    },
  );
  // The second worker has the same store.
  for (const worker of ['worker1', 'worker2']) {
    monitor.add({
      ...{ worker, cookies: new ManagedCookies(liveCookies), certificates: [] },
      refused: worker === 'worker1' ? refused : new RefusedLogins(clock),
      get inventories() {
        return worker === 'worker1' ? [realm.inventory] : [];
      },
    });
  }
  for (let n = 1; n <= 3; n += 1) await store.create(cookieRecord(cookieId(n)));
  await liveCookies.setLogin(cookieId(1), JOE);
  await liveCookies.setLogin(cookieId(2), JOE);
});

function sessionOf(roleName: RoleName): ScriptedSession {
  const role = realm.role(roleName);
  if (role === undefined) throw new Error('no such role');
  return new ScriptedSession(realm, ++lastSession, role);
}

/** What of answers is looked at one by one. */
interface Answer {
  readonly entries: readonly { readonly session: number; readonly authid: string }[];
  readonly total: number;
  readonly next: unknown;
}

/** @returns the result, or the URI of the error. */
async function call(session: ScriptedSession, name: string, kwargs: object = {}, args: unknown[] = []) {
  session.heard();
  session.tell(48, ++lastRequest, {}, `crossbar.monitor.${name}`, args, kwargs);
  for (;;) {
    const answer = session.heard().find(([type]) => type === 50 || type === 8);
    if (answer !== undefined) {
      return (answer[0] === 50 ? (answer[3] as unknown[])[0] : answer[4]) as Answer;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const LOOKS = ['summary', 'sessions', 'topics', 'procedures', 'refusals', 'cookies', 'certificates'];

describe('the procedures', () => {
  it.each(LOOKS)('%s is for roles with a rule that names it', async (name) => {
    for (const role of ['operator', 'node', 'admin'] as const) {
      expect(await call(sessionOf(role), name)).toBeInstanceOf(Object);
    }
    for (const role of ['odd', 'everything', 'open'] as const) {
      expect(await call(sessionOf(role), name), role).toBe('wamp.error.not_authorized');
    }
  });

  it('that do something need a rule of their own', async () => {
    const victim = sessionOf('open');
    const target = { session: victim.id };
    for (const role of ['operator', 'node', 'odd', 'everything', 'open'] as const) {
      expect(await call(sessionOf(role), 'session.end', target), role).toBe('wamp.error.not_authorized');
      const digest = cookieDigest(cookieId(3));
      expect(await call(sessionOf(role), 'cookie.logout', { digest }), role).toBe('wamp.error.not_authorized');
    }
    expect(actions).toEqual([]);
    expect(await call(sessionOf('operator'), 'summary')).toMatchObject({
      may: { end_sessions: false, log_out: false },
    });
    const admin = sessionOf('admin');
    expect(await call(admin, 'summary')).toMatchObject({ may: { end_sessions: true, log_out: true } });
    expect(await call(admin, 'session.end', target)).toEqual({ sessions: 1, cookies: 0 });
    expect(victim.heard()).toEqual([[6, {}, 'wamp.close.killed']]);
    expect(await call(admin, 'session.end', target)).toBe('wamp.error.no_such_session');
    expect(actions).toEqual([
      {
        ...{ action: 'session.end', sessions: 1, cookies: 0 },
        by: { session: admin.id, realm: 'realm1', authid: admin.authid },
        target: { worker: 'worker1', realm: 'realm1', session: victim.id, authid: victim.authid },
      },
    ]);
  });

  it('tell of the node, its realms, and how many logins were refused', async () => {
    refused.add({ realm: 'realm1', authid: 'eve' }, { peer: '192.0.2.9:1', liveCookie: undefined }, { reason: 'a.b' });
    const operator = sessionOf('operator');
    sessionOf('open').tell(32, 1, {}, 'com.example');
    expect(await call(operator, 'summary')).toMatchObject({
      ...{ now: CREATED, node: { version: '1' }, refused: 1 },
      realms: [{ worker: 'worker1', realm: 'realm1', sessions: 2, subscriptions: 1, registrations: 0 }],
    });
    expect(await call(operator, 'refusals')).toEqual({
      total: 1,
      entries: [
        {
          ...{ worker: 'worker1', at: CREATED, realm: 'realm1', authid: 'eve', authmethods: [] },
          ...{ peer: '192.0.2.9:1', reason: 'a.b' },
        },
      ],
    });
  });

  it('list sessions by pages, in an order, and find them', async () => {
    const operator = sessionOf('operator');
    const others = Array.from({ length: 150 }, () => sessionOf('open'));
    others[7]?.tell(32, 1, {}, 'com.example.a').tell(32, 2, {}, 'com.example.b');
    const first = await call(operator, 'sessions', { sort: 'subscriptions' });
    expect([first.entries.length, first.total]).toEqual([100, 151]);
    expect(first.entries[0]).toMatchObject({ session: others[7]?.id, subscriptions: 2, cookie: null });
    const second = await call(operator, 'sessions', { sort: 'subscriptions', after: first.next });
    expect([second.entries.length, second.next]).toEqual([51, null]);
    const ids = [first, second].flatMap(({ entries }) => entries.map(({ session }) => session));
    expect(new Set(ids).size).toBe(151);
    const found = await call(operator, 'sessions', { search: 'AUTHID77' });
    expect(found.entries.map(({ authid }) => authid)).toEqual(['authid77']);
    expect((await call(operator, 'sessions', { slow: true })).total).toBe(0);
    expect((await call(operator, 'sessions', { realm: 'none' })).total).toBe(0);
  });

  it('list what is used most now', async () => {
    const [operator, busy, quiet] = [sessionOf('operator'), sessionOf('open'), sessionOf('open')];
    quiet.tell(32, 1, {}, 'com.example.quiet').tell(64, 2, {}, 'com.example.add');
    quiet.tell(32, 3, {}, 'com.example.news').tell(64, 4, {}, 'com.example.sub');
    const asked = { sort: 'received_rate', realm: 'realm1' };
    // Until there is another look to compare with, everything has the rate of its whole life.
    expect((await call(operator, 'sessions', asked)).entries[0]).toMatchObject({ session: quiet.id });
    for (let request = 1; request <= 6; request++) busy.tell(16, request, {}, 'com.example.news', [], {});
    busy.tell(48, 7, {}, 'com.example.sub');
    const found = await call(operator, 'sessions', { ...asked, search: busy.authid });
    expect(found.entries).toMatchObject([{ session: busy.id, received_rate: expect.closeTo(7 / AGE_S, 12) as number }]);
    const messages = await call(operator, 'sessions', { sort: 'messages_rate', limit: 1 });
    // Four of its own, their answers, six events and an invocation.
    expect(messages.entries).toMatchObject([
      { session: quiet.id, messages_rate: expect.closeTo(15 / AGE_S, 12) as number },
    ]);
    expect((await call(operator, 'topics', { sort: 'publications_rate' })).entries).toMatchObject([
      { uri: 'com.example.news', publications_rate: 6 },
      { uri: 'com.example.quiet', publications_rate: 0 },
    ]);
    const [first] = (await call(operator, 'procedures', { sort: 'calls_rate' })).entries;
    expect(first).toMatchObject({ uri: 'com.example.sub', calls_rate: 1 });
    expect((await call(operator, 'sessions')).entries[0]).not.toHaveProperty('received_rate');
  });

  it('list topics and procedures with how much they are used', async () => {
    const [operator, other] = [sessionOf('operator'), sessionOf('open')];
    other.tell(32, 1, {}, 'com.example.quiet').tell(32, 2, {}, 'com.example.news').tell(64, 3, {}, 'com.example.add');
    other.tell(16, 4, {}, 'com.example.news').tell(48, 5, {}, 'com.example.add');
    const topics = await call(operator, 'topics');
    expect(topics.entries).toMatchObject([
      { uri: 'com.example.news', publications: 1, subscribers: 1 },
      { uri: 'com.example.quiet', publications: 0 },
    ]);
    expect((await call(operator, 'topics', { search: 'quiet', sort: 'uri' })).total).toBe(1);
    expect((await call(operator, 'procedures')).entries).toMatchObject([
      { uri: 'com.example.add', calls: 1, calls_in_flight: 1, callees: 1 },
    ]);
  });

  it.each([
    ['sessions', { sort: 'beauty' }],
    ['sessions', { sort: 'constructor' }],
    ['sessions', { limit: 101 }],
    ['sessions', { limit: 0 }],
    ['sessions', { after: 7 }],
    ['sessions', { after: [1, 2] }],
    ['sessions', { slow: 'yes' }],
    ['sessions', { authid: 'joe' }],
    ['topics', { slow: true }],
    ['summary', { realm: 'realm1' }],
    ['cookies', { offset: -1 }],
    ['session.end', {}],
    ['session.end', { session: 'all' }],
    ['cookie.logout', {}],
    ['cookie.logout', { authid: 'joe' }],
    ['cookie.logout', { digest: 'x', authid: 'joe', realm: 'realm1' }],
  ])('%s do not guess what %j means', async (name, kwargs) => {
    expect(await call(sessionOf('admin'), name, kwargs)).toBe('wamp.error.invalid_argument');
  });

  it('end no session for a reason that is no URI', async () => {
    const victim = sessionOf('open');
    const asked = { session: victim.id, reason: 'no uri' };
    expect(await call(sessionOf('admin'), 'session.end', asked)).toBe('wamp.error.invalid_uri');
    expect(realm.hasSession(victim.id)).toBe(true);
  });
});

describe('cookies', () => {
  it('are listed by their digests, once for all workers', async () => {
    const listed = await call(sessionOf('operator'), 'cookies', { limit: 2 });
    expect([listed.entries.length, listed.total]).toEqual([2, 3]);
    const ofJoe = await call(sessionOf('operator'), 'cookies', { authid: 'joe' });
    expect(ofJoe.entries).toMatchObject([
      { digest: cookieDigest(cookieId(1)), authid: 'joe' },
      { digest: cookieDigest(cookieId(2)), authid: 'joe' },
    ]);
    expect(JSON.stringify([listed, ofJoe])).not.toContain(cookieId(1));
  });

  it('log a browser out, or a user everywhere', async () => {
    const admin = sessionOf('admin');
    const digest = cookieDigest(cookieId(3));
    expect(await call(admin, 'cookie.logout', { digest })).toEqual({ sessions: 0, cookies: 1 });
    expect(await call(admin, 'cookie.logout', { digest })).toBe('crossbar.error.no_such_cookie');
    expect(await call(admin, 'cookie.logout', { authid: 'joe', realm: 'other' })).toBe('wamp.error.no_such_session');
    const everywhere = await call(admin, 'cookie.logout', { authid: 'joe', realm: JOE.authrealm });
    expect(everywhere).toEqual({ sessions: 0, cookies: 2 });
    const session = sessionOf('open');
    const asked = { authid: session.authid, realm: 'realm1' };
    expect(await call(admin, 'cookie.logout', asked)).toEqual({ sessions: 1, cookies: 0 });
    expect(session.heard()).toEqual([[6, { message: 'logged out by the operator' }, 'wamp.close.logout']]);
    expect(actions.map(({ action }) => action)).toEqual(['cookie.logout', 'cookie.logout', 'cookie.logout']);
  });
});
