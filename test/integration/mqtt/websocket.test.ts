/** MQTT over WebSockets of a node: mqtt.js, and clients that send frames of their own. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import mqttPacket from 'mqtt-packet';
import { WebSocket } from 'ws';
import type { IClientOptions } from 'mqtt';
import type { ClientOptions } from 'ws';
import { startDaemon } from '../../support/daemon.js';
import { endTheirClients, JsClient, onceOf } from '../../support/mqtt-clients.js';
import { nodeConfig } from '../../support/node-config.js';
import { WampClient, within } from '../../support/wamp-client.js';
import type { Daemon } from '../../support/daemon.js';
import type { MqttClientOptions } from '../../support/mqtt-clients.js';

const AUTH = {
  anonymous: { type: 'static', role: 'anonymous' },
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'anonymous' } } },
};

const CONFIG = nodeConfig({
  paths: {
    mqtt: { type: 'mqtt', options: { realm: 'realm1', auth: AUTH, max_packet_size: 1_000_000 } },
    small: {
      type: 'mqtt',
      options: { realm: 'realm1', max_packet_size: 2000, max_connections: 2, compression: { deflate: {} } },
    },
    tracked: { type: 'mqtt', options: { realm: 'realm1' }, cookie: {} },
    strict: { type: 'mqtt', options: { realm: 'realm1', allowed_origins: ['https://good.example'] } },
  },
  transport: { options: { trusted_proxies: ['127.0.0.1'] } },
});

let daemon: Daemon;
const open: { readonly stop: () => unknown }[] = [];

beforeAll(async () => {
  daemon = await startDaemon({ config: CONFIG });
});
afterAll(() => daemon.dispose());
afterEach(async () => {
  await endTheirClients();
  for (const { stop } of open.splice(0).reverse()) await stop();
});

/** The answer of `wamp.session.get`. */
type Found = [number, number, object, [{ readonly transport: Readonly<Record<string, string>> }]];

/** mqtt.js over a WebSocket. @param wsOptions of the WebSocket */
function connect(
  { wsOptions = {}, ...options }: Partial<MqttClientOptions> & Pick<IClientOptions, 'wsOptions'> = {},
  path = '/mqtt',
): Promise<JsClient> {
  return JsClient.connect({ port: daemon.port, ...options }, { url: daemon.url(path, 'ws'), wsOptions });
}

/** A WebSocket that sends what the test wants. */
class Raw {
  readonly ws: WebSocket;
  readonly closed: Promise<number>;
  readonly #parser = mqttPacket.parser();
  readonly #got: string[] = [];
  #wake: () => void = () => undefined;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    this.#parser.on('packet', ({ cmd }) => {
      this.#got.push(cmd);
      this.#wake();
    });
    ws.on('message', (data: Buffer) => this.#parser.parse(data)).on('error', () => undefined);
    this.closed = new Promise((resolve) => ws.once('close', (code) => resolve(code)));
  }

  static async open(options: ClientOptions = {}, path = '/mqtt', protocol = 'mqtt'): Promise<Raw> {
    const ws = new WebSocket(daemon.url(path, 'ws'), protocol, { perMessageDeflate: false, ...options });
    open.push({ stop: () => ws.terminate() });
    await within(once(ws, 'open'), 'open');
    return new Raw(ws);
  }

  async take(count: number): Promise<string[]> {
    const enough = async (): Promise<void> => {
      while (this.#got.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    };
    await within(enough(), `${count} packets`);
    return this.#got.splice(0, count);
  }
}

const CONNECT = mqttPacket.generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  clientId: 'raw',
});
const SUBSCRIBE = mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'raw/#', qos: 0 }] });

function publish(topic: string, payload: string | Buffer, messageId = 2): Buffer {
  return mqttPacket.generate({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false });
}

/** The status of the answer to a handshake that is refused. */
async function refused(options: ClientOptions, path = '/mqtt', protocols: string[] = ['mqtt']): Promise<number> {
  const ws = new WebSocket(daemon.url(path, 'ws'), protocols, options);
  ws.on('error', () => undefined);
  const [, response] = (await within(once(ws, 'unexpected-response'), 'refusal')) as [unknown, { statusCode: number }];
  return response.statusCode;
}

describe('mqtt.js', () => {
  it.each([0, 1, 2] as const)('gets and sends messages of QoS %i', async (qos) => {
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.subscribe([`q${qos}/#`, qos]);
    const texts = Array.from({ length: 200 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => sender.publish(`q${qos}/x`, text, { qos })));
    expect(await receiver.take(200)).toEqual(texts.map((text) => `q${qos}/x ${text} q${qos}`));
  });

  it('speaks with sessions of WAMP, which see how it came, and from where when a trusted proxy says so', async () => {
    const wamp = await WampClient.join(daemon.url('/ws', 'ws'));
    open.push({ stop: () => wamp.close() });
    const client = await connect({ wsOptions: { headers: { 'X-Forwarded-For': '192.0.2.7' } } });
    const [, , , [ids]] = (await wamp.ask([48, 1, {}, 'wamp.session.list'])) as [number, number, object, [number[]]];
    const framings: string[] = [];
    for (const [n, id] of ids.entries()) {
      const [, , , [{ transport }]] = (await wamp.ask([48, n + 2, {}, 'wamp.session.get', [id]])) as Found;
      const { channel_framing, websocket_protocol, peer } = transport;
      framings.push(`${channel_framing} ${websocket_protocol} ${String(peer).replace(/:.*/, '')}`);
    }
    expect(framings.toSorted()).toEqual(['mqtt mqtt 192.0.2.7', 'websocket wamp.2.json 127.0.0.1']);
    await wamp.ask([32, 9, {}, 'both.ways']);
    await client.publish('both/ways', 'hello', { qos: 1 });
    expect((await wamp.next())[0]).toBe(36);
  });

  it('is compressed where the config says so, both ways', async () => {
    const options = { wsOptions: { perMessageDeflate: true } };
    const [sender, receiver] = [await connect(options, '/small'), await connect(options, '/small')];
    await receiver.subscribe(['deflated/#', 1]);
    const texts = Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(1500, '.'));
    await Promise.all(texts.map((text) => sender.publish('deflated/x', text, { qos: 1 })));
    expect(await receiver.take(100)).toEqual(texts.map((text) => `deflated/x ${text} q1`));
  });

  it('leaves a will when it is cut off, and none when it says DISCONNECT', async () => {
    const heir = await connect();
    await heir.subscribe(['will/#', 1]);
    const will = { payload: 'gone', qos: 1, retain: false } as const;
    const polite = await connect({ will: { ...will, topic: 'will/polite' } });
    await polite.leave();
    const cut = await connect({ will: { ...will, topic: 'will/cut' } });
    await cut.cut();
    expect(await heir.take(1)).toEqual(['will/cut gone q1']);
  });

  it('finds what came while it was away', async () => {
    const options = { clientId: 'away', clean: false };
    const before = await connect(options);
    await before.subscribe(['kept', 2]);
    await before.leave();
    const sender = await connect();
    await sender.publish('kept', 'one', { qos: 1 });
    await sender.publish('kept', 'two', { qos: 2 });
    const after = await connect(options);
    expect(await after.take(2)).toEqual(['kept one q1', 'kept two q2']);
  });

  it('says its password, and is told when that is wrong', async () => {
    const joe = await connect({ username: 'joe', password: 'secret' });
    expect(joe.client.connected).toBe(true);
    await expect(connect({ username: 'joe', password: 'x' })).rejects.toMatchObject({ code: 4 });
  });
});

describe('octets', () => {
  it('may be cut into messages anywhere', async () => {
    const raw = await Raw.open();
    const octets = Buffer.concat([CONNECT, SUBSCRIBE, publish('raw/x', 'text')]);
    for (const octet of octets) raw.ws.send(Buffer.of(octet));
    expect((await raw.take(4)).toSorted()).toEqual(['connack', 'puback', 'publish', 'suback']);
  });

  it('may come all in one message, and in fragments of one', async () => {
    const raw = await Raw.open({}, '/mqtt', 'mqttv3.1');
    raw.ws.send(Buffer.concat([CONNECT, SUBSCRIBE, publish('raw/x', 'a')]));
    await raw.take(4);
    const octets = Buffer.concat([publish('raw/y', 'b'.repeat(5000)), publish('raw/y', 'c', 3)]);
    for (let at = 0; at < octets.length; at += 999) {
      raw.ws.send(octets.subarray(at, at + 999), { fin: at + 999 >= octets.length });
    }
    expect((await raw.take(4)).toSorted()).toEqual(['puback', 'puback', 'publish', 'publish']);
  });

  it('may be more in one message than a packet may have, and are taken before the message is complete', async () => {
    const raw = await Raw.open();
    raw.ws.send(CONNECT);
    await raw.take(1);
    const packets = Array.from({ length: 20 }, (_, n) => publish('large/x', 'x'.repeat(400_000), n + 1));
    raw.ws.send(Buffer.concat(packets));
    expect(await raw.take(20)).toEqual(packets.map(() => 'puback'));
    raw.ws.send(publish('large/x', 'y'), { fin: false });
    expect(await raw.take(1)).toEqual(['puback']);
  });

  it.each([
    ['a text message', 1003, (raw: Raw) => raw.ws.send('text')],
    ['no packet', 1002, (raw: Raw) => raw.ws.send(Buffer.of(0xf0, 0))],
    ['a packet that is too large', 1009, (raw: Raw) => raw.ws.send(publish('x', 'x'.repeat(1_000_001)))],
    ['DISCONNECT', 1000, (raw: Raw) => raw.ws.send(Buffer.of(0xe0, 0))],
  ])('that are %s end the connection with %i', async (_what, code, send) => {
    const raw = await Raw.open();
    raw.ws.send(CONNECT);
    await raw.take(1);
    send(raw);
    expect(await within(raw.closed, 'close')).toBe(code);
  });

  it('of a stranger that make no CONNECT, or too large a one, end it, too', async () => {
    const [one, other] = [await Raw.open(), await Raw.open()];
    one.ws.send(SUBSCRIBE);
    expect(await within(one.closed, 'close')).toBe(1002);
    other.ws.send(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), { fin: false });
    expect(await within(other.closed, 'close')).toBe(1009);
  });

  it('are answered before the close frame that comes behind them', async () => {
    const raw = await Raw.open();
    raw.ws.send(CONNECT);
    await raw.take(1);
    raw.ws.send(publish('x', 'x'));
    raw.ws.close(1000);
    expect(await raw.take(1)).toEqual(['puback']);
    expect(await within(raw.closed, 'close')).toBe(1000);
  });

  it('are pinged and answer pings beside the packets', async () => {
    const raw = await Raw.open();
    const pong = once(raw.ws, 'pong');
    raw.ws.ping('hello');
    const [payload] = (await within(pong, 'pong')) as [Buffer];
    expect(payload.toString()).toBe('hello');
  });
});

describe('a client id', () => {
  it('of a client without a login is its own, where it has a cookie', async () => {
    const ws = new WebSocket(daemon.url('/tracked', 'ws'), 'mqtt');
    open.push({ stop: () => ws.terminate() });
    const [response] = (await within(once(ws, 'upgrade'), 'upgrade')) as [IncomingMessage];
    const [line = ''] = response.headers['set-cookie'] ?? [];
    const [cookie = ''] = line.split(';');
    expect(cookie).toMatch(/^cbtid=/);
    const options = { clientId: 'same', wsOptions: { headers: { cookie } } };
    const mine = await connect(options, '/tracked');
    const other = await connect({ clientId: 'same' }, '/tracked');
    await other.publish('x', 'x', { qos: 1 });
    expect(mine.client.connected).toBe(true);
    const closed = onceOf(mine.client, 'close');
    const again = await connect(options, '/tracked');
    await within(closed, 'close');
    await other.publish('x', 'x', { qos: 1 });
    expect([other.client.connected, again.client.connected]).toEqual([true, true]);
  });
});

describe('a handshake', () => {
  it('is refused for its subprotocol and its origin', async () => {
    expect(await refused({}, '/mqtt', ['wamp.2.json'])).toBe(400);
    expect(await refused({ origin: 'https://elsewhere.example' }, '/strict')).toBe(403);
    const raw = await Raw.open({ origin: 'https://good.example' }, '/strict');
    expect(raw.ws.protocol).toBe('mqtt');
  });

  it('has no place when there are too many connections', async () => {
    for (const clientId of ['a', 'b']) await connect({ clientId }, '/small');
    expect(await refused({}, '/small')).toBe(503);
  });
});
