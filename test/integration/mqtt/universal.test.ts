/** One port for browsers, RawSockets and clients of MQTT: who comes is told by the first octet, over TCP, TLS and behind a proxy. */
import { connect as connectSocket } from 'node:net';
import autobahn from 'autobahn';
import mqtt from 'mqtt';
import type { IClientOptions } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Certificates, HAS_OPENSSL } from '../../support/certificates.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { itNeeds } from '../../support/needs.js';
import { openRealm } from '../../support/node-config.js';
import { RawSocketClient, RawSocketWire } from '../../support/rawsocket-client.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { WampClient, within } from '../../support/wamp-client.js';

interface Parts {
  readonly rawsocket?: object;
  readonly mqtt?: object | undefined;
}

const HEADER = 'PROXY TCP4 198.51.100.7 203.0.113.9 4711 443\r\n';

let certificates: Certificates | undefined;
let node: ReloadedDaemon;
const open: (() => Promise<unknown>)[] = [];

/** Plain, behind a proxy, and with TLS where there are certificates. @param parts of the first one */
const config =
  (parts: Parts = {}) =>
  ([plain = 0, proxied = 0, secure = 0]: readonly number[]): object => {
    const own = { options: { realm: 'realm1', payload_mapping: { '': { type: 'native', serializer: 'json' } } } };
    const universal = { type: 'universal', rawsocket: {}, mqtt: own, websocket: { ws: {} } };
    const tls = certificates && {
      key: certificates.file('server.key'),
      certificate: certificates.file('server.pem'),
      chain_certificates: [certificates.file('intermediate.pem')],
    };
    const transports = [
      { ...universal, ...parts, id: 'plain', endpoint: endpointAt(plain) },
      { ...universal, id: 'proxied', endpoint: { ...endpointAt(proxied), proxy_protocol: 'required' } },
      ...(tls ? [{ ...universal, id: 'secure', endpoint: { ...endpointAt(secure), tls } }] : []),
    ];
    const controller = { options: { trusted_proxies: ['127.0.0.1'] } };
    return { version: 2, controller, workers: [{ type: 'router', realms: [openRealm('realm1')], transports }] };
  };

const OPTIONS = { realm: 'realm1', payload_mapping: { '': { type: 'native', serializer: 'json' } } };
const take = (parts: Parts) => node.take(config(parts)(node.ports));
const port = (index: number): number => node.ports[index] ?? 0;

beforeAll(async () => {
  if (HAS_OPENSSL) certificates = new Certificates(temporaryDirectory());
  node = await ReloadedDaemon.start(config(), { portCount: 3, args: ['--loglevel', 'debug'] });
});
afterAll(async () => {
  const faults = node.daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await node.dispose();
  expect(faults).toEqual([]);
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function connackOf(client: mqtt.MqttClient): Promise<{ readonly sessionPresent: boolean }> {
  return new Promise((resolve) => client.once('connect', resolve));
}

/** A client of mqtt.js, and the messages that it gets. */
async function js(url: string, options: IClientOptions = {}, streamOf?: () => ReturnType<typeof connectSocket>) {
  const all = { reconnectPeriod: 0, ...options };
  const client = streamOf === undefined ? mqtt.connect(url, all) : new mqtt.MqttClient(streamOf, all);
  const got: string[] = [];
  let wake = (): void => undefined;
  client.on('error', () => undefined);
  client.on('message', (topic, payload) => {
    got.push(`${topic} ${payload.toString()}`);
    wake();
  });
  const connack = await within(connackOf(client), 'CONNACK');
  open.push(() => client.endAsync(true));
  const next = async (): Promise<string> => {
    while (got.length === 0) await within(new Promise<void>((resolve) => (wake = resolve)), 'a message');
    return got.shift() ?? '';
  };
  return { client, next, isPresent: connack.sessionPresent };
}

const plainUrl = (): string => `mqtt://127.0.0.1:${port(0)}`;

async function raw(index = 0): Promise<RawSocketClient> {
  const client = await RawSocketClient.join({ port: port(index) });
  open.push(() => client.leave());
  return client;
}

describe('one port', () => {
  it('is where autobahn-js, a RawSocket and mqtt.js meet', async () => {
    const connection = new autobahn.Connection({
      url: `ws://127.0.0.1:${port(0)}/ws`,
      realm: 'realm1',
      max_retries: 0,
    });
    const opened = new Promise<autobahn.Session>((resolve) => (connection.onopen = (session) => resolve(session)));
    connection.open();
    const session = await within(opened, 'session of autobahn-js');
    open.push(() => {
      const closed = new Promise<void>((resolve) => (connection.onclose = () => (resolve(), true)));
      connection.close();
      return closed;
    });
    const heard: unknown[] = [];
    await session.subscribe('all.said', (args) => void heard.push(args[0]));
    const socket = await raw();
    await socket.ask([32, 1, {}, 'all.said']);
    const device = await js(plainUrl());
    await device.client.subscribeAsync('all/said', { qos: 1 });

    await device.client.publishAsync('all/said', '{"args":["mqtt"]}', { qos: 1 });
    expect(await device.next()).toBe('all/said {"args":["mqtt"]}');
    expect((await socket.next()).at(-1)).toEqual(['mqtt']);
    await session.publish('all.said', ['browser'], {}, { acknowledge: true });
    expect(await device.next()).toBe('all/said {"args":["browser"]}');
    expect((await socket.next()).at(-1)).toEqual(['browser']);
    await socket.ask([16, 2, { acknowledge: true }, 'all.said', ['program']]);
    expect(await device.next()).toBe('all/said {"args":["program"]}');
    expect(await session.call('wamp.subscription.count_subscribers', [await idOf(session)])).toBe(3);
    expect(heard).toEqual(['mqtt', 'program']);
  });

  itNeeds('the openssl command', HAS_OPENSSL)('has all of them over TLS', async () => {
    const ca = certificates?.text('root.pem') ?? '';
    const browser = await WampClient.join(`wss://127.0.0.1:${port(2)}/ws`, 'realm1', { tls: { ca } });
    open.push(() => browser.leave());
    await browser.ask([32, 1, {}, 'over.tls']);
    const device = await js(`mqtts://127.0.0.1:${port(2)}`, { ca, servername: 'localhost' });
    await device.client.publishAsync('over/tls', '{"args":[1]}', { qos: 2 });
    expect((await browser.next()).at(-1)).toEqual([1]);
  });

  it('behind a proxy knows where clients of MQTT are', async () => {
    const device = await js('mqtt://proxied', { clientId: 'far' }, () => {
      const socket = connectSocket(port(1), '127.0.0.1');
      socket.write(HEADER);
      return socket;
    });
    await device.client.publishAsync('a', '{}', { qos: 1 });
    const program = await raw();
    const details = async (id: unknown) => (await program.ask([48, 2, {}, 'wamp.session.get', [id]])).at(-1);
    const [ids] = (await program.ask([48, 1, {}, 'wamp.session.list'])).at(-1) as [unknown[]];
    // One after the other: all have the same request id.
    let shown = '';
    for (const id of ids) shown += JSON.stringify(await details(id));
    expect(shown).toContain('198.51.100.7');
  });

  it('is told with the URLs of all', () => {
    expect(node.daemon.listening().find(({ transport }) => transport === 'plain')).toMatchObject({
      beside: [
        { type: 'rawsocket', url: `rs://127.0.0.1:${port(0)}/` },
        { type: 'mqtt', url: `${plainUrl()}/` },
      ],
      paths: [{ path: '/ws', type: 'websocket' }],
    });
  });

  it('cuts what begins as a client of MQTT and goes on otherwise', async () => {
    const wire = await RawSocketWire.open({ port: port(0) });
    wire.write(Buffer.from('10ffffffff7f', 'hex'));
    await within(wire.closed, 'close');
    expect(wire.unread).toHaveLength(0);
  });
});

describe('a reload', () => {
  it('of MQTT alone keeps its clients, those that are away, and all others', async () => {
    const [device, socket] = [await js(plainUrl(), { clientId: 'stays' }), await raw()];
    const away = await js(plainUrl(), { clientId: 'away', clean: false });
    for (const { client } of [device, away]) await client.subscribeAsync('news', { qos: 1 });
    await away.client.endAsync();
    await take({ mqtt: { options: { ...OPTIONS, max_inflight: 5, max_packet_size: 200 } } });
    await socket.ask([16, 1, { acknowledge: true }, 'news', ['for all']]);
    expect(await device.next()).toBe('news {"args":["for all"]}');
    const back = await js(plainUrl(), { clientId: 'away', clean: false });
    expect(back.isPresent).toBe(true);
    expect(await back.next()).toBe('news {"args":["for all"]}');
    // What is new holds for those who come now.
    const cut = new Promise<void>((resolve) => back.client.once('close', resolve));
    back.client.publish('news', 'x'.repeat(300));
    await within(cut, 'the end of a client that sends too much');
    expect(device.client.connected).toBe(true);
  });

  it('of RawSocket alone keeps clients of MQTT', async () => {
    const device = await js(plainUrl());
    await device.client.subscribeAsync('news', { qos: 1 });
    await take({ rawsocket: { options: { max_message_size: 65_536 } } });
    await (await raw()).ask([16, 1, { acknowledge: true }, 'news', ['still']]);
    expect(await device.next()).toBe('news {"args":["still"]}');
  });

  it('that takes MQTT away from the port is told to wait for a restart, and nobody is cut', async () => {
    const device = await js(plainUrl());
    await device.client.subscribeAsync('news', { qos: 1 });
    const { ok, pending } = await node.reload(config({ mqtt: undefined })(node.ports));
    expect({ ok, pending }).toEqual({ ok: true, pending: ['/workers/0/transports/0'] });
    await device.client.publishAsync('news', '{"args":["here"]}', { qos: 1 });
    expect(await device.next()).toBe('news {"args":["here"]}');
    await take({});
  });
});

it('closes all when it stops, clients of MQTT and who has said nothing', async () => {
  const stopping = await ReloadedDaemon.start(config(), { portCount: 3 });
  const url = `mqtt://127.0.0.1:${stopping.ports[0] ?? 0}`;
  const device = await js(url);
  const silent = connectSocket(stopping.ports[0] ?? 0, '127.0.0.1').on('error', () => undefined);
  const closed = [
    new Promise<void>((resolve) => device.client.once('close', () => resolve())),
    new Promise<void>((resolve) => silent.once('close', () => resolve())),
  ];
  expect(await stopping.daemon.stop()).toBe(0);
  await within(Promise.all(closed), 'the end of both');
  await stopping.dispose();
});

async function idOf(session: autobahn.Session): Promise<unknown> {
  return session.call('wamp.subscription.lookup', ['all.said']);
}
