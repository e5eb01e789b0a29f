/** `crossbar.cookie.*` on a realm: who may call them, and what they tell and do. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { cookieDigest } from '../../../src/cookie/digest.js';
import { ManagedCookies } from '../../../src/cookie/management.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { CookieStoreError } from '../../../src/cookie/error.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { Realm } from '../../../src/router/realm.js';
import { cookieProcedures } from '../../../src/session/cookie-procedures.js';
import { cookieId, cookieRecord, CREATED, JOE, recordingLog } from '../../support/cookie-store.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';

const CALL = { call: true, register: true, publish: true, subscribe: true };
const ROLES = [
  { name: 'operator', permissions: [{ uri: 'crossbar.', match: 'prefix', allow: CALL }] },
  { name: 'reader', permissions: [{ uri: 'crossbar.cookie.list', match: 'exact', allow: CALL }] },
  { name: 'everything', permissions: [{ uri: '', match: 'prefix', allow: CALL }] },
  { name: 'wildcard', permissions: [{ uri: '..', match: 'wildcard', allow: CALL }] },
  { name: 'open', 'allow-by-default': true },
  { name: 'denied', permissions: [{ uri: 'crossbar.', match: 'prefix', allow: { call: false } }] },
] as const;

let store: MemoryCookieStore;
let liveCookies: LiveCookies;
let realm: Realm;
let lastSession: number;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  recorded = recordingLog();
  store = new MemoryCookieStore();
  liveCookies = new LiveCookies({ store, rules: LENIENT, clock: () => Date.parse(CREATED), log: recorded.log });
  lastSession = 0;
  let lastId = 0;
  realm = new Realm(
    { name: 'realm1', roles: [...ROLES] },
    {
      randomId: () => ++lastId,
      nextRouterId: () => ++lastId,
      clock: () => Date.parse(CREATED),
      scheduler: new FakeClock(),
      management: cookieProcedures(new ManagedCookies(liveCookies), recorded.log),
    },
  );
  for (let n = 1; n <= 3; n += 1) await store.create(cookieRecord(cookieId(n)));
  await liveCookies.setLogin(cookieId(1), JOE);
  await liveCookies.setLogin(cookieId(2), JOE);
});

function sessionOf(roleName: (typeof ROLES)[number]['name']): ScriptedSession {
  const role = realm.role(roleName);
  if (role === undefined) throw new Error('no such role');
  return new ScriptedSession(realm, ++lastSession, role);
}

/** @returns the result, or the URI of the error. */
async function call(session: ScriptedSession, name: string, ...args: unknown[]): Promise<unknown> {
  session.tell(48, 1, {}, `crossbar.cookie.${name}`, args);
  await new Promise((resolve) => setImmediate(resolve));
  const [answer] = session.heard();
  return answer?.[0] === 50 ? (answer[3] as unknown[])[0] : answer?.[4];
}

const digest = (n: number): string => cookieDigest(cookieId(n));

describe('the procedures', () => {
  it('are for roles with a rule that names them', async () => {
    expect(await call(sessionOf('operator'), 'count')).toBe(3);
    expect(await call(sessionOf('reader'), 'list')).toHaveLength(3);
    expect(await call(sessionOf('reader'), 'count')).toBe('wamp.error.not_authorized');
    for (const role of ['everything', 'wildcard', 'open', 'denied'] as const) {
      expect(await call(sessionOf(role), 'count'), role).toBe('wamp.error.not_authorized');
    }
  });

  it('can be registered by nobody, and no pattern goes before them', async () => {
    const callee = sessionOf('open');
    callee.tell(64, 1, {}, 'crossbar.cookie.count');
    expect(callee.heard()).toMatchObject(
      [[8, 64, 1, {}, 'wamp.error.invalid_uri']].map((row) => expect.arrayContaining(row)),
    );
    callee.tell(64, 2, { match: 'prefix' }, 'crossbar.cookie.');
    expect(callee.heard()[0]?.[0]).toBe(65);
    expect(await call(sessionOf('operator'), 'count')).toBe(3);
    expect(callee.heard()).toEqual([]);
  });

  it('leave the rest below crossbar. to the applications', () => {
    const callee = sessionOf('open');
    callee.tell(64, 1, {}, 'crossbar.example');
    expect(callee.heard()[0]?.[0]).toBe(65);
  });

  it.each([
    ['list', ['joe', 1001]],
    ['list', ['joe', -1]],
    ['list', [7]],
    ['get', []],
    ['revoke', [7]],
    ['revoke_by_authid', []],
  ])('%s takes %j for a mistake', async (name, args) => {
    expect(await call(sessionOf('operator'), name, ...args)).toBe('wamp.error.invalid_argument');
  });
});

describe('a cookie', () => {
  it('is shown by its digest, with login and sessions', async () => {
    const liveCookie = liveCookies.enter(cookieRecord(cookieId(1)), { authid: 'x', isCookieId: false });
    liveCookie.joined({ id: 77, dismiss: () => undefined });
    const operator = sessionOf('operator');
    const expected = {
      digest: digest(1),
      created: CREATED,
      expires: '2026-11-27T22:25:02.621Z',
      authid: 'joe',
      authrole: 'frontend',
      authmethod: 'wampcra',
      authrealm: 'realm1',
      sessions: [77],
    };
    expect(await call(operator, 'get', digest(1))).toEqual(expected);
    const all = await call(operator, 'list');
    expect(all).toContainEqual(expected);
    expect(all).toContainEqual(expect.objectContaining({ digest: digest(3), authid: null, sessions: [] }));
    for (let n = 1; n <= 3; n += 1) expect(JSON.stringify(all)).not.toContain(cookieId(n));
  });

  it('is counted and listed by user, and in pages', async () => {
    const operator = sessionOf('operator');
    expect(await call(operator, 'count', 'joe')).toBe(2);
    expect(await call(operator, 'list', 'joe')).toHaveLength(2);
    expect(await call(operator, 'list', 'mary')).toEqual([]);
    const pages = [await call(operator, 'list', null, 2), await call(operator, 'list', null, 2, 2)] as object[][];
    expect(pages.map((page) => page.length)).toEqual([2, 1]);
    expect(pages.flat()).toEqual(await call(operator, 'list'));
  });

  it('is revoked, and its sessions end', async () => {
    const ended: string[] = [];
    const liveCookie = liveCookies.enter(cookieRecord(cookieId(1)), { authid: 'x', isCookieId: false });
    liveCookie.joined({ id: 77, dismiss: (reason) => ended.push(reason) });
    const operator = sessionOf('operator');
    expect(await call(operator, 'revoke', digest(1))).toBe(true);
    expect(ended).toEqual(['wamp.close.logout']);
    expect(await store.get(cookieId(1))).toBeUndefined();
    expect(await call(operator, 'revoke', digest(1))).toBe('crossbar.error.no_such_cookie');
    expect(await call(operator, 'get', digest(1))).toBe('crossbar.error.no_such_cookie');
  });

  it('is revoked with all others of a user', async () => {
    const operator = sessionOf('operator');
    expect(await call(operator, 'revoke_by_authid', 'joe')).toBe(2);
    expect(await call(operator, 'count')).toBe(1);
    expect(await call(operator, 'revoke_by_authid', 'joe')).toBe(0);
  });

  it('is revoked although the store fails, which is told', async () => {
    vi.spyOn(store, 'delete').mockRejectedValue(new CookieStoreError('disk full'));
    const operator = sessionOf('operator');
    expect(await call(operator, 'revoke', digest(1))).toBe('wamp.error.unavailable');
    expect(await call(operator, 'count')).toBe(2);
    liveCookies.close();
  });
});
