/** Topics and filters of MQTT as clients of WAMP see them, in the daemon: one of each kind. */
import { connect as connectSocket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endTheirClients } from '../../support/mqtt-clients.js';
import { MqttNode, published, subscribed } from '../../support/mqtt-node.js';
import { connect as connectPacket, field, packet } from '../../support/mqtt-packets.js';
import { RawMqtt } from '../../support/mqtt-transport.js';

let node: MqttNode;
beforeAll(async () => {
  node = await MqttNode.start({ mqtt: [{}, { topic_mapping: 'crossbar' }] });
});
afterAll(() => node.daemon.dispose());
afterEach(() => Promise.all([endTheirClients(), node.endWamp()]));

/** The first level of all topics of one test. */
let own = '';
let tests = 0;
beforeEach(() => {
  own = `t${++tests}`;
});

const hex = (text: string): object => ({ $bin: Buffer.from(text).toString('hex') });

describe('a topic', () => {
  it.each([
    ['a/b', 'a.b'],
    ['dev/a.b/c d', 'dev.a%2Eb.c%20d'],
    ['lead//x/', 'lead.%.x.%'],
    ['100%/%/%41', '100%25.%25.%2541'],
    ['Grün/😀\t', 'Grün.😀%09'],
    ['$SYS/x', '$SYS.x'],
  ])('%s is %s, in both directions', async (topic, uri) => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp()];
    await mqtt.subscribe([`${own}/${topic}`, 1]);
    await subscribed(wamp, `${own}.${uri}`);
    await mqtt.publish(`${own}/${topic}`, 'from MQTT', { qos: 1 });
    expect(await mqtt.take(1)).toEqual([`${own}/${topic} from MQTT q1`]);
    expect((await wamp.next())[4]).toEqual(hex('from MQTT'));
    await published(wamp, `${own}.${uri}`, ['from WAMP']);
    expect(await mqtt.take(1)).toEqual([`${own}/${topic} from WAMP q1`]);
  });

  it('may begin with an empty level', async () => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp()];
    await mqtt.subscribe([`/${own}`, 1]);
    await published(wamp, `%.${own}`, ['x']);
    expect(await mqtt.take(1)).toEqual([`/${own} x q1`]);
  });

  it.each([
    ['a.%41', 'a/%41'],
    ['100%', '100%'],
  ])('of the URI %s, which no topic has, is %s', async (uri, topic) => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp()];
    await mqtt.subscribe([`${own}/#`, 1]);
    await published(wamp, `${own}.${uri}`, ['x']);
    expect(await mqtt.take(1)).toEqual([`${own}/${topic} x q1`]);
  });

  it('is none where the URI has a slash in it: no client gets the event', async () => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp()];
    await mqtt.subscribe([`${own}/#`, 1]);
    await published(wamp, `${own}.a/b`, ['x']);
    await published(wamp, `${own}.end`, ['x']);
    expect(await mqtt.take(1)).toEqual([`${own}/end x q1`]);
    const line = await node.dropped('event for clients of MQTT', 0);
    expect(line).toEqual([`${own}.a/b`, 'it has no topic, or no payload mapping']);
  });
});

describe('a topic, as in Crossbar.io', () => {
  const crossbar = () => node.mqtt({ port: node.port(1) });

  it('a.b comes back as a/b', async () => {
    const [mqtt, wamp] = [await crossbar(), await node.wamp()];
    await mqtt.subscribe([`${own}/a/+`, 1]);
    await subscribed(wamp, `${own}.a.b`);
    await mqtt.publish(`${own}/a.b`, 'x', { qos: 1 });
    expect(await mqtt.take(1)).toEqual([`${own}/a/b x q1`]);
    expect((await wamp.next())[4]).toEqual(hex('x'));
    await published(wamp, `${own}.a.b`, ['y']);
    expect(await mqtt.take(1)).toEqual([`${own}/a/b y q1`]);
  });

  it.each(['a//b', 'a b'])(
    '%s has no URI: it is acknowledged and dropped, and cannot be subscribed to',
    async (topic) => {
      const mqtt = await crossbar();
      expect(await mqtt.subscribe([`${own}/${topic}`, 1])).toEqual([0x80]);
      await mqtt.publish(`${own}/${topic}`, 'x', { qos: 2 });
      await mqtt.subscribe([`${own}/#`, 1]);
      await mqtt.publish(`${own}/end`, 'x', { qos: 1 });
      expect(await mqtt.take(1)).toEqual([`${own}/end x q1`]);
    },
  );
});

describe('a filter', () => {
  it.each([
    ['~/a/b', ['~/a/b'], ['~/a', '~/a/b/c', '~/A/b']],
    ['~/+/c', ['~/a/c', '~//c', '~/a.b/c'], ['~/c', '~/a/b/c', '~/a/c/d']],
    ['~/a/#', ['~/a', '~/a/b', '~/a/b/c', '~/a/'], ['~/ab', '~']],
    ['~/+/#', ['~/a', '~/a/b', '~/'], ['~']],
    ['~/a/+/#', ['~/a/b', '~/a/b/c'], ['~/a', '~/b/a/c']],
    ['+/+/~', ['a/b/~', '/b/~'], ['b/~', '$a/b/~', 'a/b/c/~', 'wamp/b/~']],
    ['+/~/#', ['a/~', 'a/~/b', '/~'], ['$a/~', 'a/b/~']],
    ['/+/~', ['/a/~'], ['a/~', 'b/a/~']],
    ['$a/~/#', ['$a/~/b'], ['a/~/b']],
  ])('%s means %j, and not %j', async (filter, meant, others) => {
    const named = (topic: string): string => topic.replace('~', own);
    const [mqtt, sender] = [await node.mqtt(), await node.mqtt()];
    const end = `${own}/end/of/all`;
    expect(await mqtt.subscribe([named(filter), 1], [end, 1])).toEqual([1, 1]);
    for (const topic of [...others, ...meant]) await sender.publish(named(topic), 'x', { qos: 1 });
    await sender.publish(end, 'x', { qos: 1 });
    const got: string[] = [];
    while (got.at(-1) !== `${end} x q1`) got.push(...(await mqtt.take(1)));
    // Where the end is meant, too, it comes for both.
    expect([...new Set(got)]).toEqual([...meant.map((topic) => `${named(topic)} x q1`), `${end} x q1`]);
  });

  it('# means all but what begins with $, and not what the router says of itself', async () => {
    const mqtt = await node.mqtt();
    expect(await mqtt.subscribe(['#', 1])).toEqual([1]);
    // That somebody joins is an event with the URI wamp.session.on_join.
    const wamp = await node.wamp();
    for (const uri of [`$SYS.${own}`, `${own}.x`, own]) await published(wamp, uri, ['x']);
    expect(await mqtt.take(2)).toEqual([`${own}/x x q1`, `${own} x q1`]);
    await mqtt.subscribe(['wamp/session/on_join', 1]);
    await node.wamp();
    expect(await mqtt.take(1)).toEqual([expect.stringMatching(/^wamp\/session\/on_join \{"args":\[\{.*\}\]\} q0$/)]);
  });

  it('that is none is refused, and the others of its packet are not', async () => {
    const raw = await RawMqtt.of(connectSocket(node.port(), '127.0.0.1'), 'connect');
    raw.write(connectPacket({ rest: [field(own)] }));
    expect(await raw.next()).toBe('connack 0');
    const filters = ['a', 'a#', 'a/#/b', 'a+', 'b/+', '+a', ''];
    raw.write(packet(0x82, [0, 7], ...filters.flatMap((filter) => [field(filter), [1]])));
    expect(await raw.next()).toBe('suback 7: 1,128,128,128,1,128,128');
    raw.socket.destroy();
  });
});
