/** The client that modules in containers have, over every transport and serializer, against the daemon and against servers that are none. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CallError, Result } from '../../src/client/api.js';
import { silentLogger } from '../../src/log/logger.js';
import { RemoteClient } from '../../src/remote/client.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import type { ClientTransportConfig } from '../../src/remote/transport-schema.js';

const WEBSOCKET_OPTIONS = {
  max_message_size: 16_777_216,
  open_handshake_timeout: 10_000,
  auto_ping_interval: 30_000,
  auto_ping_timeout: 20_000,
};
const RAWSOCKET_OPTIONS = { max_message_size: 16_777_216 };

let daemon: Daemon;
const clients: RemoteClient[] = [];
const sockets = path.join(temporaryDirectory(), 'sockets');

beforeAll(async () => {
  const raw = { type: 'rawsocket', endpoint: LOOPBACK };
  const unix = { type: 'rawsocket', endpoint: { type: 'unix', path: `${sockets}.sock` } };
  daemon = await startDaemon({ config: nodeConfig({ transports: [raw, unix] }) });
});
afterAll(async () => {
  for (const { session } of clients) session.leave();
  await daemon.dispose();
});

const websocket = (...serializers: readonly string[]): ClientTransportConfig => ({
  ...{ type: 'websocket', url: daemon.url('/ws', 'ws'), options: WEBSOCKET_OPTIONS },
  ...(serializers.length > 0 && { serializers }),
});
const rawsocket = (serializer?: string): ClientTransportConfig => ({
  ...{ type: 'rawsocket', options: RAWSOCKET_OPTIONS },
  url: `rs://127.0.0.1:${String(daemon.listening()[1]?.['port'])}`,
  ...(serializer !== undefined && { serializer }),
});
const unix = (): ClientTransportConfig => ({
  ...{ type: 'rawsocket', options: RAWSOCKET_OPTIONS, serializers: ['cbor'] },
  endpoint: { type: 'unix', path: `${sockets}.sock`, timeout: 10 },
});

async function joined(transport: ClientTransportConfig, realm = 'realm1') {
  const client = await RemoteClient.connect({ realm, transport }, silentLogger());
  clients.push(client);
  await client.join(realm);
  return client.session;
}

const TRANSPORTS: readonly (readonly [string, () => ClientTransportConfig])[] = [
  ['WebSocket, json', () => websocket('json')],
  ['WebSocket, msgpack', () => websocket('msgpack')],
  ['WebSocket, cbor', () => websocket('cbor')],
  ['WebSocket, whatever the router takes', () => websocket()],
  ['RawSocket, json', () => rawsocket('json')],
  ['RawSocket, msgpack', () => rawsocket('msgpack')],
  ['RawSocket, cbor', () => rawsocket('cbor')],
  ['RawSocket', () => rawsocket()],
  ['a socket file', () => unix()],
];

describe.each(TRANSPORTS)('over %s', (name, transport) => {
  const uri = `com.example.${name.toLowerCase().replaceAll(/\W+/g, '_')}`;

  it('calls and is called, publishes and hears', async () => {
    const callee = await joined(transport());
    const caller = await joined(transport());
    await callee.register(`${uri}.echo`, (args, kwargs) => new Result(args, kwargs));
    await callee.register(`${uri}.fail`, () => {
      throw new CallError('com.example.error', ['no'], { why: 1 });
    });
    const bytes = new Uint8Array([0, 1, 255]);
    const result = (await caller.call(`${uri}.echo`, [1, 'ü', null, bytes], { a: [true] })) as Result;
    expect([result.args[0], result.args[1], result.args[2], [...(result.args[3] as Uint8Array)]]).toEqual([
      1,
      'ü',
      null,
      [0, 1, 255],
    ]);
    expect(result.kwargs).toEqual({ a: [true] });
    await expect(caller.call(`${uri}.fail`)).rejects.toMatchObject({
      error: 'com.example.error',
      args: ['no'],
      kwargs: { why: 1 },
    });
    const heard = new Promise(
      (resolve) =>
        void callee
          .subscribe(`${uri}.news`, (args) => resolve(args))
          .then(() => caller.publish(`${uri}.news`, ['new'])),
    );
    expect(await heard).toEqual(['new']);
  });

  it('carries a megabyte', async () => {
    const session = await joined(transport());
    await session.register(`${uri}.large`, ([text]) => text);
    const text = 'x'.repeat(1_000_000);
    expect(await session.call(`${uri}.large`, [text])).toBe(text);
  });

  it('is told when the realm is not there', async () => {
    await expect(joined(transport(), 'nowhere')).rejects.toMatchObject({ error: 'wamp.error.no_such_realm' });
  });

  it('leaves', async () => {
    const session = await joined(transport());
    await session.close();
    expect(session.isOpen).toBe(false);
    await expect(session.call('com.example.x')).rejects.toThrow('the session is not open');
  });
});

describe('a message that is larger than the router takes', () => {
  it('is not sent, and the session goes on', async () => {
    const session = await joined(rawsocket());
    await session.register('com.example.small', () => 'here');
    await expect(session.call('com.example.small', ['x'.repeat(17_000_000)])).rejects.toThrow(
      /the message has \d+ bytes, more than/,
    );
    expect(await session.call('com.example.small')).toBe('here');
  });
});

describe('the end of a connection', () => {
  it('is the end of the session, and its reason says so', async () => {
    const own = await startDaemon({ config: nodeConfig() });
    const transport = { ...websocket(), url: own.url('/ws', 'ws') } as ClientTransportConfig;
    const session = await joined(transport);
    await own.kill();
    expect(await session.over).toBe('wamp.close.transport_lost');
    await own.dispose();
  });
});

describe('a server that is none', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));

  async function serverThat(answer: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      answer(socket);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  const rs = (port: number): ClientTransportConfig => ({
    type: 'rawsocket',
    url: `rs://127.0.0.1:${port}`,
    options: RAWSOCKET_OPTIONS,
  });
  const ws = (port: number): ClientTransportConfig => ({
    type: 'websocket',
    url: `ws://127.0.0.1:${port}/ws`,
    options: WEBSOCKET_OPTIONS,
  });
  const problemWith = (transport: ClientTransportConfig): Promise<string> =>
    RemoteClient.connect({ realm: 'realm1', transport }, silentLogger()).then(
      () => 'connected',
      (error: unknown) => (error as Error).message.replaceAll(/:\d+/g, ':PORT'),
    );

  it.each([
    [
      'hangs up',
      (socket: Socket) => socket.destroy(),
      'the RawSocket handshake failed: the server closed the connection',
      'the WebSocket handshake for ws://127.0.0.1:PORT/ws failed: the server closed the connection',
    ],
    [
      'speaks something else',
      (socket: Socket) => socket.end('220 mail ready\r\n'),
      'the RawSocket handshake failed: the server does not speak RawSocket',
      expect.stringContaining('the WebSocket handshake for ws://127.0.0.1:PORT/ws failed: '),
    ],
    [
      'knows no serializer',
      (socket: Socket) => socket.end(Buffer.of(0x7f, 0x10, 0, 0)),
      'the RawSocket handshake failed: the server refuses: it does not know the serializer',
      expect.any(String),
    ],
    [
      'chooses another serializer',
      (socket: Socket) => socket.end(Buffer.of(0x7f, 0xf1, 0, 0)),
      'the RawSocket handshake failed: the server answers with another serializer',
      expect.any(String),
    ],
    [
      'is HTTP',
      (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')),
      expect.any(String),
      'the WebSocket handshake for ws://127.0.0.1:PORT/ws failed: the server answered with HTTP status 404',
    ],
  ])('%s', async (_, answer, overRawSocket, overWebSocket) => {
    const port = await serverThat(answer);
    const prefix = 'cannot connect to 127.0.0.1:PORT: ';
    for (const [transport, expected] of [
      [rs(port), overRawSocket],
      [ws(port), overWebSocket],
    ] as const) {
      const problem = await problemWith(transport);
      expect(problem.startsWith(prefix)).toBe(true);
      expect(problem.slice(prefix.length)).toEqual(expected);
    }
  });

  it('is not there', async () => {
    const port = await serverThat(() => undefined);
    servers.pop()?.close();
    expect(await problemWith(rs(port))).toBe(
      'cannot connect to 127.0.0.1:PORT: connection refused: nobody listens there',
    );
    expect(await problemWith({ ...unix(), endpoint: { type: 'unix', path: '/no/such.sock', timeout: 1 } })).toBe(
      'cannot connect to /no/such.sock: there is no such file',
    );
  });

  it('says nothing', async () => {
    const port = await serverThat(() => undefined);
    const options = { ...WEBSOCKET_OPTIONS, open_handshake_timeout: 1000 };
    expect(await problemWith({ ...ws(port), options })).toContain('failed: no answer in time');
  });

  it('is a router that sends what no router sends', async () => {
    const port = await serverThat((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.of(0x7f, 0xf1, 0, 0));
        const message = Buffer.from('[999]');
        socket.once('data', () => socket.write(Buffer.concat([Buffer.of(0, 0, 0, message.length), message])));
      });
    });
    const transport = { ...rs(port), serializer: 'json' } as ClientTransportConfig;
    await expect(joined(transport)).rejects.toMatchObject({ error: 'wamp.error.protocol_violation' });
  });
});

describeNeeds('openssl', HAS_OPENSSL)('with TLS', () => {
  let secure: Daemon;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    const file = (name: string): string => certificates.file(name);
    const tls = {
      key: file('server.key'),
      certificate: file('server.pem'),
      chain_certificates: [file('intermediate.pem')],
    };
    secure = await startDaemon({
      config: nodeConfig({
        transport: { endpoint: { ...LOOPBACK, tls } },
        transports: [
          { type: 'rawsocket', endpoint: { ...LOOPBACK, tls: { ...tls, ca_certificates: [file('root.pem')] } } },
        ],
      }),
    });
  });
  afterAll(() => secure.dispose());

  const endpoint = (index: number, tls: object) => ({
    ...{ type: 'tcp', host: '127.0.0.1', timeout: 10 },
    ...{ port: Number(secure.listening()[index]?.['port']), tls },
  });
  const wss = (tls: object, url = 'wss://localhost/ws'): ClientTransportConfig =>
    ({ type: 'websocket', url, endpoint: endpoint(0, tls), options: WEBSOCKET_OPTIONS }) as ClientTransportConfig;
  const rss = (tls: object): ClientTransportConfig =>
    ({ type: 'rawsocket', endpoint: endpoint(1, tls), options: RAWSOCKET_OPTIONS }) as ClientTransportConfig;

  it('trusts whom the config names', async () => {
    const ca = { ca_certificates: [certificates.file('root.pem')] };
    expect((await joined(wss(ca))).isOpen).toBe(true);
    expect((await joined(wss({ ...ca, hostname: 'localhost' }))).isOpen).toBe(true);
  });

  it('shows a certificate of its own', async () => {
    const ca = { ca_certificates: [certificates.file('root.pem')] };
    const own = { certificate: certificates.file('client.pem'), key: certificates.file('client.key') };
    expect((await joined(rss({ ...ca, ...own }))).isOpen).toBe(true);
    await expect(joined(rss(ca))).rejects.toThrow('cannot connect to 127.0.0.1:');
  });

  it.each([
    ['nobody that it knows', {}, /unable to (get local issuer|verify the first) certificate/],
    ['a stranger', { ca_certificates: ['stranger.pem'] }, /unable to (get local issuer|verify the first) certificate/],
    [
      'another name',
      { ca_certificates: ['root.pem'], hostname: 'example.com' },
      "Hostname/IP does not match certificate's altnames",
    ],
    ['a file that is not there', { ca_certificates: ['nobody.pem'] }, 'ENOENT: no such file or directory, open'],
  ])('does not connect to %s', async (_, tls, problem) => {
    const { ca_certificates: files, ...rest } = tls as { ca_certificates?: string[] };
    const found = files?.map((name) => certificates.file(name));
    const connecting = joined(wss({ ...rest, ...(found && { ca_certificates: found }) }));
    await expect(connecting).rejects.toThrow(/^cannot connect to 127\.0\.0\.1:\d+ \(TLS\): /);
    await expect(connecting).rejects.toThrow(problem);
  });
});
