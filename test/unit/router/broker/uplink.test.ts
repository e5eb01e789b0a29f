/** A broker with other nodes: an uplink that answers when the test says so. */
import { expect, it } from 'vitest';

import { ErrorUri, WampError } from '../../../../src/wamp/error.js';
import { Budget } from '../../../../src/router/budget.js';
import { testBroker } from '../../../support/broker.js';
import { testUplink } from '../../../support/uplink.js';

const TOPIC = 'com.app.topic';
const PATTERN = { uri: TOPIC, match: 'exact' } as const;
const ERROR = 8;
const SUBSCRIBE = 32;
const SUBSCRIBED = 33;
const EVENT = 36;

function testNode() {
  const others = testUplink();
  const budget = new Budget();
  return { ...testBroker({ uplink: others.uplink, budget }), ...others, budget };
}

it('sends SUBSCRIBED when the uplink is done, and no event before it', () => {
  const { session, broker, done, published, told } = testNode();
  const [subscriber, publisher] = [session(), session()];
  subscriber.subscribe(TOPIC);
  publisher.publish(TOPIC);
  for (const publication of published) broker.deliver(PATTERN, publication);
  expect(subscriber.heard()).toEqual([]);
  expect(told).toEqual([]);
  done[0]?.();
  expect(subscriber.heard()).toEqual([[SUBSCRIBED, 1, 7000 + TOPIC.length]]);
  for (const publication of published) broker.deliver(PATTERN, publication);
  expect(subscriber.heard().map(([type]) => type)).toEqual([EVENT]);
  expect(told.map(([event]) => event)).toEqual(['created', 'joined']);
});

it('asks once for a pattern: later sessions wait for the same answer, and then for none', () => {
  const { session, done, log } = testNode();
  const [first, second, third] = [session(), session(), session()];
  for (const each of [first, second, first]) each.subscribe(TOPIC);
  done[0]?.();
  third.subscribe(TOPIC);
  expect([first, second, third].map((each) => each.heard().length)).toEqual([2, 1, 1]);
  expect(log).toEqual([`wanted ${TOPIC}`]);
});

it('leaves nothing of a session that went in between, and an answer that is late does no harm', () => {
  const { session, broker, done, log, budget } = testNode();
  const [gone, next] = [session(), session()];
  gone.subscribe(TOPIC);
  broker.remove(gone);
  expect(log).toEqual([`wanted ${TOPIC}`, `unwanted ${TOPIC}`]);
  expect(budget.keptBytes).toBe(0);
  next.subscribe(TOPIC);
  done[0]?.();
  expect([...gone.heard(), ...next.heard()]).toEqual([]);
  done[1]?.();
  expect(next.heard()).toHaveLength(1);
  broker.remove(next);
  expect(log.at(-1)).toBe(`unwanted ${TOPIC}`);
  for (const count of Object.values(broker.size)) expect(count).toBe(0);
  expect(budget.keptBytes).toBe(0);
});

it('gives all who wait the error of the uplink, and keeps nothing of them', () => {
  const { session, broker, uplink, budget, log } = testNode();
  const refusals: ((error: WampError) => void)[] = [];
  uplink.wanted = (_pattern, done) => void refusals.push(done);
  const [one, two] = [session(), session()];
  for (const each of [one, two, one]) each.subscribe(TOPIC);
  expect(budget.keptBytes).toBeGreaterThan(0);
  for (const refuse of refusals) refuse(new WampError(ErrorUri.INVALID_URI, 'too long'));
  const error = [ERROR, SUBSCRIBE, 1, {}, ErrorUri.INVALID_URI, ['too long']];
  expect(two.heard()).toEqual([error]);
  expect(one.heard().map(([type]) => type)).toEqual([ERROR, ERROR]);
  expect(budget.keptBytes).toBe(0);
  broker.remove(one);
  for (const count of Object.values(broker.size)) expect(count).toBe(0);
  expect(log).toEqual([]);
});

it('delivers for one pattern: the subscribers of others have a delivery of their own', () => {
  const { session, broker, done, published } = testNode();
  const [exact, prefix] = [session(), session()];
  exact.subscribe(TOPIC);
  prefix.subscribe('com.app', { match: 'prefix' });
  for (const each of done) each();
  for (const each of [exact, prefix]) each.heard();
  session().publish(TOPIC);
  const [publication] = published;
  if (publication === undefined) throw new Error('nothing was published');
  broker.deliver({ uri: 'com.app', match: 'prefix' }, publication);
  expect(exact.heard()).toEqual([]);
  expect(prefix.heard().map((event) => event[3])).toEqual([{ topic: TOPIC }]);
  broker.deliver(PATTERN, publication);
  broker.deliver({ uri: 'com.app.nobody', match: 'exact' }, publication);
  expect(exact.heard().map((event) => event[3])).toEqual([{}]);
  expect(prefix.heard()).toEqual([]);
});

it('serves what a session sends behind a SUBSCRIBE that waits', () => {
  const { session, published, done } = testNode();
  const one = session();
  one.subscribe(TOPIC);
  one.publish('com.app.other', { acknowledge: true });
  expect(one.heard().map(([type]) => type)).toEqual([17]);
  expect(published).toHaveLength(1);
  done[0]?.();
  expect(one.heard().map(([type]) => type)).toEqual([SUBSCRIBED]);
});

it('decides at delivery who gets a publication, of this node or another', () => {
  const { session, broker, done, published } = testNode();
  const [one, two, three] = [session(), session(), session()];
  for (const each of [one, two, three]) each.subscribe(TOPIC);
  done[0]?.();
  for (const each of [one, two, three]) each.heard();
  one.publish(TOPIC, { exclude: [two.id] });
  const [publication] = published;
  expect(publication).toMatchObject({ excluded: one.id, options: { exclude: [two.id] } });
  if (publication !== undefined) broker.deliver(PATTERN, publication);
  expect([one, two, three].map((each) => each.heard().length)).toEqual([0, 0, 1]);
});
