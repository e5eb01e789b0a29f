import { describe, expect, it } from 'vitest';
import { EVENT } from '../../../../src/wamp/message.js';
import type { Event, RouterMessage } from '../../../../src/wamp/message.js';
import { ProtocolViolation } from '../../../../src/wamp/error.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import { testBroker } from '../../../support/broker.js';
import { testRealm } from '../../../support/realm.js';

const topic = 'com.example.topic';

describe('subscribe and publish', () => {
  it('delivers to the other subscribers of the topic, not to the publisher, and acknowledges on request', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    a.tell(32, 1, {}, topic).heard();
    expect(b.tell(32, 7, {}, topic).heard()).toEqual([[33, 7, 1]]);
    c.tell(32, 1, {}, `${topic}.other`).heard();
    a.tell(16, 2, { acknowledge: true }, topic, ['hi', 1], { k: [1] });
    expect(a.heard()).toEqual([[17, 2, 1001]]);
    expect(b.heard()).toEqual([[36, 1, 1001, {}, ['hi', 1], { k: [1] }]]);
    expect(c.heard()).toEqual([]);
  });

  it('delivers to the publisher with exclude_me false', () => {
    const { session } = testRealm();
    const a = session();
    a.tell(32, 1, {}, topic).heard();
    expect(a.tell(16, 2, { exclude_me: false }, topic).heard()).toEqual([[36, 1, 1001, {}]]);
  });

  it('gives one subscription to all and to repeated subscribers, and one event per publication', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(32, 1, {}, topic).tell(32, 2, { match: 'exact' }, topic);
    expect(b.heard()).toEqual([
      [33, 1, 1],
      [33, 2, 1],
    ]);
    a.tell(16, 1, {}, topic);
    expect(b.heard()).toHaveLength(1);
    expect(b.tell(34, 3, 1).heard()).toEqual([[35, 3]]);
    a.tell(16, 2, {}, topic);
    expect(b.heard()).toEqual([]);
  });

  it('shares one event object, and so one encoding, between all subscribers', () => {
    const { session } = testRealm();
    const events: RouterMessage[] = [];
    const subscribers = [session(), session()];
    for (const subscriber of subscribers) {
      subscriber.tell(32, 1, {}, topic);
      subscriber.send = (message) => events.push(message);
    }
    session().tell(16, 1, {}, topic, [1]);
    expect(events).toHaveLength(2);
    expect(events[0]?.type).toBe(EVENT);
    expect((events[0] as Event).frames).toBe((events[1] as Event).frames);
  });

  it('answers an unsubscribe of a foreign, unknown or past subscription with no_such_subscription', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(32, 1, {}, topic).heard();
    expect(a.tell(34, 1, 1).heard()[0]?.slice(0, 5)).toEqual([8, 34, 1, {}, 'wamp.error.no_such_subscription']);
    expect(a.tell(34, 2, 999).heard()[0]?.[4]).toBe('wamp.error.no_such_subscription');
    b.tell(34, 2, 1).heard();
    expect(b.tell(34, 3, 1).heard()[0]?.[4]).toBe('wamp.error.no_such_subscription');
  });

  it('never answers an unacknowledged publication, and refuses an acknowledged one with its URI', () => {
    const { session } = testRealm();
    const a = session();
    expect(a.tell(16, 1, {}, 'a..b').heard()).toEqual([]);
    expect(a.tell(16, 2, { acknowledge: true }, 'a..b').heard()[0]?.slice(0, 5)).toEqual([
      8,
      16,
      2,
      {},
      'wamp.error.invalid_uri',
    ]);
    expect(a.tell(16, 3, { acknowledge: true }, 'wamp.x').heard()[0]?.[4]).toBe('wamp.error.invalid_uri');
    expect(a.tell(16, 4, { acknowledge: true }, 'wampum.x').heard()[0]).toEqual([17, 4, 1001]);
  });

  it('keeps the strict URI rule where the realm asks for it', () => {
    const { session } = testRealm(undefined, 'strict');
    expect(session().tell(32, 1, {}, 'com.Example').heard()[0]?.[4]).toBe('wamp.error.invalid_uri');
  });

  it('forgets a session that left, and every trace when all have left', () => {
    const { realm, session } = testRealm();
    const [a, b] = [session(), session()];
    a.tell(32, 1, {}, topic).tell(32, 2, {}, `${topic}.2`);
    b.tell(32, 1, {}, topic).heard();
    a.leave();
    expect(realm.size).toMatchObject({ sessions: 1, subscriptions: 1, subscribers: 1 });
    b.leave();
    b.leave();
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
  });
});

describe('who gets a publication', () => {
  /** Three subscribers with ids 2, 3, 4 and a publisher with id 1; returns the ids of those who got the event. */
  function receivers(options: Record<string, unknown>): number[] {
    const { session } = testRealm();
    const publisher = session();
    const subscribers = [session(), session(), session()];
    for (const subscriber of subscribers) subscriber.tell(32, 1, {}, topic).heard();
    publisher.tell(16, 1, options, topic);
    return subscribers.filter((subscriber) => subscriber.heard().length > 0).map((subscriber) => subscriber.id);
  }

  it.each([
    [{}, [2, 3, 4]],
    [{ eligible: [2, 3] }, [2, 3]],
    [{ eligible: [] }, []],
    [{ eligible: [99] }, []],
    [{ exclude: [] }, [2, 3, 4]],
    [{ exclude: [3] }, [2, 4]],
    [{ eligible: [2, 3], exclude: [2] }, [3]],
    [{ eligible_authid: ['authid4'] }, [4]],
    [{ exclude_authid: ['authid4'] }, [2, 3]],
    [{ eligible_authrole: ['anonymous'] }, [2, 3, 4]],
    [{ eligible_authrole: ['other'] }, []],
    [{ exclude_authrole: ['anonymous'] }, []],
    [{ eligible: [2, 3], eligible_authid: ['authid3', 'authid4'] }, [3]],
  ])('%j', (options, expected) => {
    expect(receivers(options)).toEqual(expected);
  });
});

describe('publisher identification', () => {
  const rule = {
    uri: '',
    match: 'prefix',
    allow: { call: true, register: true, publish: true, subscribe: true },
  } as const;

  it('shows the publisher when the role discloses it', () => {
    const { session } = testRealm({ name: 'user', permissions: [{ ...rule, disclose: { publisher: true } }] });
    const [a, b] = [session(), session()];
    b.tell(32, 1, {}, topic).heard();
    a.tell(16, 1, {}, topic);
    expect(b.heard()[0]?.[3]).toEqual({ publisher: 1, publisher_authid: 'authid1', publisher_authrole: 'user' });
  });

  it('refuses disclose_me where the role does not', () => {
    const { session } = testRealm({ name: 'user', permissions: [rule] });
    const [a, b] = [session(), session()];
    b.tell(32, 1, {}, topic).heard();
    a.tell(16, 1, { disclose_me: true, acknowledge: true }, topic);
    expect(a.heard()[0]?.[4]).toBe('wamp.error.option_disallowed.disclose_me');
    expect(b.heard()).toEqual([]);
  });
});

describe('payload passthru', () => {
  it('copies the attributes of the publisher into the events, also of patterns', () => {
    const { broker, session } = testBroker();
    const a = session(undefined, 'publisher.payload_passthru_mode');
    const b = session();
    b.subscribe('x');
    b.subscribe('', { match: 'prefix' });
    b.heard();
    const attributes = { ppt_scheme: 'x_mine', ppt_serializer: 'cbor', ppt_cipher: 'aes256gcm', ppt_keyid: 'k' };
    a.publish('x', { ...attributes, acknowledge: false }, payloadOf([1]));
    expect(b.heard()).toEqual([
      [36, 1, 1001, attributes, [1]],
      [36, 2, 1001, { ...attributes, topic: 'x' }, [1]],
    ]);
    broker.publish('x', payloadOf([2]), { enc_algo: 'cryptobox', enc_key: 'k', enc_serializer: 'json' });
    expect(b.heard()[0]).toEqual([36, 1, 1002, { enc_algo: 'cryptobox', enc_key: 'k', enc_serializer: 'json' }, [2]]);
  });

  it('is for publishers that announced it', () => {
    const { session } = testBroker();
    const [a, b] = [session(), session()];
    b.subscribe('x');
    b.heard();
    expect(() => a.publish('x', { ppt_scheme: 'wamp' })).toThrow(ProtocolViolation);
    expect(b.heard()).toEqual([]);
    a.publish('x', { enc_algo: 'cryptobox' }, payloadOf([1]));
    expect(b.heard()).toEqual([[36, 1, 1002, { enc_algo: 'cryptobox' }, [1]]]);
  });
});
