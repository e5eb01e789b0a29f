import { expect, it } from 'vitest';

import { formatSummary } from '../../../src/node/summary.js';

it('the summary says what listens where, which realms there are and who remembers the browsers', () => {
  const text = formatSummary({
    pid: 4711,
    title: 'crossbar-ts',
    cbdir: '/srv/app/.crossbar',
    config: '/srv/app/.crossbar/config.json',
    workers: [{ worker: 'worker001', type: 'router' }],
    listening: [
      {
        transport: 'transport001',
        type: 'web',
        worker: 'worker001',
        address: '127.0.0.1',
        port: 8080,
        url: 'http://127.0.0.1:8080/',
        paths: [
          { path: '/', type: 'static', url: 'http://127.0.0.1:8080/' },
          { path: '/ws', type: 'websocket', url: 'ws://127.0.0.1:8080/ws' },
        ],
      },
      {
        transport: 'transport002',
        type: 'websocket',
        worker: 'worker001',
        address: '0.0.0.0',
        port: 9000,
        url: 'ws://127.0.0.1:9000/',
        paths: [],
      },
      {
        transport: 'transport003',
        type: 'rawsocket',
        worker: 'worker001',
        address: '/run/node.sock',
        url: 'rs://unix:/run/node.sock:/',
        paths: [],
      },
      {
        transport: 'transport004',
        type: 'universal',
        worker: 'worker001',
        address: '127.0.0.1',
        port: 8443,
        url: 'https://127.0.0.1:8443/',
        beside: [{ type: 'rawsocket', url: 'rss://127.0.0.1:8443/' }],
        paths: [{ path: '/ws', type: 'websocket', url: 'wss://127.0.0.1:8443/ws' }],
      },
    ],
    components: [],
    realms: [{ realm: 'realm1', worker: 'worker001', roles: ['anonymous', 'backend'] }],
    cookieStores: [{ type: 'file', filename: '/srv/app/.crossbar/cookies.dat' }, { type: 'memory' }],
  });
  expect(text.split('\n')).toEqual([
    'node      pid 4711, /srv/app/.crossbar/config.json',
    'listening http://127.0.0.1:8080/  static',
    'listening ws://127.0.0.1:8080/ws  websocket',
    'listening ws://127.0.0.1:9000/  websocket, on all addresses of this machine',
    'listening rs://unix:/run/node.sock:/  rawsocket',
    'listening wss://127.0.0.1:8443/ws  websocket',
    'listening rss://127.0.0.1:8443/  rawsocket',
    'realm     realm1, roles anonymous, backend',
    'cookies   /srv/app/.crossbar/cookies.dat',
    'cookies   in memory, forgotten when the node stops',
  ]);
});

it('a node without transports says that nothing listens', () => {
  const text = formatSummary({
    pid: 1,
    title: 'crossbar-ts',
    cbdir: '/c',
    config: '/c/config.json',
    workers: [],
    listening: [],
    realms: [],
    components: [],
    cookieStores: [],
  });
  expect(text).toContain('nowhere: the config has no transports');
});

it('it says what runs inside, how clients are let in, and which workers there are where there are several', () => {
  const text = formatSummary({
    pid: 1,
    title: 'crossbar-ts',
    cbdir: '/c',
    workers: [
      { worker: 'worker001', type: 'router' },
      { worker: 'mills', type: 'mill' },
    ],
    listening: [
      {
        ...{ transport: 'transport001', type: 'rawsocket', worker: 'worker001', address: '/n.sock' },
        ...{ url: 'rs://unix:/n.sock:/', wamp: { serializers: ['json', 'cbor'], auth: ['ticket'] }, paths: [] },
      },
      {
        ...{ transport: 'transport002', type: 'web', worker: 'worker001', address: '127.0.0.1', port: 80 },
        url: 'http://127.0.0.1:80/',
        paths: [
          { path: '/', type: 'static', url: 'http://127.0.0.1:80/' },
          {
            ...{ path: '/ws', type: 'websocket', url: 'ws://127.0.0.1:80/ws' },
            wamp: { serializers: ['json'], auth: ['ticket', 'cookie'] },
          },
        ],
      },
    ],
    realms: [],
    components: [{ component: 'backend', type: 'module', worker: 'worker001', realm: 'realm1', role: 'anonymous' }],
    cookieStores: [{ type: 'file', filename: '/c/cookies.dat' }],
  });
  expect(text.split('\n').slice(4)).toEqual([
    'cookies   /c/cookies.dat',
    'component backend, module, in realm1',
    'clients   speak json, cbor; let in by ticket, cookie',
    'worker    worker001, router',
    'worker    mills, mill',
  ]);
});
