import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const CALL = 48;
const text = expect.any(String) as string;
const error = (request: number, uri: string) => [8, CALL, request, {}, uri, [text]];

/** Calls a meta procedure and returns the one answer. */
function call(session: ScriptedSession, procedure: string, args: unknown[] = [], kwargs?: Record<string, unknown>) {
  const [answer, ...more] = session.tell(CALL, 1, {}, `wamp.session.${procedure}`, args, kwargs).heard();
  expect(more).toEqual([]);
  return answer;
}

/** A session that hears of sessions that come and go. */
function watcher(session: () => ScriptedSession): ScriptedSession {
  const watching = session().tell(32, 1, {}, 'wamp.session.on_join').tell(32, 2, {}, 'wamp.session.on_leave');
  watching.heard();
  return watching;
}

describe('wamp.session.count and list', () => {
  it('know every session of the realm, the own one too', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    expect(call(a, 'count')).toEqual([50, 1, {}, [2]]);
    expect(call(a, 'list')).toEqual([50, 1, {}, [[1, 2]]]);
    b.leave();
    expect(call(a, 'count')).toEqual([50, 1, {}, [1]]);
    expect(call(a, 'list')).toEqual([50, 1, {}, [[1]]]);
  });

  it.each([
    [['anonymous'], 2],
    [['anonymous', 'admin'], 2],
    [['admin'], 0],
    [[], 0],
    [null, 2],
  ])('of the roles %j there are %i', (roles, count) => {
    const { session } = testRealm();
    const [a] = [session(), session()];
    expect(call(a, 'count', [roles])).toEqual([50, 1, {}, [count]]);
    expect(call(a, 'count', [], { filter_authroles: roles })).toEqual([50, 1, {}, [count]]);
    expect(call(a, 'list', [roles])).toEqual([50, 1, {}, [[1, 2].slice(0, count)]]);
  });
});

describe('wamp.session.get', () => {
  it('shows who a session is', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const details = {
      session: 2,
      realm: 'realm1',
      authid: 'authid2',
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      transport: { peer: '192.0.2.1:2' },
    };
    expect(call(a, 'get', [b.id])).toEqual([50, 1, {}, [details]]);
    expect(call(a, 'get', [], { session: b.id })).toEqual([50, 1, {}, [details]]);
    expect(call(a, 'get', [a.id])).toMatchObject([50, 1, {}, [{ session: 1 }]]);
  });

  it('knows nothing of a session that is not there, or no longer', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.leave();
    for (const id of [b.id, 123, 0, -1]) expect(call(a, 'get', [id])).toEqual(error(1, 'wamp.error.no_such_session'));
  });
});

describe('wrong arguments of the session procedures', () => {
  it.each<[string, unknown[], Record<string, unknown>?]>([
    ['count', ['anonymous']],
    ['count', [[1]]],
    ['count', [[], []]],
    ['list', [{}]],
    ['get', []],
    ['get', ['2']],
    ['get', [1.5]],
    ['get', [null]],
    ['get', [2, 3]],
    ['kill', []],
    ['kill', ['2']],
    ['kill', [2], { reason: 1 }],
    ['kill', [2], { message: {} }],
    ['kill', [2, 'com.bye', 'bye', 1]],
    ['kill_by_authid', []],
    ['kill_by_authid', [2]],
    ['kill_by_authrole', [['anonymous']]],
    ['kill_all', [2]],
  ])('%s %j %j is answered with invalid_argument and changes nothing', (procedure, args, kwargs) => {
    const { session, realm } = testRealm();
    const [a, b] = [session(), session()];
    expect(call(a, procedure, args, kwargs)).toEqual(error(1, 'wamp.error.invalid_argument'));
    expect(b.heard()).toEqual([]);
    expect(realm.size.sessions).toBe(2);
  });

  it('say what is wrong', () => {
    const { session } = testRealm();
    const a = session();
    expect(call(a, 'get')?.[5]).toEqual(['wamp.session.get: argument "session" is missing']);
    expect(call(a, 'get', ['x'])?.[5]).toEqual(['wamp.session.get: "session" must be an id (an integer)']);
    expect(call(a, 'get', [1, 2])?.[5]).toEqual(['wamp.session.get: got 2 arguments, expected at most 1']);
  });
});

describe('wamp.session.kill', () => {
  it('ends a session with the reason and the message of the caller', () => {
    const { session, realm } = testRealm();
    const [a, b] = [session(), session()];
    expect(call(a, 'kill', [b.id], { reason: 'com.example.bye', message: 'go' })).toEqual([50, 1, {}]);
    expect(b.heard()).toEqual([[6, { message: 'go' }, 'com.example.bye']]);
    expect(realm.hasSession(b.id)).toBe(false);
  });

  it('has a reason of its own when the caller has none', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    call(a, 'kill', [b.id]);
    expect(b.heard()).toEqual([[6, {}, 'wamp.close.killed']]);
  });

  it('takes the session out of all routing at once', () => {
    const { session, realm } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(32, 1, {}, 'com.topic').tell(64, 2, {}, 'com.procedure').heard();
    call(a, 'kill', [b.id]);
    b.heard();
    a.tell(16, 2, { acknowledge: true }, 'com.topic').tell(48, 3, {}, 'com.procedure');
    expect(a.heard()).toMatchObject([[17, 2, expect.any(Number)], error(3, 'wamp.error.no_such_procedure')]);
    expect(b.heard()).toEqual([]);
    a.leave();
    expect(Object.values(realm.size).every((count) => count === 0)).toBe(true);
  });

  it('does not end the own session, nor one that is not there', () => {
    const { session, realm } = testRealm();
    const a = session();
    for (const id of [a.id, 123]) expect(call(a, 'kill', [id])).toEqual(error(1, 'wamp.error.no_such_session'));
    expect(realm.size.sessions).toBe(1);
  });

  it.each(['kill', 'kill_by_authid', 'kill_by_authrole', 'kill_all'])('%s refuses a reason that is no URI', (kill) => {
    const { session, realm } = testRealm();
    const [a, b] = [session(), session()];
    const args = { kill: [b.id], kill_by_authid: [b.authid], kill_by_authrole: [b.authrole] }[kill] ?? [];
    for (const reason of ['no uri', '', '.a']) {
      expect(call(a, kill, args, { reason })).toEqual(error(1, 'wamp.error.invalid_uri'));
    }
    expect(realm.size.sessions).toBe(2);
  });
});

describe('killing many', () => {
  it('kill_by_authid tells which sessions it ended', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    expect(call(a, 'kill_by_authid', [b.authid], { reason: 'com.bye' })).toEqual([50, 1, {}, [[b.id]]]);
    expect(b.heard()).toEqual([[6, {}, 'com.bye']]);
    expect(c.heard()).toEqual([]);
    expect(call(a, 'kill_by_authid', [a.authid])).toEqual([50, 1, {}, [[]]]);
    expect(call(a, 'kill_by_authid', ['nobody'])).toEqual([50, 1, {}, [[]]]);
  });

  it('kill_by_authrole and kill_all count them, and spare the caller', () => {
    for (const [kill, args] of [
      ['kill_by_authrole', ['anonymous']],
      ['kill_all', []],
    ] as const) {
      const { session, realm } = testRealm();
      const [a, b, c] = [session(), session(), session()];
      expect(call(a, kill, [...args], { message: 'all out' })).toEqual([50, 1, {}, [2]]);
      for (const killed of [b, c]) expect(killed.heard()).toEqual([[6, { message: 'all out' }, 'wamp.close.killed']]);
      expect(realm.size.sessions).toBe(1);
      expect(call(a, kill, [...args])).toEqual([50, 1, {}, [0]]);
    }
  });

  it('kill_all raises no meta events, the others do', () => {
    const { session } = testRealm();
    const watching = watcher(session);
    session();
    watching.heard();
    expect(call(watching, 'kill_all')).toEqual([50, 1, {}, [1]]);
    session();
    expect(watching.heard()).toMatchObject([[36, 1, expect.any(Number), {}, [{ session: 3 }]]]);
    watching.tell(48, 1, {}, 'wamp.session.kill_by_authrole', ['anonymous']);
    expect(watching.heard()).toMatchObject([
      [36, 2, expect.any(Number), {}, [3, 'authid3', 'anonymous']],
      [50, 1, {}, [1]],
    ]);
  });
});

describe('wamp.session.on_join and on_leave', () => {
  it('tell who came and who went, each once', () => {
    const { session } = testRealm();
    const watching = watcher(session);
    const b = session();
    expect(watching.heard()).toEqual([[36, 1, expect.any(Number), {}, [b.details]]]);
    b.leave();
    b.leave();
    expect(watching.heard()).toEqual([[36, 2, expect.any(Number), {}, [2, 'authid2', 'anonymous']]]);
  });

  it('are told of a killed session before the caller has its result', () => {
    const { session } = testRealm();
    const watching = watcher(session);
    const b = session();
    watching.heard();
    watching.tell(48, 1, {}, 'wamp.session.kill', [b.id]);
    expect(watching.heard().map(([type]) => type)).toEqual([36, 50]);
  });

  it('are not sent to the session that they are about', () => {
    const { session } = testRealm();
    const watching = watcher(session);
    watching.leave();
    expect(watching.heard()).toEqual([]);
  });

  it('stay in their realm', () => {
    const here = testRealm();
    const there = testRealm();
    const watching = watcher(here.session);
    there.session().leave();
    expect(watching.heard()).toEqual([]);
  });

  it('cost nothing when nobody wants to know', () => {
    const { session, realm } = testRealm();
    const a = session();
    let asked = 0;
    const silent = {
      id: 99,
      authid: 'x',
      authrole: 'anonymous',
      role: a.role,
      keptBytes: 0,
      get details() {
        asked++;
        return a.details;
      },
      status: a.status,
      announced: () => false,
      kill: () => undefined,
      send: () => undefined,
    };
    realm.join(silent);
    realm.leave(silent);
    expect(asked).toBe(0);
  });

  it('cannot be published by a client', () => {
    const { session } = testRealm();
    const [watching, b] = [watcher(session), session()];
    watching.heard();
    b.tell(16, 1, { acknowledge: true }, 'wamp.session.on_leave', [1]);
    expect(b.heard()).toEqual([[8, 16, 1, {}, 'wamp.error.invalid_uri', [text]]]);
    expect(watching.heard()).toEqual([]);
  });
});

describe('the meta API', () => {
  it('is subject to the permissions of the caller', () => {
    const allow = { call: true, register: false, publish: false, subscribe: false };
    const { session } = testRealm({
      name: 'anonymous',
      permissions: [{ uri: 'wamp.session.c', match: 'prefix', allow }],
    });
    const [a, b] = [session(), session()];
    expect(call(a, 'count')).toEqual([50, 1, {}, [2]]);
    expect(call(a, 'kill', [b.id])).toEqual(error(1, 'wamp.error.not_authorized'));
    a.tell(32, 2, {}, 'wamp.session.on_join');
    expect(a.heard()).toEqual([[8, 32, 2, {}, 'wamp.error.not_authorized', [text]]]);
  });

  it('is announced where it is on', () => {
    const { broker, dealer } = testRealm().realm.announcement;
    expect(broker?.features).toMatchObject({ session_meta_api: true });
    expect(dealer?.features).toMatchObject({ session_meta_api: true });
  });

  it('can be switched off: no procedures, no events, no announcement', () => {
    const { session, realm } = testRealm(undefined, undefined, false);
    const watching = watcher(session);
    expect(call(watching, 'count')).toEqual(error(1, 'wamp.error.no_such_procedure'));
    session().leave();
    expect(watching.heard()).toEqual([]);
    expect(
      Object.keys({ ...realm.announcement.broker?.features, ...realm.announcement.dealer?.features }),
    ).not.toContain('session_meta_api');
  });

  it('has no procedure of another name', () => {
    const { session } = testRealm();
    expect(call(session(), 'nothing')).toEqual(error(1, 'wamp.error.no_such_procedure'));
  });
});
