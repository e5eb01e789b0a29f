/** Payloads of MQTT and of WAMP, in the daemon: each mapping, with clients of WAMP in each format, in both directions. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FORMATS } from '../../support/formats.js';
import { endTheirClients } from '../../support/mqtt-clients.js';
import { MqttNode, published, subscribed } from '../../support/mqtt-node.js';
import { openRealm } from '../../support/node-config.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const NATIVE = ['json', 'msgpack', 'cbor', 'ubjson'] as const;
const WAMP = ['json', 'msgpack', 'cbor'] as const;

let node: MqttNode;
beforeAll(async () => {
  const native = Object.fromEntries(NATIVE.map((serializer) => [`${serializer}.`, { type: 'native', serializer }]));
  const dynamic = { type: 'dynamic', encoder: 'com.example.encode', decoder: 'com.example.decode' };
  // There is no entry for all: what has none of its own is dropped.
  const elsewhere = { ...dynamic, realm: 'codecs' };
  const payload_mapping = { 'raw.': { type: 'passthrough' }, ...native, 'dynamic.': dynamic, 'elsewhere.': elsewhere };
  const realms = [openRealm('realm1'), openRealm('codecs')];
  node = await MqttNode.start({ realms, mqtt: [{ payload_mapping }, { payload_mapping }, { payload_mapping }] });
});
afterAll(() => node.daemon.dispose());
afterEach(() => Promise.all([endTheirClients(), node.endWamp()]));

/** The last level of all topics of one test. */
let own = '';
let tests = 0;
beforeEach(() => {
  own = `t${++tests}`;
});

const BYTES = Buffer.from([0, 1, 254, 255]);
const hex = (bytes: Buffer): object => ({ $bin: bytes.toString('hex') });

/** The next message of a client of MQTT, as octets. */
async function nextPayload(mqtt: Awaited<ReturnType<MqttNode['mqtt']>>, act: () => Promise<void>): Promise<Buffer> {
  const payload = new Promise<Buffer>((resolve) => mqtt.client.once('message', (_topic, bytes) => resolve(bytes)));
  await act();
  return payload;
}

function formatOf(name: string) {
  const format = FORMATS.find(({ type }) => type === name);
  if (format === undefined) throw new Error(`the tests have no format ${name}`);
  return format;
}

describe.each(WAMP)('passthrough, and WAMP in %s', (serializer) => {
  it('the octets stand in the place of Arguments', async () => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp(serializer)];
    const subscription = await subscribed(wamp, `raw.${own}`);
    await mqtt.publish(`raw/${own}`, BYTES);
    const event = [36, subscription, expect.any(Number), { enc_algo: 'mqtt' }, hex(BYTES)];
    expect(await wamp.next()).toEqual(event);
    // An empty one is one, too.
    await mqtt.publish(`raw/${own}`, '');
    expect((await wamp.next())[4]).toEqual(hex(Buffer.alloc(0)));
  });

  it('one text or byte string is the payload, and all else is JSON', async () => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp(serializer)];
    await mqtt.subscribe([`raw/${own}`, 1]);
    const topic = `raw.${own}`;
    const sent = (...rest: readonly unknown[]) =>
      nextPayload(mqtt, async () => {
        await wamp.ask([16, 1, { acknowledge: true }, topic, ...rest]);
      });
    expect((await sent(['Grün'])).toString()).toBe('Grün');
    expect(await sent([hex(BYTES)])).toEqual(BYTES);
    expect(JSON.parse((await sent([1, 'a'], { k: true })).toString())).toEqual({ args: [1, 'a'], kwargs: { k: true } });
    expect(JSON.parse((await sent([7])).toString())).toEqual({ args: [7] });
    expect(JSON.parse((await sent()).toString())).toEqual({ args: [] });
  });

  it('what a client of WAMP sends in the same form arrives as it is', async () => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp(serializer)];
    await mqtt.subscribe([`raw/${own}`, 1]);
    const payload = await nextPayload(mqtt, async () => {
      await wamp.ask([16, 1, { acknowledge: true, enc_algo: 'mqtt' }, `raw.${own}`, hex(BYTES)]);
    });
    expect(payload).toEqual(BYTES);
  });
});

describe.each(NATIVE)('native, %s', (format) => {
  it.each(WAMP)('is args and kwargs of WAMP in %s, in both directions', async (serializer) => {
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp(serializer)];
    const subscription = await subscribed(wamp, `${format}.in.${own}`);
    await mqtt.subscribe([`${format}/out/${own}`, 1]);
    const sent = { args: [1, 'Grün', [true, null]], kwargs: { k: { x: 1.5 } } };
    await mqtt.publish(`${format}/in/${own}`, formatOf(format).write(sent));
    const event = [36, subscription, expect.any(Number), {}, sent.args, sent.kwargs];
    expect(await wamp.next()).toEqual(event);
    const payload = await nextPayload(mqtt, async () => {
      await wamp.ask([16, 1, { acknowledge: true }, `${format}.out.${own}`, sent.args, sent.kwargs]);
    });
    expect(formatOf(format).read(payload)).toEqual(sent);
  });

  it('goes from one client of MQTT to another', async () => {
    const mqtt = await node.mqtt();
    await mqtt.subscribe([`${format}/${own}`, 1]);
    const payload = await nextPayload(mqtt, async () => {
      await mqtt.publish(`${format}/${own}`, formatOf(format).write({ args: ['x'] }));
    });
    expect(formatOf(format).read(payload)).toEqual({ args: ['x'] });
  });
});

describe('native', () => {
  it.each([
    ['is no JSON', 'x'],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['is no dictionary', '[1]'],
    ['has args that are no list', '{"args":1}'],
  ])('what %s is acknowledged and dropped, and the client goes on', async (_what, payload) => {
    const mqtt = await node.mqtt();
    await mqtt.subscribe([`json/${own}`, 1]);
    await mqtt.publish(`json/${own}`, payload, { qos: 2 });
    await mqtt.publish(`json/${own}`, '{"args":[1]}', { qos: 1 });
    expect(await mqtt.take(1)).toEqual([`json/${own} {"args":[1]} q1`]);
  });

  it('says who gets the event', async () => {
    const [mqtt, one, other] = [await node.mqtt(), await node.wamp(), await node.wamp('cbor')];
    for (const client of [one, other]) await subscribed(client, `json.${own}`);
    const send = (dictionary: object) => mqtt.publish(`json/${own}`, JSON.stringify(dictionary), { qos: 1 });
    await send({ args: ['eligible'], eligible: [one.sessionId] });
    await send({ args: ['exclude'], exclude: [one.sessionId] });
    await send({ args: ['exclude_authid'], exclude_authid: [one.welcome.authid] });
    await send({ args: ['eligible_authrole'], eligible_authrole: ['nobody'] });
    await send({ args: ['end'] });
    const argsOf = async (client: JoinedClient, count: number): Promise<unknown[]> => {
      const args: unknown[] = [];
      for (let left = count; left > 0; left--) args.push((await client.next())[4]);
      return args;
    };
    expect(await argsOf(one, 2)).toEqual([['eligible'], ['end']]);
    expect(await argsOf(other, 3)).toEqual([['exclude'], ['exclude_authid'], ['end']]);
  });
});

it('without an entry for it nothing is delivered, not even between clients of MQTT', async () => {
  const [mqtt, wamp] = [await node.mqtt({ port: node.port(1) }), await node.wamp()];
  await subscribed(wamp, `none.${own}`);
  expect(await mqtt.subscribe([`none/${own}`, 1], [`raw/${own}`, 1])).toEqual([1, 1]);
  await mqtt.publish(`none/${own}`, 'x', { qos: 1 });
  await wamp.silent();
  await published(wamp, `none.${own}`, ['x']);
  await published(wamp, `raw.${own}`, ['x']);
  expect(await mqtt.take(1)).toEqual([`raw/${own} x q1`]);
  const line = await node.dropped('event for clients of MQTT', 1);
  expect(line).toEqual([`none.${own}`, 'it has no topic, or no payload mapping']);
});

describe('dynamic', () => {
  /** Registers the two procedures. @returns takes the next call, and what answers it */
  async function procedures(serializer: (typeof WAMP)[number], realm?: string) {
    const callee = await node.wamp(serializer, realm);
    const names = new Map<unknown, string>();
    for (const name of ['encode', 'decode']) {
      names.set((await callee.ask([64, 1, {}, `com.example.${name}`]))[2], name);
    }
    return async () => {
      const [type, request, registration, , args] = await callee.next();
      expect(type).toBe(68);
      const answer = (...result: readonly unknown[]): void => callee.send([70, request, {}, result]);
      return { call: [names.get(registration), ...(args as readonly unknown[])], answer };
    };
  }

  it.each(WAMP)('a decoder in %s makes the event', async (serializer) => {
    const next = await procedures(serializer);
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp(serializer)];
    await subscribed(wamp, `dynamic.${own}.c%20d`);
    const sending = mqtt.publish(`dynamic/${own}/c d`, BYTES, { qos: 1 });
    const { call, answer } = await next();
    expect(call).toEqual(['decode', `dynamic.${own}.c%20d`, `dynamic/${own}/c d`, hex(BYTES)]);
    answer({ args: ['made'], kwargs: { k: 1 }, exclude: [1] });
    await sending;
    expect((await wamp.next()).slice(4)).toEqual([['made'], { k: 1 }]);
  });

  it.each(WAMP)('an encoder in %s makes the payload, once for all who get it', async (serializer) => {
    const next = await procedures(serializer);
    const wamp = await node.wamp(serializer);
    const clients = [await node.mqtt(), await node.mqtt(), await node.mqtt()];
    for (const [index, client] of clients.entries()) await client.subscribe([`dynamic/${own}`, index as 0 | 1 | 2]);
    await wamp.ask([16, 1, { acknowledge: true }, `dynamic.${own}`, [1], { k: 2 }]);
    const { call, answer } = await next();
    expect(call).toEqual(['encode', `dynamic.${own}`, `dynamic/${own}`, [1], { k: 2 }]);
    answer(hex(Buffer.from('made')));
    expect(await Promise.all(clients.map((client) => client.take(1)))).toEqual([
      ...[[`dynamic/${own} made q0`], [`dynamic/${own} made q1`], [`dynamic/${own} made q1`]],
    ]);
    // The next call is of the next event.
    await wamp.ask([16, 1, { acknowledge: true }, `dynamic.${own}`, [2]]);
    const second = await next();
    expect(second.call).toEqual(['encode', `dynamic.${own}`, `dynamic/${own}`, [2], {}]);
    second.answer('a text will do');
    expect(await clients[0]?.take(1)).toEqual([`dynamic/${own} a text will do q0`]);
  });

  it('the order stays, whichever answer comes first', async () => {
    const next = await procedures('cbor');
    const [mqtt, wamp] = [await node.mqtt(), await node.wamp()];
    await subscribed(wamp, `dynamic.in.${own}`);
    await mqtt.subscribe([`dynamic/out/${own}`, 1]);
    const sending = ['1', '2'].map((text) => mqtt.publish(`dynamic/in/${own}`, text, { qos: 1 }));
    const [first, second] = [await next(), await next()];
    second.answer({ args: [2] });
    first.answer({ args: [1] });
    await Promise.all(sending);
    expect([(await wamp.next())[4], (await wamp.next())[4]]).toEqual([[1], [2]]);
    for (const n of [1, 2]) await published(wamp, `dynamic.out.${own}`, [n]);
    const [third, fourth] = [await next(), await next()];
    fourth.answer('2');
    third.answer('1');
    expect(await mqtt.take(2)).toEqual([`dynamic/out/${own} 1 q1`, `dynamic/out/${own} 2 q1`]);
  });

  it('one that is not there, fails, or takes longer than 5 seconds drops the message, and what is behind it comes', async () => {
    const mqtt = await node.mqtt({ port: node.port(2) });
    await mqtt.publish(`dynamic/absent/${own}`, 'x', { qos: 1 });
    const line = await node.dropped('message of a client of MQTT', 2);
    expect(line).toEqual([`dynamic.absent.${own}`, 'com.example.decode failed']);
    const next = await procedures('json');
    const wamp = await node.wamp();
    await subscribed(wamp, `dynamic.`, { match: 'prefix' });
    const sending = ['slow', 'wrong', 'good'].map((level) => mqtt.publish(`dynamic/${level}/${own}`, 'x', { qos: 2 }));
    const [, wrong, good] = [await next(), await next(), await next()];
    wrong.answer('no dictionary');
    good.answer({ args: ['good'] });
    await Promise.all(sending);
    expect((await wamp.next()).slice(3)).toEqual([{ topic: `dynamic.good.${own}` }, ['good']]);
  });

  it('procedures of another realm make the events and payloads of this one, and nothing else goes there', async () => {
    const next = await procedures('cbor', 'codecs');
    // The same procedures where the clients are: nobody calls them.
    const decoy = await node.wamp();
    for (const name of ['encode', 'decode']) await decoy.ask([64, 1, {}, `com.example.${name}`]);
    const [mqtt, wamp, other] = [await node.mqtt(), await node.wamp(), await node.wamp('json', 'codecs')];
    for (const client of [wamp, other]) await subscribed(client, `elsewhere.${own}`);
    await mqtt.subscribe([`elsewhere/${own}`, 1]);

    const sending = mqtt.publish(`elsewhere/${own}`, BYTES, { qos: 1 });
    const decoding = await next();
    expect(decoding.call).toEqual(['decode', `elsewhere.${own}`, `elsewhere/${own}`, hex(BYTES)]);
    decoding.answer({ args: ['made'] });
    expect((await wamp.next()).slice(4)).toEqual([['made']]);
    const encoding = await next();
    expect(encoding.call).toEqual(['encode', `elsewhere.${own}`, `elsewhere/${own}`, ['made'], {}]);
    encoding.answer('made there');
    await sending;
    expect(await mqtt.take(1)).toEqual([`elsewhere/${own} made there q1`]);
    for (const client of [other, decoy]) await client.silent();
  });
});
