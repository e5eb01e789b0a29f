/**
 * Connections as such: what the router tells of them, and how many there may be.
 */
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { placeOf, RawSocketClient, RawSocketRefused, RawSocketWire } from '../support/rawsocket-client.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../support/transports.js';
import { DEADLINE_MS, HandshakeRefused, WampClient } from '../support/wamp-client.js';

const SOCKET_FILE = { type: 'rawsocket', endpoint: { type: 'unix', path: 'raw.sock' } };

const websocket = (options: object) => ({ type: 'websocket', options });
/** All of this machine's addresses. */
const EVERYWHERE = { type: 'tcp', port: 0 };
const LIMITED_RAWSOCKETS = [
  { type: 'rawsocket', id: 'two', endpoint: LOOPBACK, options: { max_connections: 2 } },
  { type: 'rawsocket', id: 'patient', endpoint: LOOPBACK, options: { max_unauthenticated: 1 } },
  { type: 'rawsocket', id: 'suspicious', endpoint: EVERYWHERE, options: { max_unauthenticated_per_address: 1 } },
];

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    config: nodeConfig({
      paths: {
        two: websocket({ max_connections: 2 }),
        patient: websocket({ max_unauthenticated: 1 }),
        tracked: { ...websocket({ max_connections: 1 }), cookie: { store: { type: 'memory' } } },
      },
      transports: [...RAWSOCKET_TRANSPORTS, SOCKET_FILE, ...LIMITED_RAWSOCKETS],
    }),
  });
});
afterAll(() => daemon.dispose());

/** What `wamp.session.get` tells of a connection. */
async function transportOf({ sessionId }: { readonly sessionId: number }): Promise<unknown> {
  const asker = await WampClient.join(daemon.url('/ws', 'ws'));
  const [, , , [details]] = (await asker.ask([48, 1, {}, 'wamp.session.get', [sessionId]])) as [0, 0, 0, [unknown]];
  await asker.leave();
  return (details as { readonly transport: unknown }).transport;
}

describe('the transport of a session', () => {
  it.each(TRANSPORTS)('is shown to others: $transport, $serializer', async ({ transport, serializer, connect }) => {
    const client = await connect(daemon);
    const batched = transport === 'WebSocket, batched' ? '.batched' : '';
    expect(await transportOf(await client.hello('realm1'))).toEqual({
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      is_secure: false,
      channel_type: 'tcp',
      channel_framing: transport === 'RawSocket' ? 'rawsocket' : 'websocket',
      channel_serializer: serializer,
      ...(transport !== 'RawSocket' && { websocket_protocol: `wamp.2.${serializer}${batched}` }),
    });
    await client.leave();
  });

  it('is shown to others: a socket file', async () => {
    const client = await RawSocketClient.join(daemon.listening()[2]?.['url'] as string);
    expect(await transportOf(client)).toEqual({
      peer: 'unix',
      is_secure: false,
      channel_type: 'unix',
      channel_framing: 'rawsocket',
      channel_serializer: 'json',
    });
    await client.leave();
  });
});

const rawUrl = (id: string): string =>
  daemon.listening().find((record) => record['transport'] === id)?.['url'] as string;
const wsUrl = (path: string): string => daemon.url(`/${path}`, 'ws');

/** Tries until there is a place: a connection that its client has closed is counted until the router knows. */
async function eventually<T>(connect: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      const refused = error instanceof RawSocketRefused || error instanceof HandshakeRefused;
      if (!refused || performance.now() > deadline) throw error;
    }
  }
}

describe('max_connections', () => {
  it('a RawSocket beyond it gets error 4 and is closed; a place that is left is free', async () => {
    const join = () => RawSocketClient.join(rawUrl('two'));
    const clients = [await join(), await join()];
    const wire = await RawSocketWire.open(placeOf(rawUrl('two')));
    wire.write(Buffer.from('7ff10000', 'hex'));
    expect((await wire.read(5)).toString('hex')).toBe('7f400000');
    await wire.closed;
    await clients[0]?.leave();
    clients.push(await eventually(join));
    await expect(join()).rejects.toThrow('7f400000');
    await Promise.all(clients.slice(1).map((client) => client.leave()));
  });

  it('a RawSocket beyond it is told so before it says anything', async () => {
    const clients = await Promise.all([1, 2].map(() => eventually(() => RawSocketClient.join(rawUrl('two')))));
    const wire = await RawSocketWire.open(placeOf(rawUrl('two')));
    expect((await wire.read(5)).toString('hex')).toBe('7f400000');
    await wire.closed;
    await Promise.all(clients.map((client) => client.leave()));
  });

  it('a WebSocket beyond it gets 503 and when to come back; a place that is left is free', async () => {
    const join = () => WampClient.join(wsUrl('two'));
    const clients = [await join(), await join()];
    await expect(join()).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    await clients[0]?.drop();
    clients.push(await eventually(join));
    await Promise.all(clients.slice(1).map((client) => client.leave()));
  });

  it('a WebSocket beyond it gets no cookie', async () => {
    const client = await WampClient.join(wsUrl('tracked'));
    expect(client.handshake.setCookie).toHaveLength(1);
    const refusal = await WampClient.connect(wsUrl('tracked')).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 503 });
    expect((refusal as HandshakeRefused).headers).not.toHaveProperty('set-cookie');
    await client.leave();
  });
});

describe('max_unauthenticated', () => {
  it('a RawSocket that says nothing makes room for the next one; one that has a session stays', async () => {
    const joined = await RawSocketClient.join(rawUrl('patient'));
    const silent = await RawSocketWire.open(placeOf(rawUrl('patient')));
    const idle = await RawSocketClient.connect(rawUrl('patient'));
    await silent.closed;
    const second = await RawSocketClient.join(rawUrl('patient'));
    await idle.wire.closed;
    expect(await joined.ask([48, 1, {}, 'wamp.session.count', []])).toMatchObject([50, 1, {}, [2]]);
    await Promise.all([joined, second].map((client) => client.leave()));
  });

  it('a WebSocket without a session makes room for the next one, and is told so that it comes back', async () => {
    const first = await WampClient.connect(wsUrl('patient'));
    const second = await WampClient.join(wsUrl('patient'));
    expect(await first.closed).toMatchObject({ code: 1013 });
    expect((await second.ask([6, {}, 'wamp.close.normal']))[0]).toBe(6);
    const third = await WampClient.connect(wsUrl('patient'));
    expect(await second.closed).toMatchObject({ code: 1013 });
    await third.hello();
    await third.leave();
  });

  it('is told once in the log, however many are closed', async () => {
    for (let i = 0; i < 4; i++) await RawSocketClient.connect(rawUrl('patient'));
    const isWarning = ({ msg, transport }: { msg: string; transport?: unknown }) =>
      msg === 'too many connections without a session, the oldest ones closed' && transport === 'patient';
    const warning = await daemon.waitForLog(isWarning);
    expect(warning).toMatchObject({ level: 'warn', limit: 'max_unauthenticated', allowed: 1 });
    expect(daemon.logs.filter(isWarning)).toHaveLength(1);
  });
});

describe('max_unauthenticated_per_address', () => {
  const port = (): number => Number(new URL(rawUrl('suspicious').replace('rs:', 'http:')).port);
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

  it('leaves alone who comes from this machine', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => RawSocketClient.connect({ port: port() })));
    for (const { wire } of clients) wire.socket.destroy();
  });

  itNeeds('an address in a network', address !== undefined)('has the first one of an address make room', async () => {
    const place = { port: port(), host: address };
    const near = await RawSocketClient.connect({ port: port() });
    const first = await RawSocketClient.connect(place);
    const second = await RawSocketClient.connect(place);
    await first.wire.closed;
    await second.hello('realm1');
    await near.hello('realm1');
    await Promise.all([near, second].map((client) => client.leave()));
  });
});
