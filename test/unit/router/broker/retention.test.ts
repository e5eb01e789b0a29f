import { describe, expect, it } from 'vitest';
import { Role } from '../../../../src/router/role.js';
import { RetainedEvents } from '../../../../src/router/broker/retention.js';
import type { RetainedEvent } from '../../../../src/router/broker/retention.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import type { Payload } from '../../../../src/wamp/payload.js';
import { testBroker } from '../../../support/broker.js';

describe('event retention', () => {
  it('hands the newest retained event behind SUBSCRIBED to those who ask for it, marked, with its own id', () => {
    const { session } = testBroker();
    const [a, b] = [session(), session()];
    a.publish('x', { retain: true }, payloadOf([1]));
    a.publish('x', { retain: true }, payloadOf([2], { k: 3 }));
    a.publish('x', {}, payloadOf([4]));
    b.subscribe('x', { get_retained: true });
    expect(b.heard()).toEqual([
      [33, 1, 1],
      [36, 1, 1002, { retained: true }, [2], { k: 3 }],
    ]);
    b.subscribe('x');
    b.subscribe('x', { get_retained: false });
    b.subscribe('y', { get_retained: true });
    expect(b.heard().map(([type]) => type)).toEqual([33, 33, 33]);
    a.publish('x', { retain: true }, payloadOf([5]));
    expect(b.heard()).toEqual([[36, 1, 1004, {}, [5]]]);
  });

  it('shows it only to those who might have seen it, and to the others the newest that they might have', () => {
    const { session } = testBroker();
    const [a, b, c] = [session(), session(), session()];
    const latest = (who: typeof a) => {
      who.subscribe('x', { get_retained: true });
      return who.heard().at(-1)?.[4];
    };
    a.publish('x', { retain: true }, payloadOf(['all']));
    a.publish('x', { retain: true, eligible_authid: ['authid2'] }, payloadOf(['b']));
    a.publish('x', { retain: true, exclude: [2, 3] }, payloadOf(['neither']));
    expect([latest(a), latest(b), latest(c)]).toEqual([['neither'], ['b'], ['all']]);
    a.publish('x', { retain: true, eligible: [] }, payloadOf(['nobody']));
    expect([latest(a), latest(b), latest(c)]).toEqual([['neither'], ['b'], ['all']]);
    a.publish('x', { retain: true }, payloadOf(['new']));
    expect([latest(a), latest(b), latest(c)]).toEqual([['new'], ['new'], ['new']]);
  });

  it('hands a pattern no more than a MiB, the newest, and one event in any case', () => {
    const { session } = testBroker();
    const [a, b] = [session(), session()];
    for (let i = 0; i < 30; i++) a.publish(`a.${i}`, { retain: true }, payloadOf([i, 'x'.repeat(100_000)]));
    const got = (uri: string, match: 'prefix' | 'wildcard') => {
      b.subscribe(uri, { match, get_retained: true });
      return b.heard().flatMap(([type, , , , args]) => (type === 36 ? [(args as unknown[])[0]] : []));
    };
    const newest = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
    expect(got('a.', 'prefix')).toEqual(newest);
    expect(got('a.', 'wildcard')).toEqual(newest);
    a.publish('a.large', { retain: true }, payloadOf(['large', 'x'.repeat(2_000_000)]));
    b.unsubscribe(1);
    b.unsubscribe(2);
    b.heard();
    expect(got('a.', 'prefix')).toEqual(['large']);
  });

  it('hands a pattern the retained event of every topic that matches, the oldest first', () => {
    const { session } = testBroker();
    const [a, b] = [session(), session()];
    for (const topic of ['a.x', 'a.y', 'b.x', 'a.x']) a.publish(topic, { retain: true });
    b.subscribe('a.', { match: 'prefix', get_retained: true });
    expect(b.heard()).toEqual([
      [33, 1, 1],
      [36, 1, 1002, { topic: 'a.y', retained: true }, ['a.y']],
      [36, 1, 1004, { topic: 'a.x', retained: true }, ['a.x']],
    ]);
    b.subscribe('.x', { match: 'wildcard', get_retained: true });
    expect(
      b
        .heard()
        .slice(1)
        .map(([, , publication]) => publication),
    ).toEqual([1003, 1004]);
  });

  it('keeps what the publisher disclosed', () => {
    const { session } = testBroker();
    const rule = { uri: '*', allow: { publish: true }, disclose: { publisher: true } };
    const [a, b] = [session(new Role({ name: 'user', permissions: [rule] })), session()];
    a.publish('x', { retain: true });
    b.subscribe('x', { get_retained: true });
    expect(b.heard()[1]?.[3]).toEqual({
      publisher: 1,
      publisher_authid: 'authid1',
      publisher_authrole: 'user',
      retained: true,
    });
  });

  it('retains nothing that was refused', () => {
    const { session } = testBroker();
    const [a, b] = [session(), session()];
    expect(() => a.publish('wamp.x', { retain: true })).toThrow();
    expect(() => a.publish('x', { retain: true, disclose_me: true })).toThrow();
    b.subscribe('', { match: 'prefix', get_retained: true });
    expect(b.heard()).toEqual([[33, 1, 1]]);
  });

  it('retains publications of the router that ask for it', () => {
    const { broker, session } = testBroker();
    broker.publish('x', payloadOf(['gone']), { retain: true });
    const a = session();
    a.subscribe('x', { get_retained: true });
    expect(a.heard()[1]).toEqual([36, 1, 1001, { retained: true }, ['gone']]);
  });
});

describe('what a realm keeps', () => {
  const { session } = testBroker();
  const reader = session();
  const event = (topic: string, changes: Partial<RetainedEvent> = {}): RetainedEvent => ({
    id: 1,
    topic,
    details: {},
    payload: payloadOf([1]),
    qos: 0,
    eligible: undefined,
    ...changes,
  });
  const topics = (kept: RetainedEvents) => kept.find('prefix', '', reader).map(({ topic }) => topic);

  it('is bounded in number: the topic that was quiet for the longest time goes', () => {
    const kept = new RetainedEvents({ events: 2, bytes: 1e6 });
    for (const topic of ['a', 'b', 'a', 'c']) kept.keep(event(topic));
    expect(topics(kept)).toEqual(['a', 'c']);
    expect(kept.size.events).toBe(2);
  });

  it('is bounded in bytes, and what is larger than all of it is declined', () => {
    const kept = new RetainedEvents({ events: 100, bytes: 3000 });
    const large = (length: number): Payload => ({ args: [], kwargs: undefined, byteLength: length });
    kept.keep(event('a', { payload: large(1000) }));
    kept.keep(event('b', { payload: large(1000) }));
    kept.keep(event('b', { payload: large(5000) }));
    expect(topics(kept)).toEqual(['a', 'b']);
    kept.keep(event('c', { payload: payloadOf(['x'.repeat(1000)]) }));
    expect(topics(kept)).toEqual(['b', 'c']);
    kept.keep(event('d', { payload: payloadOf([{ k: ['x'.repeat(2000)] }]) }));
    expect(topics(kept)).toEqual(['d']);
    kept.keep(event('d', { payload: payloadOf([new Uint8Array(10), null, true]) }));
    expect(kept.size.bytes).toBeLessThan(500);
  });

  it('has a few events with restrictions for each topic, and never loses the one for everybody to them', () => {
    const kept = new RetainedEvents({ events: 100, bytes: 1e6 });
    kept.keep(event('a', { id: 7 }));
    for (let id = 10; id < 30; id++) kept.keep(event('a', { id, eligible: () => false }));
    expect(kept.size.events).toBe(11);
    expect(kept.find('exact', 'a', reader).map(({ id }) => id)).toEqual([7]);
    kept.keep(event('a', { id: 31 }));
    expect(kept.size.events).toBe(1);
  });

  it('hands out a bounded number of events, the newest ones', () => {
    const kept = new RetainedEvents({ events: 5000, bytes: 1e9 });
    for (let i = 0; i < 1500; i++) kept.keep(event(`t${i}`));
    expect(topics(kept)).toHaveLength(1000);
    expect(topics(kept).at(-1)).toBe('t1499');
  });

  it('holds a copy of the payload where the payload belongs to a larger buffer', () => {
    const kept = new RetainedEvents({ events: 2, bytes: 1e6 });
    const copy: Payload = { args: ['copy'], kwargs: undefined, byteLength: 4 };
    kept.keep(event('a', { payload: { args: [], kwargs: undefined, byteLength: 4, detach: () => copy } }));
    expect(kept.find('exact', 'a', reader)[0]?.payload).toBe(copy);
  });
});
