/** What the operator of a node sees of a realm. */
import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const NOW = '2026-01-01T00:00:00.000Z';

/** Kills sessions, and says how many, and how it went. */
function killing(realm: ReturnType<typeof testRealm>['realm']) {
  const ended: unknown[] = [];
  const kill = (ids: readonly number[], words: { reason?: string; message?: string } = {}, isQuiet = false) =>
    realm.inventory.kill(ids, { ...words, isQuiet }, (failure) => ended.push(failure));
  return { kill, ended };
}

function wordsTo(session: ScriptedSession): unknown[] {
  return session.heard().filter(([type]) => type === 6);
}

describe.each([
  ['with meta API', true],
  ['without meta API', false],
])('the inventory of a realm %s', (_how, metaApi) => {
  const made = () => testRealm(undefined, 'loose', metaApi);

  it('has every session, and what is to be known of it', () => {
    const { realm, session } = made();
    const [a, b] = [session(), session()];
    expect([...realm.inventory.sessionIds]).toEqual([a.id, b.id]);
    expect(realm.inventory.session(b.id)).toEqual({
      realm: 'realm1',
      session: 2,
      authid: 'authid2',
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      transport: { peer: '192.0.2.1:2' },
      joined: NOW,
      unsent_bytes: 0,
      ...{ received: 0, sent: 0, subscriptions: 0, registrations: 0 },
    });
    b.leave();
    expect(realm.inventory.session(b.id)).toBeUndefined();
    expect(realm.inventory.isMeant(b.id, {})).toBe(false);
  });

  it.each([
    [{}, true],
    [{ authid: 'authid1' }, true],
    [{ authrole: 'anonymous' }, true],
    [{ authid: 'authid1', authrole: 'anonymous' }, true],
    [{ authid: 'authid2' }, false],
    [{ authid: 'authid' }, false],
    [{ authrole: 'admin' }, false],
    [{ authid: 'authid1', authrole: 'admin' }, false],
  ])('knows who is meant by %j: %s', (selection, isMeant) => {
    const { realm, session } = made();
    expect(realm.inventory.isMeant(session().id, selection)).toBe(isMeant);
  });

  it('has every registration and subscription, also of one session', () => {
    const { realm, session } = made();
    const [a, b] = [session(), session()];
    for (const each of [a, b]) {
      each.tell(64, 1, { invoke: 'roundrobin' }, 'com.example.add');
      each.tell(32, 2, { match: 'prefix' }, 'com.example');
    }
    b.tell(32, 3, {}, 'com.example.news').tell(64, 4, { match: 'wildcard' }, 'com..x');
    const { inventory } = realm;
    const add = {
      ...{ realm: 'realm1', id: 1, uri: 'com.example.add', match: 'exact', invoke: 'roundrobin' },
      ...{ created: NOW, callees: 2, calls: 0, calls_in_flight: 0, sessions: [a.id, b.id] },
    };
    const all = {
      ...{ realm: 'realm1', id: 2, uri: 'com.example', match: 'prefix', created: NOW },
      ...{ subscribers: 2, publications: 0 },
    };
    expect([...inventory.registrationIds].map((id) => inventory.registration(id))).toMatchObject([
      add,
      { uri: 'com..x' },
    ]);
    expect(inventory.registration(1)).toEqual(add);
    expect([...inventory.subscriptionIds].map((id) => inventory.subscription(id)?.uri).toSorted()).toEqual([
      ...['com.example', 'com.example.news'],
    ]);
    expect(inventory.subscription(2)).toEqual(all);
    expect([inventory.registrationsOf(a.id), inventory.subscriptionsOf(a.id)]).toEqual([[1], [2]]);
    expect([inventory.registrationsOf(b.id), inventory.subscriptionsOf(b.id)]).toEqual([
      [1, 4],
      [2, 3],
    ]);
    expect([inventory.registrationsOf(99), inventory.subscriptionsOf(99)]).toEqual([[], []]);
    expect([inventory.registration(99), inventory.subscription(99)]).toEqual([undefined, undefined]);
  });

  it('counts publications, calls, and the calls that are not over', () => {
    const { realm, session } = made();
    const [a, b] = [session(), session()];
    a.tell(64, 1, {}, 'com.example.add').tell(32, 2, { match: 'prefix' }, 'com.example');
    b.tell(16, 1, {}, 'com.example.news').tell(16, 2, {}, 'com.other').tell(48, 3, {}, 'com.example.add');
    b.tell(48, 4, {}, 'com.example.add');
    a.tell(70, 1, {});
    const { inventory } = realm;
    expect([...inventory.subscriptionIds].map((id) => inventory.subscription(id)?.publications)).toEqual([1]);
    expect(inventory.registration(1)).toMatchObject({ calls: 2, calls_in_flight: 1 });
    expect(inventory.numbers).toEqual({ sessions: 2, subscriptions: 1, registrations: 1, calls: 1 });
    expect(inventory.measures(a.id)).toMatchObject({ subscriptions: 1, registrations: 1 });
  });

  it('lets sessions come and go while somebody goes through them, without end', () => {
    const { realm, session } = made();
    const [a, b, c] = [session(), session(), session()];
    const seen: number[] = [];
    for (const id of realm.inventory.sessionIds) {
      seen.push(id);
      if (id === a.id) realm.leave(b);
      session();
    }
    expect(seen.slice(0, 2)).toEqual([a.id, c.id]);
    // One has gone, and one that has come is in its place; there is no look at those that come for ever.
    expect(seen).toHaveLength(3);
    expect(realm.inventory.sessionCount).toBe(5);
  });

  it('ends sessions as a kill does, and passes over those that have gone', () => {
    const { realm, session } = made();
    const [a, b, c] = [session(), session(), session()];
    const { kill, ended } = killing(realm);
    expect(kill([a.id, 99])).toBe(1);
    expect(wordsTo(a)).toEqual([[6, {}, 'wamp.close.killed']]);
    expect(kill([a.id, b.id], { reason: 'com.example.bye', message: 'go' })).toBe(1);
    expect(wordsTo(b)).toEqual([[6, { message: 'go' }, 'com.example.bye']]);
    expect(kill([])).toBe(0);
    expect(ended).toEqual([undefined, undefined, undefined]);
    expect([...realm.inventory.sessionIds]).toEqual([c.id]);
  });

  it('ends nobody with a reason that is no URI', () => {
    const { realm, session } = made();
    const a = session();
    const { kill, ended } = killing(realm);
    expect(() => kill([a.id], { reason: 'no uri' })).toThrow('invalid reason URI "no uri"');
    expect([ended, realm.size.sessions]).toEqual([[], 1]);
  });

  it('ends a hundred in a turn', () => {
    const { realm, session, clock } = made();
    const all = Array.from({ length: 250 }, () => session().id);
    const { kill, ended } = killing(realm);
    expect(kill(all)).toBe(250);
    expect([realm.size.sessions, ended]).toEqual([150, []]);
    clock.advance(0);
    clock.advance(0);
    expect([realm.size.sessions, ended]).toEqual([0, [undefined]]);
  });
});

describe('the inventory of a realm', () => {
  it('names the first hundred callees, and counts all', () => {
    const { realm, session } = testRealm();
    const callees = Array.from(
      { length: 150 },
      () => session().tell(64, 1, { invoke: 'random' }, 'com.example.add').id,
    );
    expect(realm.inventory.registration(1)).toMatchObject({ callees: 150, sessions: callees.slice(0, 100) });
  });

  it('ends sessions with their meta events, or quietly, as wamp.session.kill_all does', () => {
    const { realm, session } = testRealm();
    const [watcher, a, b] = [session(), session(), session()];
    watcher.tell(32, 1, {}, 'wamp.session.on_leave').heard();
    const { kill } = killing(realm);
    kill([a.id]);
    expect(watcher.heard()).toMatchObject([[36, 1, expect.any(Number), {}, [a.id, 'authid2', 'anonymous']]]);
    kill([b.id], {}, true);
    expect(watcher.heard()).toEqual([]);
  });
});
