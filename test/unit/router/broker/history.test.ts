import { describe, expect, it } from 'vitest';
import { EventHistory, historicEventValue } from '../../../../src/router/broker/history.js';
import { historyQuery } from '../../../../src/router/broker/history-query.js';
import { Role } from '../../../../src/router/role.js';
import type { StoreConfig } from '../../../../src/router/store-schema.js';
import type { Dict } from '../../../../src/wamp/payload.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import type { Match } from '../../../../src/wamp/uri.js';
import { testBroker } from '../../../support/broker.js';
import type { BrokerSession } from '../../../support/broker.js';

type Entries = NonNullable<StoreConfig['event-history']>;

function play(entries: Entries, limit?: number) {
  const history = new EventHistory({
    type: 'memory',
    ...(limit === undefined ? {} : { limit }),
    'event-history': entries,
  });
  const made = testBroker({ history });
  /** Asks for the events of a subscription, which is made when it is not there. */
  const asked = (asker: BrokerSession, uri: string, match: Match = 'exact', kwargs: Dict = {}) => {
    const { directory } = made.broker;
    if (directory.lookup(uri, match) === undefined) asker.subscribe(uri, { match });
    const view = directory.lookup(uri, match);
    if (view === undefined) throw new Error('no subscription');
    return history.events(asker, view, historyQuery(kwargs)).events.map((event) => historicEventValue(event, view));
  };
  const ids = (...args: Parameters<typeof asked>) => asked(...args).map(({ publication }) => publication);
  return { ...made, history, asked, ids };
}

describe('event history', () => {
  it('has each publication once, in order, without subscribers and with many', () => {
    const { session, clock, asked } = play([{ uri: 'a.b' }]);
    const [a, b, c] = [session(), session(), session()];
    a.publish('a.b', {}, payloadOf([1]));
    for (const subscriber of [b, c]) subscriber.subscribe('a.b');
    clock.advance(1500);
    a.publish('a.b', {}, payloadOf([], { k: 2 }));
    a.publish('a.c');
    a.publish('a.b', {}, payloadOf([]));
    expect(asked(b, 'a.b')).toEqual([
      { timestamp: '2026-01-01T00:00:00.000Z', subscription: 1, publication: 1001, details: {}, args: [1] },
      {
        timestamp: '2026-01-01T00:00:01.500Z',
        subscription: 1,
        publication: 1002,
        details: {},
        args: [],
        kwargs: { k: 2 },
      },
      { timestamp: '2026-01-01T00:00:01.500Z', subscription: 1, publication: 1004, details: {} },
    ]);
  });

  it('remembers as many as the entry says, or the store', () => {
    const { session, ids } = play([{ uri: 'a', limit: 2 }, { uri: 'b' }, { uri: 'b', limit: 1 }], 3);
    const a = session();
    for (let i = 0; i < 10; i++) {
      a.publish('a');
      a.publish('b');
    }
    expect(ids(a, 'a')).toEqual([1017, 1019]);
    expect(ids(a, 'b')).toEqual([1016, 1018, 1020]);
  });

  it('is bounded in bytes for all topics together: the oldest leave first, what is too large is not kept', () => {
    const history = new EventHistory({
      type: 'memory',
      max_bytes: 5000,
      'event-history': [{ uri: 'a' }, { uri: 'b' }, { uri: 'a', match: 'prefix' }],
    });
    const { session, broker } = testBroker({ history });
    const [a, b] = [session(), session()];
    a.subscribe('a');
    a.subscribe('b');
    const kept = (uri: string) => {
      const view = broker.directory.lookup(uri, 'exact');
      return view && history.events(a, view, historyQuery()).events.map(({ event }) => event.id);
    };
    b.publish('b', {}, payloadOf(['x'.repeat(1000)]));
    b.publish('a', {}, payloadOf(['x'.repeat(1000)]));
    expect(history.size.events).toBe(3);
    expect([kept('a'), kept('b')]).toEqual([[1002], [1001]]);
    b.publish('a', {}, payloadOf(['x'.repeat(1000)]));
    expect([kept('a'), kept('b')]).toEqual([[1003], []]);
    b.publish('b', {}, payloadOf(['x'.repeat(5000)]));
    b.publish('b', { exclude_authid: ['x'.repeat(5000)] }, payloadOf([]));
    expect([kept('a'), kept('b')]).toEqual([[1003], []]);
    for (let i = 0; i < 1000; i++) b.publish('a', {}, payloadOf(['x'.repeat(i)]));
    expect(history.size.bytes).toBeLessThanOrEqual(5000);
    expect(history.size.events).toBeGreaterThan(0);
  });

  it('names the topic for patterns, and has what a pattern matches', () => {
    const { session, asked, ids } = play([{ uri: 'a.', match: 'prefix' }]);
    const a = session();
    for (const topic of ['a.x', 'a.y.z', 'b.x', 'a.y']) a.publish(topic);
    expect(asked(a, 'a.', 'prefix').map(({ details }) => details)).toEqual([
      { topic: 'a.x' },
      { topic: 'a.y.z' },
      { topic: 'a.y' },
    ]);
    expect(ids(a, 'a.', 'prefix', { topic: 'a.y' })).toEqual([1004]);
    expect(ids(a, 'a.', 'wildcard')).toEqual([1001, 1004]);
    expect(ids(a, 'a.y', 'prefix')).toEqual([1002, 1004]);
    expect(ids(a, 'a.x')).toEqual([1001]);
    expect(ids(a, 'a.never')).toEqual([]);
  });

  it('is unavailable where not all topics of the subscription are remembered', () => {
    const { session, ids } = play([{ uri: 'a.x' }, { uri: 'b..c', match: 'wildcard' }]);
    const a = session();
    for (const [uri, match] of [
      ['z', 'exact'],
      ['a.', 'prefix'],
      ['a.', 'wildcard'],
      ['b.', 'prefix'],
    ] as const) {
      expect(() => ids(a, uri, match)).toThrow(expect.objectContaining({ uri: 'wamp.error.history_unavailable' }));
    }
    expect(ids(a, 'b.x.c')).toEqual([]);
  });

  it('does not keep publications for chosen sessions, and holds the other lists against whoever asks', () => {
    const { session, ids } = play([{ uri: 'x' }]);
    const [a, b] = [session(), session()];
    a.publish('x', { eligible: [2] });
    a.publish('x', { exclude: [] });
    a.publish('x', { eligible_authid: ['authid2'] });
    a.publish('x', { exclude_authid: ['authid2'] });
    a.publish('x', { exclude_authrole: ['other'] });
    expect(ids(b, 'x')).toEqual([1003, 1005]);
    expect(ids(a, 'x')).toEqual([1004, 1005]);
  });

  it('is for those who may subscribe', () => {
    const { session, ids } = play([{ uri: 'x' }]);
    const [a, stranger] = [session(), session(new Role({ name: 'stranger' }))];
    a.publish('x');
    a.subscribe('x');
    expect(() => ids(stranger, 'x')).toThrow(expect.objectContaining({ uri: 'wamp.error.not_authorized' }));
    expect(ids(session(), 'x')).toEqual([1001]);
  });

  it('remembers what the router publishes', () => {
    const { broker, session, ids } = play([{ uri: 'wamp.', match: 'prefix' }]);
    expect([broker.isWanted('wamp.x'), broker.isWanted('x')]).toEqual([true, false]);
    broker.publish('wamp.x', payloadOf([1]));
    expect(ids(session(), 'wamp.x')).toEqual([1001]);
  });
});

describe('the range of a query', () => {
  const { session, clock, ids } = play([{ uri: 'x' }]);
  const a = session();
  for (let i = 0; i < 6; i++) {
    a.publish('x');
    clock.advance(1000);
  }
  const at = (seconds: number) => `2026-01-01T00:00:0${seconds}.000Z`;

  it.each<[Dict, number[]]>([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ limit: 2 }, [1, 2]],
    [{ reverse: true }, [6, 5, 4, 3, 2, 1]],
    [{ reverse: true, limit: 2 }, [6, 5]],
    [{ from_time: at(2) }, [3, 4, 5, 6]],
    [{ after_time: at(2) }, [4, 5, 6]],
    [{ before_time: at(2) }, [1, 2]],
    [{ until_time: at(2) }, [1, 2, 3]],
    [{ until_time: '2026-01-01T01:00:02+01:00' }, [1, 2, 3]],
    [{ from_publication: 1003 }, [3, 4, 5, 6]],
    [{ after_publication: 1003 }, [4, 5, 6]],
    [{ before_publication: 1003 }, [1, 2]],
    [{ until_publication: 1003 }, [1, 2, 3]],
    [{ from_publication: 1002, until_publication: 1005, after_time: at(2), reverse: true }, [5, 4]],
    [{ after_publication: 1005, before_publication: 1003 }, []],
    [{ after_time: at(9) }, []],
    [{ topic: 'y' }, []],
    [{ limit: null, own: 1 }, [1, 2, 3, 4, 5, 6]],
  ])('%j', (kwargs, expected) => {
    expect(ids(a, 'x', 'exact', kwargs)).toEqual(expected.map((n) => 1000 + n));
  });

  it.each<[Dict]>([
    [{ limit: 0 }],
    [{ limit: '3' }],
    [{ reverse: 1 }],
    [{ topic: 7 }],
    [{ from_time: 'yesterday' }],
    [{ until_time: '2026-13-01T00:00:00Z' }],
    [{ before_time: 0 }],
    [{ after_publication: 'x' }],
    [{ from_publication: 99 }],
  ])('refuses %j', (kwargs) => {
    expect(() => ids(a, 'x', 'exact', kwargs)).toThrow(expect.objectContaining({ uri: 'wamp.error.invalid_argument' }));
  });
});
