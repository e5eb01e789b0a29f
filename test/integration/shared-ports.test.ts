/** Ports: one for transports of several workers (`shared`), and one out of a range (`portrange`). */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import type { Daemon } from '../support/daemon.js';
import { DaemonExited, startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig, openRealm } from '../support/node-config.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { rawHttp, WampClient, within } from '../support/wamp-client.js';

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(closed));
  return ports;
}

const router = (realm: string, ...transports: readonly object[]): object => ({
  type: 'router',
  realms: [openRealm(realm), openRealm('both')],
  transports,
});

describe('a port that is shared', () => {
  let daemon: Daemon;
  let ports: { readonly web: number; readonly raw: number; readonly all: number; readonly echo: number };
  beforeAll(async () => {
    const [web = 0, raw = 0, all = 0, echo = 0] = await freePorts(4);
    ports = { web, raw, all, echo };
    const endpoint = (port: number): object => ({ ...LOOPBACK, port, shared: true });
    const ticket = { ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'anonymous' } } } };
    const json = (value: string): object => ({ type: 'json', value });
    const testee = { type: 'websocket-testee', transport: { type: 'websocket', endpoint: endpoint(echo) } };
    const universal = (auth: object): object => ({
      type: 'universal',
      endpoint: endpoint(all),
      rawsocket: auth,
      websocket: { ws: { ...auth } },
    });
    daemon = await startDaemon({
      config: {
        version: 2,
        workers: [
          router(
            'realm1',
            {
              type: 'web',
              endpoint: endpoint(web),
              paths: { '/': json('rest'), ws: { type: 'websocket' }, one: json('one') },
            },
            { type: 'rawsocket', endpoint: endpoint(raw) },
            universal({}),
          ),
          router(
            'realm2',
            {
              type: 'web',
              endpoint: endpoint(web),
              paths: { ws: { type: 'websocket', auth: ticket }, two: json('two'), own: { type: 'websocket' } },
            },
            { type: 'rawsocket', endpoint: endpoint(raw), auth: ticket },
            universal({ auth: ticket }),
          ),
          testee,
          testee,
        ],
      },
    });
  });
  afterAll(async () => {
    const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
    await daemon.dispose();
    expect(faults).toEqual([]);
  });

  const webSocket = (path = 'ws'): string => `ws://127.0.0.1:${ports.web}/${path}`;
  const LOGIN = { authmethods: ['ticket'], authid: 'joe', roles: { caller: {}, callee: {} } };
  type Client = Pick<WampClient, 'send' | 'next' | 'ask'>;
  const connections: readonly (readonly [string, () => Promise<Client>])[] = [
    ['a WebSocket', () => WampClient.connect(webSocket())],
    ['a RawSocket', () => RawSocketClient.connect({ host: '127.0.0.1', port: ports.raw })],
    ['a WebSocket of universal', () => WampClient.connect(`ws://127.0.0.1:${ports.all}/ws`)],
    ['a RawSocket of universal', () => RawSocketClient.connect({ host: '127.0.0.1', port: ports.all })],
  ];

  describe.each(connections)('%s', (_name, connect) => {
    it('leads to the worker that has the realm, by the auth of its transport', async () => {
      const first = await connect();
      expect((await first.ask([1, 'realm1', { roles: { caller: {}, callee: {} } }]))[0]).toBe(2);
      const second = await connect();
      expect((await second.ask([1, 'realm2', LOGIN]))[0]).toBe(4);
      const [type, , welcome] = await second.ask([5, 'secret', {}]);
      expect([type, welcome]).toMatchObject([2, { realm: 'realm2', authid: 'joe', authmethod: 'ticket' }]);
      const stranger = await connect();
      const [refused, , reason] = await stranger.ask([1, 'realm2', { roles: { caller: {} } }]);
      expect([refused, reason]).toEqual([3, 'wamp.error.no_auth_method']);
    });

    it('may have a session here and then one there', async () => {
      const client = await connect();
      for (const realm of ['realm1', 'realm2', 'realm1']) {
        const [type] = await client.ask([1, realm, realm === 'realm2' ? LOGIN : { roles: { caller: {} } }]);
        if (type === 4) await client.ask([5, 'secret', {}]);
        expect((await client.ask([6, {}, 'wamp.close.normal']))[0]).toBe(6);
      }
    });
  });

  it('a realm that no worker has is refused by the first one, and one that both have is its own', async () => {
    const client = await WampClient.connect(webSocket());
    const [type, , reason] = await client.ask([1, 'realm3', { roles: { caller: {} } }]);
    expect([type, reason]).toEqual([3, 'wamp.error.no_such_realm']);
    await WampClient.join(webSocket(), 'both');
    const notes = daemon.logs.filter(({ msg }) => msg === 'config note').map(({ note }) => note);
    expect(notes[0]).toBe(
      `shares port ${ports.web} with /workers/0/transports/0, whose worker comes first: clients who ask for "both" get there`,
    );
  });

  it('requests get to the worker that has the path', async () => {
    const get = async (path: string): Promise<string> =>
      (await rawHttp(ports.web, [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close'])).body;
    expect([await get('/one'), await get('/two'), await get('/')]).toEqual(['"one"\n', '"two"\n', '"rest"\n']);
    await WampClient.join(webSocket('own'), 'realm2');
  });

  it('echoes are alike', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${ports.echo}/`);
    await within(once(socket, 'open'), 'handshake');
    socket.send('hello');
    expect(String((await within(once(socket, 'message'), 'echo'))[0])).toBe('hello');
    socket.close();
  });

  it('each worker has its place in the log', () => {
    const web = daemon.listening().filter(({ port }) => port === ports.web);
    expect(web.map(({ worker }) => worker)).toEqual(['worker001', 'worker002']);
  });
});

describe('portrange', () => {
  it('is the first port that is free, which the log tells', async () => {
    const taken = await listening();
    const from = portOf(taken);
    const endpoint = { type: 'tcp', interface: '127.0.0.1', portrange: [from, Math.min(from + 50, 65_535)] };
    const daemon = await startDaemon({ config: nodeConfig({ transport: { endpoint } }) });
    expect(daemon.port).toBeGreaterThan(from);
    expect(daemon.port).toBeLessThanOrEqual(from + 50);
    await WampClient.join(daemon.url('/ws', 'ws'));
    await daemon.dispose();
    await closed(taken);
  });

  it('without a free one the node does not start, and says why', async () => {
    const taken = await listening();
    const port = portOf(taken);
    const other = createServer()
      .listen(port + 1, '127.0.0.1')
      .on('error', () => undefined);
    const endpoint = { type: 'tcp', interface: '127.0.0.1', portrange: [port, port] };
    const start = startDaemon({ config: nodeConfig({ transport: { endpoint } }) });
    await expect(start).rejects.toThrow(DaemonExited);
    await expect(start).rejects.toThrow('in use');
    other.close();
    await closed(taken);
  });
});
