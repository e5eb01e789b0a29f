/** Clients of MQTT that others have written, on the transport `mqtt`: mqtt.js and those of mosquitto. */
import { afterEach, describe, expect, it } from 'vitest';
import { endTheirClients, HAS_MOSQUITTO, JsClient, runMosquitto } from '../../support/mqtt-clients.js';
import type { MqttClientOptions } from '../../support/mqtt-clients.js';
import { MqttTransport } from '../../support/mqtt-transport.js';
import type { MqttTransportOptions } from '../../support/mqtt-transport.js';
import { describeNeeds } from '../../support/needs.js';
import { within } from '../../support/wamp-client.js';

const open: MqttTransport[] = [];

afterEach(async () => {
  await endTheirClients();
  for (const transport of open.splice(0)) await transport.stop();
});

async function start(options: MqttTransportOptions = {}): Promise<MqttTransport> {
  const transport = await MqttTransport.start(options);
  open.push(transport);
  return transport;
}

const TICKETS = {
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'anonymous' } } },
} as const;

function connect({ port }: MqttTransport, options: Partial<MqttClientOptions> = {}): Promise<JsClient> {
  return JsClient.connect({ port, ...options });
}

describe('mqtt.js', () => {
  it.each([0, 1, 2] as const)('gets and sends messages of QoS %i', async (qos) => {
    const transport = await start();
    const [sender, receiver] = [await connect(transport), await connect(transport)];
    expect(await receiver.subscribe(['a/#', qos])).toEqual([qos]);
    const texts = Array.from({ length: 300 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => sender.publish('a/b', text, { qos })));
    expect(await receiver.take(300)).toEqual(texts.map((text) => `a/b ${text} q${qos}`));
  });

  it('large messages come whole', async () => {
    const transport = await start();
    const client = await connect(transport);
    await client.subscribe(['a', 1]);
    const texts = [100_000, 900_000].map((length) => 'x'.repeat(length));
    for (const text of texts) {
      await client.publish('a', text, { qos: 1 });
      expect(await client.take(1)).toEqual([`a ${text} q1`]);
    }
  });

  it('is told what was retained, until that is cleared', async () => {
    const transport = await start();
    const sender = await connect(transport);
    await sender.publish('a/b', 'kept', { qos: 1, retain: true });
    const first = await connect(transport);
    await first.subscribe(['a/+', 1]);
    expect(await first.take(1)).toEqual(['a/b kept q1 retained']);
    await sender.publish('a/b', '', { qos: 1, retain: true });
    const second = await connect(transport);
    await second.subscribe(['a/+', 1]);
    await sender.publish('a/c', 'now', { qos: 1 });
    expect(await second.take(1)).toEqual(['a/c now q1']);
  });

  it('leaves a will when it is cut off, and none when it says DISCONNECT', async () => {
    const transport = await start();
    const heir = await connect(transport);
    await heir.subscribe(['will/#', 1]);
    const will = { payload: 'gone', qos: 1, retain: false } as const;
    const polite = await connect(transport, { will: { ...will, topic: 'will/polite' } });
    await polite.leave();
    const cut = await connect(transport, { will: { ...will, topic: 'will/cut' } });
    await cut.cut();
    expect(await heir.take(1)).toEqual(['will/cut gone q1']);
  });

  it('finds what came while it was away', async () => {
    const transport = await start();
    const options = { clientId: 'me', clean: false };
    const before = await connect(transport, options);
    await before.subscribe(['a', 2]);
    await before.leave();
    const sender = await connect(transport);
    await sender.publish('a', 'once', { qos: 1 });
    await sender.publish('a', 'twice', { qos: 2 });
    const after = await connect(transport, options);
    expect(await after.take(2)).toEqual(['a once q1', 'a twice q2']);
  });

  it('is closed when another one comes with its client id', async () => {
    const transport = await start();
    const before = await connect(transport, { clientId: 'me' });
    await connect(transport, { clientId: 'me' });
    await within(before.closed, 'the end of the first connection');
  });

  it('is let in with its password only', async () => {
    const transport = await start({ auth: TICKETS });
    const joe = await connect(transport, { username: 'joe', password: 'secret' });
    expect(joe.client.connected).toBe(true);
    await expect(connect(transport, { username: 'joe', password: 'x' })).rejects.toMatchObject({ code: 4 });
    await expect(connect(transport)).rejects.toMatchObject({ code: 5 });
  });

  it('and a session of WAMP hear each other', async () => {
    const transport = await start({ options: { payload_mapping: { '': { type: 'native', serializer: 'json' } } } });
    const wamp = await transport.wamp();
    const js = await connect(transport);
    await js.subscribe(['to/mqtt', 1]);
    const [, , subscription] = await wamp.ask([32, 1, { match: 'prefix' }, 'from.']);
    await js.publish('from/mqtt', JSON.stringify({ args: ['hello', 1], kwargs: { a: true } }), { qos: 1 });
    expect(await wamp.next()).toMatchObject([
      36,
      subscription,
      expect.any(Number),
      { topic: 'from.mqtt' },
      ['hello', 1],
      { a: true },
    ]);
    wamp.send([16, 2, {}, 'to.mqtt', ['back'], { b: 2 }]);
    const [message = ''] = await js.take(1);
    const [, payload = ''] = /^to\/mqtt (.*) q0$/.exec(message) ?? [];
    expect(JSON.parse(payload)).toEqual({ args: ['back'], kwargs: { b: 2 } });
  });

  it('bytes reach a session of WAMP in JSON, and come back', async () => {
    const transport = await start();
    const wamp = await transport.wamp();
    const js = await connect(transport);
    await js.subscribe(['to/mqtt', 1]);
    await wamp.ask([32, 1, {}, 'from.mqtt']);
    await js.publish('from/mqtt', 'hello', { qos: 1 });
    const [, , , details, args] = await wamp.next();
    expect(details).toMatchObject({ enc_algo: 'mqtt' });
    expect(args).toEqual({ $bin: Buffer.from('hello').toString('hex') });
    wamp.send([16, 2, {}, 'to.mqtt', ['back']]);
    expect(await js.take(1)).toEqual(['to/mqtt back q0']);
  });
});

describeNeeds('mosquitto-clients', HAS_MOSQUITTO)('the clients of mosquitto', () => {
  it.each(['mqttv311', 'mqttv31'])('send and get messages of each QoS over %s', async (version) => {
    const transport = await start();
    const at = ['-p', String(transport.port), '-V', version];
    const shown = ['-d', '-C', '3', '-q', '2', '-F', 'got %t %p %q'];
    const sub = runMosquitto('mosquitto_sub', [...at, ...shown, '-t', 'a/#']);
    await sub.seen('SUBACK');
    for (const qos of ['0', '1', '2']) {
      const pub = runMosquitto('mosquitto_pub', [...at, '-q', qos, '-t', `a/${qos}`, '-m', 'x']);
      expect(await pub.ended()).toMatchObject({ code: 0 });
    }
    const { output } = await sub.ended();
    expect(output.match(/got .*/g)).toEqual(['got a/0 x 0', 'got a/1 x 1', 'got a/2 x 2']);
  });

  it('are told why they are not let in', async () => {
    const transport = await start({ auth: TICKETS });
    const pub = (...args: readonly string[]) =>
      runMosquitto('mosquitto_pub', ['-p', String(transport.port), '-t', 'a', '-m', 'x', ...args]).ended();
    expect((await pub('-u', 'joe', '-P', 'wrong')).output).toMatch(/bad user name or password/i);
    expect((await pub('-u', 'joe', '-P', 'secret')).code).toBe(0);
    expect((await pub('-V', 'mqttv5')).output).toMatch(/protocol version/i);
  });
});
