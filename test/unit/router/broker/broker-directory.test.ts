import { describe, expect, it } from 'vitest';
import { payloadOf } from '../../../../src/wamp/payload.js';
import type { SubscriptionView } from '../../../../src/router/observer.js';
import { testBroker } from '../../../support/broker.js';

const ids = (views: readonly SubscriptionView[]) => views.map(({ id }) => id);

describe('what the broker tells its observer', () => {
  it('created before joined, left before deleted, each once', () => {
    const { broker, session, told } = testBroker();
    const [a, b] = [session(), session()];
    a.subscribe('x');
    a.subscribe('x');
    b.subscribe('x');
    a.unsubscribe(1);
    broker.remove(b);
    broker.remove(b);
    expect(told).toEqual([
      ['created', 1, 1, 'x', 1],
      ['joined', 1, 1, 'x', 1],
      ['joined', 2, 1, 'x', 2],
      ['left', 1, 1, 'x', 1],
      ['left', 2, 1, 'x', 0],
      ['deleted', 2, 1, 'x', 0],
    ]);
  });

  it('sends the reply first: no event of a subscription comes before SUBSCRIBED or behind UNSUBSCRIBED', () => {
    const announce = (topic: string) => () => made.broker.publish(topic, payloadOf([]));
    const made = testBroker({
      observer: {
        created: announce('m.created'),
        joined: announce('m.joined'),
        left: announce('m.left'),
        deleted: announce('m.deleted'),
      },
    });
    const a = made.session();
    a.subscribe('m.', { match: 'prefix' });
    expect(a.heard()).toEqual([
      [33, 1, 1],
      [36, 1, 1001, { topic: 'm.created' }],
      [36, 1, 1002, { topic: 'm.joined' }],
    ]);
    a.unsubscribe(1);
    expect(a.heard()).toEqual([[35, 1]]);
  });

  it('has a session that is gone out of all its subscriptions before it says a word', () => {
    const made = testBroker({
      observer: {
        created: () => undefined,
        joined: () => undefined,
        left: () => made.broker.publish('m', payloadOf([])),
        deleted: () => undefined,
      },
    });
    const [a, b] = [made.session(), made.session()];
    for (const topic of ['x', 'm', 'y']) a.subscribe(topic);
    b.subscribe('m');
    a.heard();
    b.heard();
    made.broker.remove(a);
    expect(a.heard()).toEqual([]);
    expect(b.heard()).toHaveLength(3);
  });
});

describe('the directory of subscriptions', () => {
  it('lists by match policy, finds by pattern, by topic and by id', () => {
    const { broker, session, clock } = testBroker();
    const [a, b] = [session(), session()];
    a.subscribe('a.b');
    clock.advance(1500);
    a.subscribe('a.b', { match: 'prefix' });
    b.subscribe('a.b', { match: 'prefix' });
    a.subscribe('.b', { match: 'wildcard' });
    a.subscribe('', { match: 'prefix' });
    const { directory } = broker;
    expect(directory.list()).toEqual({ exact: [1], prefix: [2, 4], wildcard: [3] });
    expect(directory.lookup('a.b', 'exact')?.id).toBe(1);
    expect(directory.lookup('a.b', 'prefix')?.id).toBe(2);
    expect(directory.lookup('a.b', 'wildcard')).toBeUndefined();
    expect(ids(directory.matching('a.b'))).toEqual([1, 2, 4, 3]);
    expect(ids(directory.matching('z'))).toEqual([4]);
    const view = directory.get(2);
    expect(view).toMatchObject({ id: 2, uri: 'a.b', match: 'prefix', created: '2026-01-01T00:00:01.500Z' });
    expect(view?.subscribers).toEqual([a, b]);
    expect(directory.get(99)).toBeUndefined();
  });

  it('revokes: a message with request id 0 for those who know it, silence for the others', () => {
    const { broker, session, told } = testBroker();
    const a = session(undefined, 'subscriber.subscription_revocation');
    const b = session();
    for (const subscriber of [a, b]) {
      subscriber.subscribe('x');
      subscriber.subscribe('y');
      subscriber.heard();
    }
    told.length = 0;
    expect(broker.directory.revoke(1, a, 'com.example.enough')).toBe(true);
    expect(broker.directory.revoke(2, a)).toBe(true);
    expect(broker.directory.revoke(1, b)).toBe(true);
    expect(broker.directory.revoke(1, b)).toBe(false);
    expect(broker.directory.revoke(2, a)).toBe(false);
    expect(a.heard()).toEqual([
      [35, 0, { subscription: 1, reason: 'com.example.enough' }],
      [35, 0, { subscription: 2 }],
    ]);
    expect(b.heard()).toEqual([]);
    expect(told.map(([event, by, id]) => [event, by, id])).toEqual([
      ['left', 1, 1],
      ['left', 1, 2],
      ['left', 2, 1],
      ['deleted', 2, 1],
    ]);
    session().publish('y');
    expect([a.heard().length, b.heard().length]).toEqual([0, 1]);
  });
});

describe('publications of the router', () => {
  it('reach everybody under any topic, without a publisher, with the options that are given', () => {
    const { broker, session } = testBroker();
    const [a, b] = [session(), session()];
    for (const subscriber of [a, b]) subscriber.subscribe('wamp.x');
    b.subscribe('wamp.', { match: 'prefix' });
    a.heard();
    b.heard();
    broker.publish('wamp.x', payloadOf([1]));
    expect(a.heard()).toEqual([[36, 1, 1001, {}, [1]]]);
    expect(b.heard()).toEqual([
      [36, 1, 1001, {}, [1]],
      [36, 2, 1001, { topic: 'wamp.x' }, [1]],
    ]);
    broker.publish('wamp.x', payloadOf([2]), { exclude: [2], acknowledge: true });
    expect(a.heard()).toEqual([[36, 1, 1002, {}, [2]]]);
    expect(b.heard()).toEqual([]);
  });

  it('are known to be wanted only where somebody listens', () => {
    const { broker, session } = testBroker();
    expect(broker.isWanted('wamp.x')).toBe(false);
    const a = session();
    a.subscribe('wamp.x');
    expect([broker.isWanted('wamp.x'), broker.isWanted('wamp.y')]).toEqual([true, false]);
    a.subscribe('wamp.', { match: 'wildcard' });
    expect([broker.isWanted('wamp.y'), broker.isWanted('wamp.y.z')]).toEqual([true, false]);
  });
});
