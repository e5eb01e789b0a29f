/** Where a proxy worker leads, and what of it belongs to the router worker behind it. */
import { describe, expect, it } from 'vitest';

import { check, problemsOf, strictProblemsOf } from './configs.js';

const allow = { call: true, subscribe: true, register: true };
const realms = [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [{ uri: '', match: 'prefix', allow }] }] }];
const proxyOnly = { 'anonymous-proxy': { type: 'static' } };

const router = (endpoint: object, more: object = {}) => ({
  type: 'router',
  id: 'behind',
  realms,
  transports: [{ type: 'rawsocket', endpoint, auth: proxyOnly }],
  ...more,
});
const proxy = (endpoint: object, more: object = {}) => ({
  type: 'proxy',
  connections: { conn1: { transport: { type: 'rawsocket', endpoint } } },
  routes: { realm1: { anonymous: 'conn1' } },
  transports: [{ type: 'websocket', endpoint: { type: 'tcp', port: 8080 } }],
  ...more,
});
const node = (...workers: readonly object[]) => ({ version: 2, workers });

describe('a proxy leads to the router worker that listens where it would connect:', () => {
  const tcp = (more: object) => ({ type: 'tcp', port: 8442, ...more });

  it.each<[string, object, object]>([
    ['a socket file', { type: 'unix', path: 'a.sock' }, { type: 'unix', path: './a.sock' }],
    ['an absolute one', { type: 'unix', path: 'a.sock' }, { type: 'unix', path: '/node/a.sock' }],
    ['localhost', tcp({}), tcp({ host: 'localhost' })],
    ['an address of loopback', tcp({ interface: '0.0.0.0' }), tcp({ host: '127.0.0.1' })],
    ['loopback of version 6', tcp({ interface: '::1' }), tcp({ host: '::1' })],
    ['the address of an interface', tcp({ interface: '192.0.2.1' }), tcp({ host: '192.0.2.1' })],
    ['a port of the environment', { type: 'tcp', port: '$PORT' }, tcp({ host: 'localhost' })],
  ])('%s', (_name, listening, connecting) => {
    const { config } = check(node(router(listening), proxy(connecting)), { PORT: '8442' });
    expect(config.workers[1]).toMatchObject({ front: { worker: 'behind', silent: [] } });
  });

  it.each<[string, object, object]>([
    ['another file', { type: 'unix', path: 'a.sock' }, { type: 'unix', path: 'b.sock' }],
    ['another port', tcp({}), tcp({ host: 'localhost', port: 8443 })],
    ['another machine', tcp({}), tcp({ host: 'router.example.com' })],
    ['an interface where it does not listen', tcp({ interface: '192.0.2.1' }), tcp({ host: 'localhost' })],
    ['a socket file in the place of a port', tcp({}), { type: 'unix', path: 'a.sock' }],
  ])('not %s', (_name, listening, connecting) => {
    expect(problemsOf(node(router(listening), proxy(connecting)))).toEqual([
      expect.stringMatching(
        /^\/workers\/1\/connections\/conn1\/transport\/endpoint: no router worker .* listens there/,
      ),
    ]);
  });
});

it('a proxy that leads nowhere is told that, and not what follows from it', () => {
  const auth = {
    anonymous: { type: 'static', realm: 'realm1' },
    ticket: { type: 'dynamic', authenticator: 'com.example.auth', 'authenticator-realm': 'realm1' },
  };
  const transports = [
    { type: 'websocket', endpoint: { type: 'tcp', port: 8080 }, auth },
    { type: 'websocket', endpoint: { type: 'tcp', port: 8081 } },
  ];
  const value = node(router({ type: 'unix', path: 'a.sock' }), proxy({ type: 'unix', path: 'b.sock' }, { transports }));
  expect(problemsOf(value)).toHaveLength(1);
  expect(strictProblemsOf(value).filter((line) => line.startsWith('/workers/1'))).toHaveLength(1);
});

describe('what is on a proxy', () => {
  const socket = { type: 'unix', path: 'a.sock' };
  const front = (websocket: object) =>
    proxy(socket, { transports: [{ type: 'websocket', endpoint: { type: 'tcp', port: 8080 }, ...websocket }] });

  it('may be wrong anywhere, and is told its place in the file', () => {
    expect(problemsOf(node(front({ auth: { anonymous: { type: 'statik' } } }), router(socket)))).toEqual([
      '/workers/0/transports/0/auth/anonymous/type: found "statik", did you mean "static"? (allowed: "static", "dynamic", "function")',
    ]);
  });

  it('names realms and roles of the router', () => {
    const auth = { ticket: { type: 'static', principals: { joe: { ticket: 'secret1', role: 'ghost' } } } };
    const { notes } = check(node(router(socket), front({ auth })));
    expect(notes.map(({ pointer }) => pointer)).toContain('/workers/1/transports/0/auth/ticket/principals/joe/role');
  });

  it('names authenticators that the router guards', () => {
    const auth = { ticket: { type: 'dynamic', authenticator: 'com.example.auth', 'authenticator-realm': 'realm1' } };
    const { authenticators } = check(node(front({ auth }), router(socket)));
    expect(authenticators).toEqual([[], [{ procedure: 'com.example.auth', realm: 'realm1', role: undefined }]]);
  });

  it('lets strangers in to the roles of the router, which is warned of as if it were on the router', () => {
    const visited = front({ cookie: {} });
    const own = router(socket, { transports: visited.transports });
    const told = (...workers: readonly object[]): string[] =>
      check(node(...workers))
        .warnings.filter(({ pointer }) => pointer.includes('/realms/0/roles/'))
        .map(({ pointer, text }) => `${pointer.replace(/^\/workers\/\d/, '')}: ${text}`);
    expect(told(visited, router(socket))).toEqual(told(own));
    expect(told(own)).not.toEqual([]);
  });

  it('has the ports that it listens on for itself', () => {
    const taken = router(socket, { transports: [...router(socket).transports, ...proxy(socket).transports] });
    expect(problemsOf(node(taken, proxy(socket)))).toEqual([
      '/workers/1/transports/0/endpoint/port: port 8080 is taken by /workers/0/transports/1 (allowed: another port, another interface, or "shared": true in both)',
    ]);
  });
});
