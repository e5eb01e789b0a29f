/** Wills of clients of MQTT beside testaments of sessions of WAMP, in the daemon, and what the end of the node leaves. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import { endTheirClients, JsClient } from '../../support/mqtt-clients.js';
import type { MqttWill } from '../../support/mqtt-clients.js';
import { MqttNode, subscribed } from '../../support/mqtt-node.js';
import { ALLOW_ALL, LOOPBACK } from '../../support/node-config.js';
import { directoryWith } from '../../support/node-directory.js';

const AUTHORIZER = 'com.example.authorize';
const principals = {
  mute: { ticket: 'm-secret', role: 'mute' },
  asked: { ticket: 'a-secret', role: 'asked' },
};
const auth = { anonymous: { type: 'static', role: 'anonymous' }, ticket: { type: 'static', principals } };
const roles = [
  { name: 'anonymous', permissions: ALLOW_ALL },
  { name: 'mute', permissions: [{ uri: '', match: 'prefix', allow: { subscribe: true } }] },
  { name: 'asked', authorizer: AUTHORIZER },
];
const parts = { realms: [{ name: 'realm1', roles }], mqtt: [{ auth }] };

let node: MqttNode;
beforeAll(async () => {
  node = await MqttNode.start(parts);
});
afterAll(() => node.daemon.dispose());
afterEach(() => Promise.all([endTheirClients(), node.endWamp()]));

/** A level of all topics of one test. */
let own = '';
let tests = 0;
beforeEach(() => {
  own = `t${++tests}`;
});

const willOf = (topic: string, more: Partial<MqttWill> = {}): { readonly will: MqttWill } => ({
  will: { topic: `${own}/${topic}`, payload: 'gone', qos: 1, retain: false, ...more },
});

const hex = (text: string): object => ({ $bin: Buffer.from(text).toString('hex') });

it('a will and a testament come when the connection is cut, each to clients of both protocols', async () => {
  const [heir, wampHeir] = [await node.mqtt(), await node.wamp()];
  await heir.subscribe([`${own}/#`, 1]);
  await subscribed(wampHeir, `${own}.`, { match: 'prefix' });
  const testator = await node.wamp();
  const testament = [48, 1, {}, 'wamp.session.add_testament', [`${own}.testament`, ['gone'], {}]];
  expect((await testator.ask(testament))[0]).toBe(50);
  const mqtt = await node.mqtt(willOf('will', { retain: true }));
  await testator.drop();
  expect(await heir.take(1)).toEqual([expect.stringMatching(new RegExp(`^${own}/testament `))]);
  await mqtt.cut();
  expect(await heir.take(1)).toEqual([`${own}/will gone q1`]);
  expect((await wampHeir.next())[3]).toMatchObject({ topic: `${own}.testament` });
  const [, , , details, args] = await wampHeir.next();
  expect([details, args]).toEqual([{ topic: `${own}.will`, enc_algo: 'mqtt' }, hex('gone')]);
  const later = await node.wamp('cbor');
  await subscribed(later, `${own}.will`, { get_retained: true });
  expect((await later.next())[4]).toEqual(hex('gone'));
});

it('the will of a client that is kept comes when its connection is cut, and once', async () => {
  const heir = await node.mqtt();
  await heir.subscribe([`${own}/#`, 1]);
  const mqtt = await node.mqtt({ clientId: own, clean: false, ...willOf('will') });
  await mqtt.cut();
  expect(await heir.take(1)).toEqual([`${own}/will gone q1`]);
  const back = await node.mqtt({ clientId: own, clean: false });
  expect(back.isPresent).toBe(true);
  await back.leave();
  const forgotten = await node.mqtt({ clientId: own, clean: true });
  await forgotten.publish(`${own}/end`, 'x', { qos: 1 });
  expect(await heir.take(1)).toEqual([`${own}/end x q1`]);
});

it('the will of a client whose place another one takes comes, and that of the other one is its own', async () => {
  const heir = await node.mqtt();
  await heir.subscribe([`${own}/#`, 1]);
  const before = await node.mqtt({ clientId: own, ...willOf('before') });
  const after = await node.mqtt({ clientId: own, ...willOf('after') });
  await before.closed;
  expect(await heir.take(1)).toEqual([`${own}/before gone q1`]);
  await after.cut();
  expect(await heir.take(1)).toEqual([`${own}/after gone q1`]);
});

it('the will of a client whose session an operator ends comes', async () => {
  const [heir, operator] = [await node.mqtt(), await node.wamp()];
  await heir.subscribe([`${own}/#`, 1]);
  await subscribed(operator, 'wamp.session.on_join');
  const mqtt = await node.mqtt(willOf('will'));
  const [, , , , [details] = []] = (await operator.next()) as [36, 0, 0, 0, { session: number }[]?];
  operator.send([48, 1, {}, 'wamp.session.kill', [details?.session]]);
  await mqtt.closed;
  expect(await heir.take(1)).toEqual([`${own}/will gone q1`]);
});

describe('whether a will may be published', () => {
  it('is asked when it is published: one that may not be is dropped', async () => {
    const heir = await node.mqtt();
    await heir.subscribe([`${own}/#`, 1]);
    const mqtt = await node.mqtt({ username: 'mute', password: 'm-secret', ...willOf('will') });
    await mqtt.cut();
    expect(await node.dropped('message of a client of MQTT', 0)).toEqual([`${own}.will`, 'wamp.error.not_authorized']);
    const sender = await node.mqtt();
    await sender.publish(`${own}/end`, 'x', { qos: 1 });
    expect(await heir.take(1)).toEqual([`${own}/end x q1`]);
  });

  it('is asked of an authorizer, too', async () => {
    const [heir, authorizer] = [await node.mqtt(), await node.wamp()];
    await heir.subscribe([`${own}/#`, 1]);
    await authorizer.ask([64, 1, {}, AUTHORIZER]);
    const mqtt = await node.mqtt({ username: 'asked', password: 'a-secret', ...willOf('will') });
    // Nobody has asked so far.
    await authorizer.silent();
    await mqtt.cut();
    const [type, request, , , args] = await authorizer.next();
    expect([type, (args as unknown[]).slice(1, 3)]).toEqual([68, [`${own}.will`, 'publish']]);
    authorizer.send([70, request, {}, [true]]);
    expect(await heir.take(1)).toEqual([`${own}/will gone q1`]);
  });
});

/** It is there until all clients are gone. */
const HEIR = `
  export default async (session, { log }) => {
    const say = (args, kwargs, { topic }) => log.info({ topic }, 'heard');
    await session.subscribe('', say, { match: 'prefix' });
  };
`;

it('when the node stops, clients are closed, and all wills are published', async () => {
  const mqttTransport = { type: 'mqtt', endpoint: LOOPBACK, options: { realm: 'realm1', auth } };
  const heir = { type: 'module', module: './heir.mjs', realm: 'realm1', role: 'anonymous' };
  const worker = { type: 'router', realms: parts.realms, components: [heir], transports: [mqttTransport] };
  const cbdir = directoryWith({ 'heir.mjs': HEIR });
  const daemon = await startDaemon({ cbdir, config: { version: 2, controller: {}, workers: [worker] } });
  try {
    const clients = await Promise.all(
      ['a', 'b', 'c'].map((topic) =>
        JsClient.connect({ port: daemon.port, clientId: topic, clean: topic === 'a', ...willOf(topic) }),
      ),
    );
    const code = daemon.stop();
    await Promise.all(clients.map(({ closed }) => closed));
    expect(await code).toBe(0);
    const heard = daemon.logs.filter(({ msg, topic }) => msg === 'heard' && String(topic).startsWith(own));
    expect(heard.map(({ topic }) => topic).sort()).toEqual(['a', 'b', 'c'].map((topic) => `${own}.${topic}`));
  } finally {
    await daemon.dispose();
  }
});
