/** Proxy workers: their transports lead straight to the router worker behind them, for the roles that have a route. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { spawnDaemon, startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { WampClient } from '../support/wamp-client.js';

const daemons: Daemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.dispose();
});

const LOOPBACK = { type: 'tcp', port: 0, interface: '127.0.0.1' };
const SOCKET = { type: 'unix', path: 'router.sock' };
const allow = { call: true, register: true, publish: true, subscribe: true };
const role = (name: string) => ({ name, permissions: [{ uri: '', match: 'prefix', allow }] });

/** What the router worker listens with: only proxies of Crossbar.io may log in. */
const behind = { type: 'rawsocket', endpoint: SOCKET, auth: { 'anonymous-proxy': { type: 'static' } } };
const router = {
  type: 'router',
  id: 'behind',
  realms: ['realm1', 'realm2'].map((name) => ({ name, roles: ['anonymous', 'user', 'admin'].map(role) })),
  transports: [behind] as object[],
};

const principals = {
  joe: { ticket: 'secret1', role: 'user' },
  ann: { ticket: 'secret2', role: 'admin' },
};
const auth = {
  anonymous: { type: 'static', role: 'anonymous' },
  ticket: { type: 'static', principals },
  cookie: {},
};
const web = (endpoint: object) => ({
  type: 'web',
  endpoint,
  paths: {
    '/': { type: 'json', value: 'page' },
    ws: { type: 'websocket', auth, cookie: { store: { type: 'memory' } } },
  },
});
const front = (more: object = {}) => ({
  type: 'proxy',
  id: 'front',
  connections: { conn1: { transport: { type: 'rawsocket', endpoint: SOCKET, serializer: 'cbor' } } },
  routes: { realm1: { anonymous: 'conn1', user: ['conn1'] } },
  transports: [web(LOOPBACK)],
  ...more,
});

async function started(...workers: readonly object[]): Promise<Daemon> {
  const daemon = await startDaemon({ config: { version: 2, workers } });
  daemons.push(daemon);
  return daemon;
}

/** Says HELLO, and with a ticket AUTHENTICATE. @returns the answer. */
async function join(client: WampClient, realm: string, ticket?: readonly [string, string]) {
  const login = ticket === undefined ? {} : { authmethods: ['ticket'], authid: ticket[0] };
  client.send([1, realm, { roles: { caller: {}, callee: {} }, ...login }]);
  const answer = await client.next();
  if (answer[0] !== 4) return answer;
  client.send([5, ticket?.[1], {}]);
  return client.next();
}

const connected = (daemon: Daemon, headers = {}) => WampClient.connect(daemon.url('/ws', 'ws'), { headers });

describe('a proxy worker', () => {
  // It stands before its router, which starts first all the same.
  it('lets clients log in to the realms of the router, and they meet there', async () => {
    const daemon = await started(front(), router);
    const callee = await connected(daemon);
    expect(await join(callee, 'realm1', ['joe', 'secret1'])).toMatchObject([
      2,
      {},
      { authrole: 'user', authid: 'joe' },
    ]);
    const caller = await connected(daemon);
    expect(await join(caller, 'realm1')).toMatchObject([2, {}, { authrole: 'anonymous' }]);
    callee.send([64, 1, {}, 'com.example.add']);
    expect(await callee.next()).toMatchObject([65, 1, expect.any(Number)]);
    caller.send([48, 1, {}, 'com.example.add', [2]]);
    const [, invocation] = await callee.next();
    callee.send([70, invocation, {}, [3]]);
    expect(await caller.next()).toMatchObject([50, 1, {}, [3]]);
    expect(await (await fetch(daemon.url('/'))).json()).toBe('page');
  });

  it('refuses realms and roles without a route', async () => {
    const daemon = await started(router, front());
    expect(await join(await connected(daemon), 'realm2')).toMatchObject([3, {}, 'wamp.error.no_such_realm']);
    expect(await join(await connected(daemon), 'realm1', ['ann', 'secret2'])).toMatchObject([
      3,
      {},
      'wamp.error.no_such_role',
    ]);
  });

  it('remembers a login by its cookie', async () => {
    const daemon = await started(router, front());
    const client = await connected(daemon);
    const [cookie = ''] = client.handshake.setCookie;
    await join(client, 'realm1', ['joe', 'secret1']);
    const again = await connected(daemon, { cookie: cookie.split(';')[0] });
    again.send([1, 'realm1', { roles: { caller: {} }, authmethods: ['cookie'] }]);
    expect(await again.next()).toMatchObject([2, {}, { authid: 'joe', authprovider: 'cookie' }]);
  });

  it('needs no listener of the router, which has none for proxies only', async () => {
    const daemon = await started(router, front());
    expect(existsSync(path.join(daemon.cbdir, SOCKET.path))).toBe(false);
    expect(daemon.logs.filter(({ msg }) => msg === 'transport started')).toMatchObject([{ worker: 'front' }]);
    const notes = daemon.logs.filter(({ msg }) => msg === 'config note').map(({ pointer }) => pointer);
    expect(notes).toEqual(['/workers/0/transports/0/auth/anonymous-proxy', '/workers/1']);
  });

  it('leaves a listener of the router that others may use, too', async () => {
    const open = { ...behind, auth: { ...behind.auth, anonymous: { type: 'static', role: 'user' } } };
    const daemon = await started({ ...router, transports: [open] }, front());
    expect(existsSync(path.join(daemon.cbdir, SOCKET.path))).toBe(true);
  });

  it('shares its port with another one', async () => {
    const first = await started(router, front());
    const port = Number(new URL(first.url('/')).port);
    await first.dispose();
    const shared = { transports: [web({ ...LOOPBACK, port, shared: true })] };
    const daemon = await started(router, front(shared), front({ id: 'other', ...shared }));
    expect(daemon.logs.filter(({ msg }) => msg === 'transport started')).toMatchObject([{ worker: 'front', port }]);
    expect((await join(await connected(daemon), 'realm1'))[0]).toBe(2);
  });

  it('is left out where it is disabled, and cannot lead to a router that is', async () => {
    const off = { options: { disabled: true } };
    const daemon = await started(router, front(off));
    expect(daemon.logs.map(({ msg }) => msg)).not.toContain('transport started');
    const failing = spawnDaemon({ config: { version: 2, workers: [{ ...router, ...off }, front()] } });
    daemons.push(failing);
    expect((await failing.exited).code).toBe(1);
    expect(failing.stderr).toContain('(/workers/1): the worker behind that it leads to is switched off');
  });

  it('tells where a transport of it stands that cannot listen', async () => {
    const daemon = await started(router, front());
    const port = Number(new URL(daemon.url('/')).port);
    const failing = spawnDaemon({
      config: { version: 2, workers: [router, front({ transports: [web({ ...LOOPBACK, port })] })] },
    });
    daemons.push(failing);
    expect((await failing.exited).code).toBe(1);
    expect(failing.stderr).toContain('(/workers/1/transports/0)');
  });
});

describe('a place for proxies only', () => {
  it('lets nobody in, where it is a path', async () => {
    const path = { type: 'websocket', auth: { 'cryptosign-proxy': { type: 'static', principals: {} } } };
    const daemon = await started({ ...router, transports: [{ type: 'web', endpoint: LOOPBACK, paths: { ws: path } }] });
    for (const method of ['anonymous', 'cryptosign-proxy', 'cryptosign']) {
      const client = await connected(daemon);
      client.send([1, 'realm1', { roles: { caller: {} }, authmethods: [method], authid: 'joe' }]);
      expect((await client.next())[0], method).toBe(3);
    }
  });
});
