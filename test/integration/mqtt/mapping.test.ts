/** Messages of MQTT as events of WAMP, and back, in the daemon: what is retained, who gets an event, who learns of whom, and permissions. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endTheirClients } from '../../support/mqtt-clients.js';
import { MqttNode, published, subscribed } from '../../support/mqtt-node.js';
import { ALLOW_ALL } from '../../support/node-config.js';

const AUTHORIZER = 'com.example.authorize';
const everything = (uri: string, more: object = {}): object => ({ ...ALLOW_ALL[0], uri, ...more });
const nothing = (uri: string): object => ({ uri, match: 'prefix', allow: {} });
const roles = [
  { name: 'anonymous', permissions: [everything(''), everything('shown.', { disclose: { publisher: true } })] },
  { name: 'limited', permissions: [everything(''), nothing('secret.'), nothing('never.')] },
  { name: 'asked', authorizer: AUTHORIZER },
];
const principals = {
  limited: { ticket: 'l-secret', role: 'limited' },
  asked: { ticket: 'a-secret', role: 'asked' },
};
const limited = { username: 'limited', password: 'l-secret' };
const asked = { username: 'asked', password: 'a-secret' };

let node: MqttNode;
beforeAll(async () => {
  const auth = { anonymous: { type: 'static', role: 'anonymous' }, ticket: { type: 'static', principals } };
  const native = { 'native.': { type: 'native', serializer: 'json' }, '': { type: 'passthrough' } };
  node = await MqttNode.start({
    realms: [{ name: 'realm1', roles }],
    mqtt: [{ auth, payload_mapping: native }],
  });
});
afterAll(() => node.daemon.dispose());
afterEach(() => Promise.all([endTheirClients(), node.endWamp()]));

/** A level of all topics of one test. */
let own = '';
let tests = 0;
beforeEach(() => {
  own = `t${++tests}`;
});

const hex = (text: string): object => ({ $bin: Buffer.from(text).toString('hex') });

describe('what is retained', () => {
  it.each([
    ['exact', 'a.b'],
    ['prefix', 'a.'],
    ['wildcard', '.b'],
  ])('by MQTT reaches WAMP with a subscription that is %s, until it is cleared', async (match, rest) => {
    const mqtt = await node.mqtt();
    const [pattern, options] = [`${own}.${rest}`, { match, get_retained: true }];
    await mqtt.publish(`${own}/a/b`, 'kept', { qos: 1, retain: true });
    const before = await node.wamp();
    await subscribed(before, pattern, options);
    const [type, , , details, args] = await before.next();
    expect([type, args]).toEqual([36, hex('kept')]);
    expect(details).toMatchObject({ retained: true, enc_algo: 'mqtt' });
    await mqtt.publish(`${own}/a/b`, '', { qos: 1, retain: true });
    // To those who are subscribed it is an event.
    expect((await before.next())[4]).toEqual(hex(''));
    const after = await node.wamp('cbor');
    await subscribed(after, pattern, options);
    await after.silent();
  });

  it('by WAMP reaches MQTT, for filters with wildcards, too, and is cleared by an empty message', async () => {
    const [wamp, mqtt] = [await node.wamp('msgpack'), await node.mqtt()];
    await published(wamp, `${own}.a.b`, ['kept'], { retain: true });
    for (const filter of [`${own}/a/b`, `${own}/+/b`, `${own}/#`, `+/a/b`]) {
      const reader = await node.mqtt();
      await reader.subscribe([filter, 1]);
      expect(await reader.take(1)).toEqual([`${own}/a/b kept q1 retained`]);
    }
    await mqtt.publish(`${own}/a/b`, '', { retain: true });
    await mqtt.publish(`${own}/x`, '', { qos: 1 });
    const after = await node.wamp();
    await subscribed(after, `${own}.a.b`, { get_retained: true });
    await after.silent();
    const reader = await node.mqtt();
    await reader.subscribe([`${own}/#`, 1]);
    await mqtt.publish(`${own}/end`, 'x', { qos: 1 });
    expect(await reader.take(1)).toEqual([`${own}/end x q1`]);
  });

  it('is of the last one who retained, whichever protocol he speaks', async () => {
    const [wamp, mqtt] = [await node.wamp(), await node.mqtt()];
    await mqtt.publish(`${own}/a`, 'first', { qos: 1, retain: true });
    await published(wamp, `${own}.a`, ['second'], { retain: true });
    const reader = await node.mqtt();
    await reader.subscribe([`${own}/a`, 0]);
    expect(await reader.take(1)).toEqual([`${own}/a second q0 retained`]);
  });
});

describe('the QoS of an event of WAMP', () => {
  it('is 1 if it is acknowledged, and else 0', async () => {
    const [wamp, mqtt] = [await node.wamp(), await node.mqtt()];
    await mqtt.subscribe([`${own}/a`, 2]);
    wamp.send([16, 1, {}, `${own}.a`, ['once at most']]);
    await published(wamp, `${own}.a`, ['once at least']);
    expect(await mqtt.take(2)).toEqual([`${own}/a once at most q0`, `${own}/a once at least q1`]);
  });
});

describe('who gets a message', () => {
  it('is also its publisher, for MQTT has no other way', async () => {
    const mqtt = await node.mqtt();
    await mqtt.subscribe([`${own}/a`, 1]);
    await mqtt.publish(`${own}/a`, 'x', { qos: 1 });
    expect(await mqtt.take(1)).toEqual([`${own}/a x q1`]);
  });

  it('is also a client of WAMP with a pattern', async () => {
    const mqtt = await node.mqtt();
    const [prefix, wildcard] = [await node.wamp(), await node.wamp('cbor')];
    await subscribed(prefix, `${own}.a`, { match: 'prefix' });
    await subscribed(wildcard, `${own}..c`, { match: 'wildcard' });
    await mqtt.publish(`${own}/a.b/c`, 'x', { qos: 1 });
    for (const wamp of [prefix, wildcard]) {
      const [, , , details, args] = await wamp.next();
      expect([details, args]).toEqual([{ topic: `${own}.a%2Eb.c`, enc_algo: 'mqtt' }, hex('x')]);
    }
  });

  it('may be said by a client of WAMP: a client of MQTT is a session like others', async () => {
    const [wamp, one, other] = [await node.wamp(), await node.mqtt(limited), await node.mqtt()];
    for (const mqtt of [one, other]) await mqtt.subscribe([`${own}/a`, 1]);
    await published(wamp, `${own}.a`, ['not for you'], { exclude_authid: ['limited'] });
    await published(wamp, `${own}.a`, ['for you'], { eligible_authrole: ['limited'] });
    await published(wamp, `${own}.a`, ['for all']);
    expect(await one.take(2)).toEqual([`${own}/a for you q1`, `${own}/a for all q1`]);
    expect(await other.take(2)).toEqual([`${own}/a not for you q1`, `${own}/a for all q1`]);
  });
});

describe('the publisher', () => {
  it('is told to WAMP where the role discloses it, and not elsewhere', async () => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp()];
    for (const topic of ['shown', 'hidden']) await subscribed(wamp, `${topic}.${own}`);
    await mqtt.publish(`shown/${own}`, 'x', { qos: 1 });
    const [, , , shown] = await wamp.next();
    expect(shown).toMatchObject({
      ...{ enc_algo: 'mqtt', publisher: expect.any(Number) as number },
      ...{ publisher_authid: expect.any(String) as string, publisher_authrole: 'anonymous' },
    });
    await mqtt.publish(`hidden/${own}`, 'x', { qos: 1 });
    expect((await wamp.next())[3]).toEqual({ enc_algo: 'mqtt' });
  });
});

describe('permissions', () => {
  it('a message that is refused is acknowledged, dropped and logged; a filter that is refused is told', async () => {
    const [mqtt, wamp] = [await node.mqtt(limited), await node.wamp()];
    await subscribed(wamp, 'secret.', { match: 'prefix' });
    await mqtt.publish(`secret/${own}`, 'x', { qos: 1 });
    await mqtt.publish(`secret/${own}`, 'x', { qos: 2 });
    expect(await mqtt.subscribe([`secret/${own}`, 1], ['secret/#', 1], ['#', 1], [`${own}/#`, 1])).toEqual([
      ...[0x80, 0x80, 0x80, 1],
    ]);
    await mqtt.publish(`${own}/a`, 'x', { qos: 1 });
    expect(await mqtt.take(1)).toEqual([`${own}/a x q1`]);
    await wamp.silent();
    expect(await node.dropped('message of a client of MQTT', 0)).toEqual([
      `secret.${own}`,
      'wamp.error.not_authorized',
    ]);
  });

  it('an authorizer is asked for each message and each pattern, and the order stays', async () => {
    const authorizer = await node.wamp();
    await authorizer.ask([64, 1, {}, AUTHORIZER]);
    const questions: unknown[] = [];
    const answering = (async () => {
      while (questions.length < 6) {
        const [, request, , , args] = await authorizer.next();
        const [, uri, action] = args as readonly unknown[];
        questions.push(`${String(action)} ${String(uri)}`);
        authorizer.send([70, request, {}, [!String(uri).includes('no')]]);
      }
    })();
    const mqtt = await node.mqtt(asked);
    expect(await mqtt.subscribe([`${own}/yes/#`, 1], [`${own}/no`, 1])).toEqual([1, 0x80]);
    const sent = ['yes/1', 'no', 'yes/2'].map((topic) => mqtt.publish(`${own}/${topic}`, 'x', { qos: 1 }));
    await Promise.all([...sent, answering]);
    expect(await mqtt.take(2)).toEqual([`${own}/yes/1 x q1`, `${own}/yes/2 x q1`]);
    expect(questions).toEqual([
      ...[`subscribe ${own}.yes.`, `subscribe ${own}.yes`, `subscribe ${own}.no`],
      ...[`publish ${own}.yes.1`, `publish ${own}.no`, `publish ${own}.yes.2`],
    ]);
  });
});
