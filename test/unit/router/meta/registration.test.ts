import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const text = expect.any(String) as string;
const error = (uri: string) => [8, 48, 1, {}, uri, [text]];
const result = (...args: unknown[]) => [50, 1, {}, ...(args.length === 0 ? [] : [args])];
const created = '2026-01-01T00:00:00.000Z';

/** Calls a meta procedure and returns the one answer. */
function call(session: ScriptedSession, procedure: string, args: unknown[] = [], kwargs?: Record<string, unknown>) {
  const [answer, ...more] = session.tell(48, 1, {}, `wamp.registration.${procedure}`, args, kwargs).heard();
  expect(more).toEqual([]);
  return answer;
}

function register(session: ScriptedSession, procedure: string, options = {}): number {
  const [[, , id] = []] = session.tell(64, 1, options, procedure).heard();
  return id as number;
}

/** A session that is subscribed to the four meta events, and what it heard by name: `[event, ...args]`. */
function watcher(session: ScriptedSession) {
  const names = new Map<unknown, string>();
  for (const name of ['on_create', 'on_register', 'on_unregister', 'on_delete']) {
    const [[, , id] = []] = session.tell(32, 1, {}, `wamp.registration.${name}`).heard();
    names.set(id, name);
  }
  return () => session.heard().map((event) => [names.get(event[1]), ...(event[4] as unknown[])]);
}

describe('the registration procedures', () => {
  it('list the registrations by match policy', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    expect(call(a, 'list')).toEqual(result({ exact: [], prefix: [], wildcard: [] }));
    const exact = register(a, 'com.procedure');
    const prefix = register(b, 'com.', { match: 'prefix' });
    const wildcard = register(b, 'com..x', { match: 'wildcard' });
    expect(call(a, 'list')).toEqual(result({ exact: [exact], prefix: [prefix], wildcard: [wildcard] }));
  });

  it('look one up by its URI and match policy', () => {
    const { session } = testRealm();
    const a = session();
    const exact = register(a, 'com.procedure');
    const prefix = register(a, 'com.procedure', { match: 'prefix' });
    expect(call(a, 'lookup', ['com.procedure'])).toEqual(result(exact));
    expect(call(a, 'lookup', ['com.procedure', { match: 'prefix' }])).toEqual(result(prefix));
    expect(call(a, 'lookup', ['com.procedure', { match: 'wildcard' }])).toEqual(result(null));
    expect(call(a, 'lookup', ['com.procedure.more'])).toEqual(result(null));
  });

  it('name the one that a call would go to', () => {
    const { session } = testRealm();
    const a = session();
    const exact = register(a, 'com.procedure');
    const prefix = register(a, 'com.', { match: 'prefix' });
    expect(call(a, 'match', ['com.procedure'])).toEqual(result(exact));
    expect(call(a, 'match', ['com.other'])).toEqual(result(prefix));
    expect(call(a, 'match', ['org.other'])).toEqual(result(null));
  });

  it('show one and who serves it', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const single = register(a, 'com.single');
    const shared = register(b, 'com.shared', { invoke: 'roundrobin' });
    register(a, 'com.shared', { invoke: 'roundrobin' });
    expect(call(a, 'get', [single])).toEqual(
      result({ id: single, created, uri: 'com.single', match: 'exact', invoke: 'single' }),
    );
    expect(call(a, 'get', [shared])).toMatchObject({ 3: [{ uri: 'com.shared', invoke: 'roundrobin' }] });
    expect(call(a, 'list_callees', [shared])).toEqual(result([b.id, a.id]));
    expect(call(a, 'count_callees', [shared])).toEqual(result(2));
    b.leave();
    expect(call(a, 'list_callees', [shared])).toEqual(result([a.id]));
  });

  it.each(['get', 'list_callees', 'count_callees'])('%s knows nothing of an unknown one', (procedure) => {
    const { session } = testRealm();
    expect(call(session(), procedure, [123])).toEqual(error('wamp.error.no_such_registration'));
  });

  it.each<[string, unknown[]]>([
    ['list', [1]],
    ['lookup', []],
    ['lookup', ['com.procedure', { match: 1 }]],
    ['match', [1]],
    ['get', [{}]],
    ['list_callees', []],
    ['count_callees', [1, 2]],
    ['remove_callee', [1]],
  ])('%s %j is answered with invalid_argument', (procedure, args) => {
    const { session } = testRealm();
    expect(call(session(), procedure, args)).toEqual(error('wamp.error.invalid_argument'));
  });

  it('are not overshadowed by a registration of all URIs', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const all = register(b, '', { match: 'prefix' });
    expect(call(a, 'list')).toEqual(result({ exact: [], prefix: [all], wildcard: [] }));
    expect(b.heard()).toEqual([]);
  });
});

describe('wamp.registration.remove_callee', () => {
  it('takes a registration away and tells a callee that understands', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session('callee.registration_revocation')];
    const id = register(b, 'com.procedure');
    expect(call(a, 'remove_callee', [id, b.id], { reason: 'com.enough' })).toEqual(result());
    expect(b.heard()).toEqual([[67, 0, { registration: id, reason: 'com.enough' }]]);
    expect(call(a, 'get', [id])).toEqual(error('wamp.error.no_such_registration'));
    a.tell(48, 2, {}, 'com.procedure');
    expect(a.heard()).toEqual([[8, 48, 2, {}, 'wamp.error.no_such_procedure', [text]]]);
  });

  it('says nothing to a callee that does not', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const id = register(b, 'com.procedure');
    expect(call(a, 'remove_callee', [id, b.id])).toEqual(result());
    expect(b.heard()).toEqual([]);
  });

  it('is refused for what is not there', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const id = register(b, 'com.procedure');
    expect(call(a, 'remove_callee', [123, b.id])).toEqual(error('wamp.error.no_such_registration'));
    expect(call(a, 'remove_callee', [id, 123])).toEqual(error('wamp.error.no_such_session'));
    expect(call(a, 'remove_callee', [id, a.id])).toEqual(error('wamp.error.no_such_registration'));
    expect(call(a, 'remove_callee', [id, b.id, '.'])).toEqual(error('wamp.error.invalid_uri'));
    expect(call(a, 'count_callees', [id])).toEqual(result(1));
  });
});

describe('the registration events', () => {
  it('tell of the first callee, the others, and the last one, in this order', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    const hear = watcher(a);
    const id = register(b, 'com.shared', { invoke: 'first' });
    expect(hear()).toEqual([
      ['on_create', b.id, { id, created, uri: 'com.shared', match: 'exact', invoke: 'first' }],
      ['on_register', b.id, id],
    ]);
    register(c, 'com.shared', { invoke: 'first' });
    expect(hear()).toEqual([['on_register', c.id, id]]);
    b.tell(66, 2, id);
    expect(hear()).toEqual([['on_unregister', b.id, id]]);
    c.leave();
    expect(hear()).toEqual([
      ['on_unregister', c.id, id],
      ['on_delete', c.id, id],
    ]);
  });

  it('are not sent to a session that leaves', () => {
    const { session } = testRealm();
    const a = session();
    const hear = watcher(a);
    register(a, 'com.procedure');
    a.heard();
    a.leave();
    expect(hear()).toEqual([]);
  });

  it('are announced by the dealer', () => {
    expect(testRealm().realm.announcement.dealer?.features).toMatchObject({ registration_meta_api: true });
  });
});

it('a session that leaves is told of in order: what it held, its testaments, itself', () => {
  const { session } = testRealm();
  const [a, b] = [session(), session()];
  for (const topic of [
    'wamp.subscription.on_delete',
    'wamp.registration.on_delete',
    'com.will',
    'wamp.session.on_leave',
  ]) {
    a.tell(32, 1, {}, topic);
  }
  a.heard();
  b.tell(64, 1, {}, 'com.procedure').tell(32, 2, {}, 'com.topic');
  b.tell(48, 3, {}, 'wamp.session.add_testament', ['com.will', ['gone'], {}]);
  b.leave();
  expect(a.heard().map(([, subscription]) => subscription)).toEqual([1, 2, 3, 4]);
});
