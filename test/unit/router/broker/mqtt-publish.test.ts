/** What publishers that speak MQTT say, and their subscribers hear: the QoS beside the event, and that a topic keeps nothing any more. */
import { describe, expect, it } from 'vitest';
import { Role } from '../../../../src/router/role.js';
import { EVENT } from '../../../../src/wamp/message.js';
import type { MqttPublish } from '../../../../src/wamp/message.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import { testBroker } from '../../../support/broker.js';
import { testUplink } from '../../../support/uplink.js';
import type { BrokerSession } from '../../../support/broker.js';

/** The QoS of the events that came, and whether they were retained. */
function events(session: BrokerSession): unknown[] {
  return session
    .messages()
    .flatMap((message) => (message.type === EVENT ? [[message.qos, message.details['retained'] === true]] : []));
}

function mqtt(qos: MqttPublish['qos'], clears = false): MqttPublish {
  return { qos, clears };
}

describe('the QoS of an event', () => {
  it.each([
    ['0 of a publisher of WAMP', {}, undefined, 0],
    ['1 of one that wants an acknowledgement', { acknowledge: true }, undefined, 1],
    ['0 of a publisher of MQTT', {}, mqtt(0), 0],
    ['1', { acknowledge: true }, mqtt(1), 1],
    ['2', { acknowledge: true }, mqtt(2), 2],
  ] as const)('is %s, for a pattern too', (_what, options, published, qos) => {
    const { session } = testBroker();
    const [publisher, exact, prefix] = [session(), session(), session()];
    exact.subscribe('a.b');
    prefix.subscribe('a.', { match: 'prefix' });
    publisher.publish('a.b', options, payloadOf([1]), published);
    expect([events(exact), events(prefix)]).toEqual([[[qos, false]], [[qos, false]]]);
  });

  it('is kept with a retained event', () => {
    const { session } = testBroker();
    const [publisher, subscriber] = [session(), session()];
    publisher.publish('a', { retain: true, acknowledge: true }, payloadOf([1]), mqtt(2));
    subscriber.subscribe('a', { get_retained: true });
    expect(events(subscriber)).toEqual([[2, true]]);
  });

  it('is heard on several nodes though nothing is retained there: a client of MQTT could not be told', () => {
    const { uplink, published } = testUplink();
    const { session } = testBroker({ uplink });
    const publisher = session();
    const options = { retain: true, acknowledge: true };
    expect(() => publisher.publish('a', options)).toThrow('events of a realm on several nodes are not retained');
    publisher.publish('a', options, payloadOf([1]), mqtt(1));
    expect(publisher.heard().map(([type]) => type)).toEqual([17]);
    expect(published).toHaveLength(1);
  });

  it('is nothing that a subscriber of WAMP sees', () => {
    const { session } = testBroker();
    const [publisher, subscriber] = [session(), session()];
    subscriber.subscribe('a');
    publisher.publish('a', { acknowledge: true }, payloadOf([1]), mqtt(2));
    expect(subscriber.heard()[1]).toEqual([36, 1, 1001, {}, [1]]);
  });
});

describe('a publication that clears its topic', () => {
  it('is delivered, and leaves no retained event of that topic, restricted ones neither', () => {
    const { broker, session } = testBroker();
    const [publisher, subscriber] = [session(), session()];
    publisher.publish('a', { retain: true });
    publisher.publish('a', { retain: true, exclude: [99] });
    publisher.publish('a.b', { retain: true });
    subscriber.subscribe('a');
    subscriber.heard();
    publisher.publish('a', {}, payloadOf([]), mqtt(0, true));
    expect(events(subscriber)).toEqual([[0, false]]);
    expect(broker.kept.retainedEvents).toBe(1);
    const late = session();
    late.subscribe('a', { get_retained: true });
    late.subscribe('a.b', { get_retained: true });
    expect(events(late)).toEqual([[0, true]]);
    publisher.publish('a', { retain: true });
    late.subscribe('a', { get_retained: true });
    expect(events(late)).toEqual([
      [0, false],
      [0, true],
    ]);
  });

  it('needs the permission to publish', () => {
    const { broker, session } = testBroker();
    session().publish('a', { retain: true });
    expect(() =>
      session(new Role({ name: 'guest', permissions: [] })).publish('a', {}, payloadOf([]), mqtt(0, true)),
    ).toThrow('not authorized to publish');
    expect(broker.kept.retainedEvents).toBe(1);
  });
});
