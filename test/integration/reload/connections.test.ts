/** A reload changes what new connections get (limits, pings, origins, sizes), on every kind of transport; open sessions go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LongPollClient } from '../../support/long-poll-client.js';
import { openRealm } from '../../support/node-config.js';
import { RawSocketClient, RawSocketRefused, RawSocketWire } from '../../support/rawsocket-client.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { HandshakeRefused, WampClient } from '../../support/wamp-client.js';

interface Options {
  readonly websocket?: object;
  readonly rawsocket?: object;
  readonly longpoll?: object;
  readonly universalWeb?: object;
  readonly universalRaw?: object;
  readonly plain?: object;
}

const config =
  (options: Options = {}) =>
  ([web = 0, raw = 0, universal = 0, plain = 0]: readonly number[]): object => ({
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [openRealm('realm1')],
        transports: [
          {
            type: 'web',
            endpoint: endpointAt(web),
            paths: {
              ws: { type: 'websocket', options: options.websocket ?? {} },
              lp: { type: 'longpoll', options: options.longpoll ?? {} },
            },
          },
          { type: 'rawsocket', endpoint: endpointAt(raw), options: options.rawsocket ?? {} },
          {
            type: 'universal',
            endpoint: endpointAt(universal),
            rawsocket: { options: options.universalRaw ?? {} },
            websocket: { ws: { type: 'websocket', options: options.universalWeb ?? {} } },
          },
          { type: 'websocket', endpoint: endpointAt(plain), options: options.plain ?? {} },
        ],
      },
    ],
  });

let node: ReloadedDaemon;
beforeAll(async () => {
  node = await ReloadedDaemon.start(config(), { portCount: 4 });
});
afterAll(() => node.dispose());

const take = (options: Options) => node.take(config(options)(node.ports));
const port = (index: number): number => node.ports[index] ?? 0;

/** One kind of place, and how clients come to it. */
interface Place {
  readonly name: string;
  /** The key of {@link Options}. */
  readonly key: keyof Options;
  readonly join: () => Promise<Client>;
}

interface Client {
  readonly closed: Promise<unknown>;
  send(message: readonly unknown[]): void;
  ask(message: readonly unknown[]): Promise<unknown[]>;
  drop(): Promise<unknown>;
}

const webSocketAt = (index: number, options: object = {}) =>
  WampClient.join(`ws://127.0.0.1:${port(index)}/ws`, 'realm1', options);
const rawSocketAt = (index: number) => RawSocketClient.join({ port: port(index) });
async function longPoll(): Promise<Client> {
  const client = await LongPollClient.connect({ port: port(0), path: '/lp' });
  await client.hello();
  return Object.assign(client, { drop: () => client.close() });
}

const PLACES: readonly Place[] = [
  { name: 'a WebSocket of a web transport', key: 'websocket', join: () => webSocketAt(0) },
  { name: 'a long-poll', key: 'longpoll', join: longPoll },
  { name: 'a RawSocket', key: 'rawsocket', join: () => rawSocketAt(1) },
  { name: 'a WebSocket of a universal transport', key: 'universalWeb', join: () => webSocketAt(2) },
  { name: 'a RawSocket of a universal transport', key: 'universalRaw', join: () => rawSocketAt(2) },
  { name: 'a websocket transport', key: 'plain', join: () => webSocketAt(3) },
];

/** The client is served: it subscribes. */
async function expectServed(client: Client, requestId: number): Promise<void> {
  expect(await client.ask([32, requestId, {}, 'com.example.news'])).toMatchObject([33, requestId, expect.any(Number)]);
}

const message = (requestId: number, bytes: number) => [
  16,
  requestId,
  { acknowledge: true },
  'com.x',
  ['x'.repeat(bytes)],
];

describe.each(PLACES)('$name', ({ key, join }) => {
  it('has another largest message for those who come, and the same one for those who are there', async () => {
    await take({});
    const early = await join();
    await take({ [key]: { max_message_size: 4096 } });
    expect(await early.ask(message(1, 10_000))).toMatchObject([17, 1, expect.any(Number)]);
    const late = await join();
    expect(await late.ask(message(1, 1000))).toMatchObject([17, 1, expect.any(Number)]);
    late.send(message(2, 10_000));
    await late.closed;
    await expectServed(early, 2);
    await early.drop();
  });

  it('counts those who came before in another max_connections', async () => {
    await take({});
    const [first, second] = [await join(), await join()];
    await take({ [key]: { max_connections: 2 } });
    await expect(join()).rejects.toThrow();
    await take({ [key]: { max_connections: 3 } });
    const third = await join();
    await take({ [key]: { max_connections: 3, hello_timeout: 6000 } });
    await expect(join()).rejects.toThrow();
    await first.drop();
    // The node notes that it is gone when it sees the end of the connection.
    const fourth = await eventually(join);
    for (const client of [second, third, fourth]) await expectServed(client, 1);
    await take({ [key]: { max_connections: 2 } });
    for (const client of [second, third, fourth]) await expectServed(client, 2);
    await Promise.all([second, third, fourth].map((client) => client.drop()));
  });
});

it('another hello_timeout is for those who come, everywhere', async () => {
  await take({});
  const early = await Promise.all(PLACES.map(({ join }) => join()));
  await take(Object.fromEntries(PLACES.map(({ key }) => [key, { hello_timeout: 1000 }])));
  const { wire } = await RawSocketClient.connect({ port: port(1) });
  const firstOctet = await RawSocketWire.open({ port: port(2) });
  // Whoever is without a session goes; who has one stays.
  await Promise.all([wire.closed, firstOctet.closed, ...PLACES.map(({ key }) => silentClientAt(key))]);
  expect(firstOctet.unread).toHaveLength(0);
  for (const client of early) {
    await expectServed(client, 1);
    await client.drop();
  }
});

it('WebSockets that come are pinged, others are not', async () => {
  const keys = [
    ['websocket', 0],
    ['universalWeb', 2],
    ['plain', 3],
  ] as const;
  const pinging = (options: object): Options => Object.fromEntries(keys.map(([key]) => [key, options]));
  await take(pinging({ auto_ping_interval: 0 }));
  const early = await Promise.all(keys.map(([, index]) => webSocketAt(index)));
  await take(pinging({ auto_ping_interval: 1000, auto_ping_timeout: 0 }));
  const late = await Promise.all(keys.map(([, index]) => webSocketAt(index)));
  await Promise.all(late.map(({ socket }) => new Promise((resolve) => socket.once('ping', resolve))));
  expect(early.map(({ pings }) => pings)).toEqual([0, 0, 0]);
  await Promise.all([...early, ...late].map((client) => client.drop()));
});

/** Tries until it comes off: a connection that was dropped frees its place when the node sees its end. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HandshakeRefused || error instanceof RawSocketRefused || isRefusedPoll(error)))
        throw error;
    }
  }
}

const isRefusedPoll = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('refused with 503');

/** A client that never says HELLO. */
async function silentClientAt(key: keyof Options): Promise<void> {
  const connected = {
    websocket: () => WampClient.connect(`ws://127.0.0.1:${port(0)}/ws`),
    longpoll: () => LongPollClient.connect({ port: port(0), path: '/lp' }),
    rawsocket: () => RawSocketClient.connect({ port: port(1) }),
    universalWeb: () => WampClient.connect(`ws://127.0.0.1:${port(2)}/ws`),
    universalRaw: () => RawSocketClient.connect({ port: port(2) }),
    plain: () => WampClient.connect(`ws://127.0.0.1:${port(3)}/`),
  }[key];
  const client = await connected();
  await client.closed;
}

describe.each([
  ['a web transport', 'websocket', 0],
  ['a universal transport', 'universalWeb', 2],
  ['a websocket transport', 'plain', 3],
] as const)('a WebSocket of %s', (_name, key, index) => {
  it('lets in pages of other origins only', async () => {
    await take({});
    const early = await webSocketAt(index, { headers: { origin: 'https://old.example' } });
    await take({ [key]: { allowed_origins: ['https://new.example'] } });
    const refused = webSocketAt(index, { headers: { origin: 'https://old.example' } });
    await expect(refused).rejects.toMatchObject({ status: 403 });
    const late = await webSocketAt(index, { headers: { origin: 'https://new.example' } });
    await expectServed(early, 1);
    await Promise.all([early.drop(), late.drop()]);
  });
});

it.each([
  ['a rawsocket transport', 'rawsocket', 1],
  ['a universal transport', 'universalRaw', 2],
] as const)('announces another largest message to RawSockets of %s', async (_name, key, index) => {
  await take({});
  const early = await rawSocketAt(index);
  await take({ [key]: { max_message_size: 65_536 } });
  const late = await rawSocketAt(index);
  expect([early.routerMaxBytes, late.routerMaxBytes]).toEqual([16_777_216, 65_536]);
  await Promise.all([early.drop(), late.drop()]);
});
