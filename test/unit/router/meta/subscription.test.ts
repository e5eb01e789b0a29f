import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const text = expect.any(String) as string;
const error = (uri: string) => [8, 48, 1, {}, uri, [text]];
const result = (...args: unknown[]) => [50, 1, {}, ...(args.length === 0 ? [] : [args])];
const created = '2026-01-01T00:00:00.000Z';

/** Calls a meta procedure and returns the one answer. */
function call(session: ScriptedSession, procedure: string, args: unknown[] = [], kwargs?: Record<string, unknown>) {
  const [answer, ...more] = session.tell(48, 1, {}, `wamp.subscription.${procedure}`, args, kwargs).heard();
  expect(more).toEqual([]);
  return answer;
}

function subscribe(session: ScriptedSession, topic: string, match?: string): number {
  const [[, , id] = []] = session.tell(32, 1, match === undefined ? {} : { match }, topic).heard();
  return id as number;
}

/** A session that is subscribed to the four meta events, and what it heard by name: `[event, ...args]`. */
function watcher(session: ScriptedSession) {
  const names = new Map<unknown, string>();
  for (const name of ['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete']) {
    names.set(subscribe(session, `wamp.subscription.${name}`), name);
  }
  return () => session.heard().map((event) => [names.get(event[1]), ...(event[4] as unknown[])]);
}

describe('the subscription procedures', () => {
  it('list the subscriptions by match policy', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    expect(call(a, 'list')).toEqual(result({ exact: [], prefix: [], wildcard: [] }));
    const exact = subscribe(a, 'com.topic');
    const prefix = subscribe(a, 'com.', 'prefix');
    const wildcard = subscribe(b, 'com..x', 'wildcard');
    expect(subscribe(b, 'com.topic')).toBe(exact);
    expect(call(a, 'list')).toEqual(result({ exact: [exact], prefix: [prefix], wildcard: [wildcard] }));
  });

  it('look one up by its URI and match policy', () => {
    const { session } = testRealm();
    const a = session();
    const exact = subscribe(a, 'com.topic');
    const prefix = subscribe(a, 'com.topic', 'prefix');
    expect(call(a, 'lookup', ['com.topic'])).toEqual(result(exact));
    expect(call(a, 'lookup', ['com.topic', {}])).toEqual(result(exact));
    expect(call(a, 'lookup', ['com.topic', { match: 'prefix' }])).toEqual(result(prefix));
    expect(call(a, 'lookup', ['com.topic', { match: 'wildcard' }])).toEqual(result(null));
    expect(call(a, 'lookup', ['com.topic.more'])).toEqual(result(null));
  });

  it('name all that an event would go to', () => {
    const { session } = testRealm();
    const a = session();
    const ids = [subscribe(a, 'com.topic'), subscribe(a, 'com.', 'prefix'), subscribe(a, 'com.', 'wildcard')];
    const answer = call(a, 'match', ['com.topic']) as [50, 1, object, [number[]]];
    expect(answer[3][0].sort()).toEqual(ids);
    expect(call(a, 'match', ['org.topic'])).toEqual(result(null));
  });

  it('show one and who holds it', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const id = subscribe(b, 'com.topic');
    subscribe(a, 'com.topic');
    expect(call(a, 'get', [id])).toEqual(result({ id, created, uri: 'com.topic', match: 'exact' }));
    expect(call(a, 'list_subscribers', [id])).toEqual(result([b.id, a.id]));
    expect(call(a, 'count_subscribers', [id])).toEqual(result(2));
    b.leave();
    expect(call(a, 'list_subscribers', [id])).toEqual(result([a.id]));
  });

  it.each(['get', 'list_subscribers', 'count_subscribers'])('%s knows nothing of an unknown one', (procedure) => {
    const { session } = testRealm();
    expect(call(session(), procedure, [123])).toEqual(error('wamp.error.no_such_subscription'));
  });

  it.each<[string, unknown[]]>([
    ['list', [1]],
    ['lookup', []],
    ['lookup', [1]],
    ['lookup', ['com.topic', 'exact']],
    ['lookup', ['com.topic', { match: 'fuzzy' }]],
    ['match', []],
    ['match', ['com.topic', {}]],
    ['get', []],
    ['get', ['1']],
    ['list_subscribers', [1, 2]],
    ['count_subscribers', [null]],
    ['remove_subscriber', [1]],
    ['remove_subscriber', [1, 'a']],
    ['remove_subscriber', [1, 1, 1]],
  ])('%s %j is answered with invalid_argument', (procedure, args) => {
    const { session } = testRealm();
    expect(call(session(), procedure, args)).toEqual(error('wamp.error.invalid_argument'));
  });
});

describe('wamp.subscription.remove_subscriber', () => {
  it('takes a subscription away and tells a subscriber that understands', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session('subscriber.subscription_revocation'), session()];
    const id = subscribe(b, 'com.topic');
    subscribe(c, 'com.topic');
    expect(call(a, 'remove_subscriber', [id, b.id], { reason: 'com.enough' })).toEqual(result());
    expect(b.heard()).toEqual([[35, 0, { subscription: id, reason: 'com.enough' }]]);
    expect(call(a, 'list_subscribers', [id])).toEqual(result([c.id]));
  });

  it('is refused for what is not there', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const id = subscribe(b, 'com.topic');
    expect(call(a, 'remove_subscriber', [123, b.id])).toEqual(error('wamp.error.no_such_subscription'));
    expect(call(a, 'remove_subscriber', [id, 123])).toEqual(error('wamp.error.no_such_session'));
    expect(call(a, 'remove_subscriber', [id, a.id])).toEqual(error('wamp.error.no_such_subscription'));
    expect(call(a, 'remove_subscriber', [id, b.id, 'no uri'])).toEqual(error('wamp.error.invalid_uri'));
    expect(call(a, 'count_subscribers', [id])).toEqual(result(1));
  });
});

describe('the subscription events', () => {
  it('tell of the first subscriber, the others, and the last one, in this order', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    const hear = watcher(a);
    const id = subscribe(b, 'com.', 'prefix');
    expect(hear()).toEqual([
      ['on_create', b.id, { id, created, uri: 'com.', match: 'prefix' }],
      ['on_subscribe', b.id, id],
    ]);
    subscribe(c, 'com.', 'prefix');
    subscribe(c, 'com.', 'prefix');
    expect(hear()).toEqual([['on_subscribe', c.id, id]]);
    b.tell(34, 2, id);
    expect(hear()).toEqual([['on_unsubscribe', b.id, id]]);
    subscribe(b, 'com.', 'prefix');
    hear();
    c.tell(48, 4, {}, 'wamp.subscription.remove_subscriber', [id, b.id]);
    expect(hear()).toEqual([['on_unsubscribe', b.id, id]]);
    c.leave();
    expect(hear()).toEqual([
      ['on_unsubscribe', c.id, id],
      ['on_delete', c.id, id],
    ]);
  });

  it('do not tell of subscriptions below wamp.', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const hear = watcher(a);
    subscribe(b, 'wamp.session.on_join');
    subscribe(b, 'wamp.', 'prefix');
    b.leave();
    expect(hear()).toEqual([]);
  });

  it('are not sent to a session that leaves', () => {
    const { session } = testRealm();
    const a = session();
    const hear = watcher(a);
    subscribe(a, 'com.topic');
    a.heard();
    a.leave();
    expect(hear()).toEqual([]);
  });

  it('come after SUBSCRIBED, also to the subscriber itself', () => {
    const { session } = testRealm();
    const a = session().tell(32, 1, { match: 'prefix' }, '');
    expect(a.heard().map(([type]) => type)).toEqual([33, 36, 36]);
  });

  it('are announced by the broker', () => {
    expect(testRealm().realm.announcement.broker?.features).toMatchObject({ subscription_meta_api: true });
  });
});

describe('a session that leaves with many subscriptions', () => {
  it('does not hold up all others while its watchers are told: what takes too long follows, in order', () => {
    const { realm, session, clock } = testRealm();
    const hear = watcher(session());
    const leaver = session();
    const ids = Array.from({ length: 50 }, (_, i) => subscribe(leaver, `com.topic.${i}`));
    hear();
    // Each event takes a millisecond.
    const elapsed = clock.elapsed.bind(clock);
    let spent = 0;
    clock.elapsed = () => elapsed() + spent++;
    const after = clock.after.bind(clock);
    const told: unknown[][] = [];
    clock.after = (ms, callback) =>
      after(ms, () => {
        callback();
        told.push(hear());
      });
    leaver.leave();
    told.push(hear());
    expect(realm.size.metaEvents).toBe(100 - (told[0]?.length ?? 0));
    clock.advance(0);
    expect(realm.size.metaEvents).toBe(0);
    for (const piece of told) expect(piece.length).toBeLessThan(20);
    const all = ids.flatMap((id) => [
      ['on_unsubscribe', leaver.id, id],
      ['on_delete', leaver.id, id],
    ]);
    expect(told.flat()).toEqual(all);
    expect(clock.waiting).toBe(0);
  });
});
