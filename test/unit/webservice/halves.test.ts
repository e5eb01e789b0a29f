/** The halves of a transport whose connections are in fronts. */
import { expect, it } from 'vitest';
import { checkConfig } from '../../../src/config/check.js';
import { parseJson } from '../../../src/config/source/json.js';
import { SHIPPED } from '../../../src/worker/registry.js';
import { transportTypeOf } from '../../../src/worker/transports.js';
import type { RouterWorkerConfig, TransportConfig } from '../../../src/worker/schema.js';
import { nodeConfig } from '../../support/node-config.js';

const SOCKET = '/run/half.sock';
const PROXIED = { type: 'reverseproxy', host: '127.0.0.1', port: 9, options: { max_connections: 7 } };
const PATHS = {
  cookie: { type: 'websocket', auth: { anonymous: { type: 'static', role: 'anonymous' } }, cookie: {} },
  auth: { type: 'json', value: { cookie: 1, auth: 2, max_connections: 3, options: { auto_ping_interval: 4 } } },
  options: { type: 'path', paths: { cookie: PROXIED } },
  mqtt: { type: 'mqtt', options: { realm: 'realm1' } },
  poll: { type: 'longpoll', options: { max_connections: 5 } },
};

function transportOf(config: object): TransportConfig {
  const text = JSON.stringify(config);
  const { config: checked } = checkConfig(text, 'config.json', { parse: parseJson, cbdir: '/node', env: {} });
  return (checked.workers[0] as RouterWorkerConfig).transports[0] as TransportConfig;
}

function halves(transport: TransportConfig) {
  const both = transportTypeOf(transport, SHIPPED).halves?.(transport, SOCKET, SHIPPED);
  if (both?.atRouter === undefined) throw new Error('it has no halves');
  return both;
}

const web = transportOf(nodeConfig({ websocket: { options: { max_connections: 9 } }, paths: PATHS }));

it('has at the front all paths, whatever they are called, and no secrets of logins and cookies', () => {
  expect(halves(web).atFront).toMatchObject({
    paths: {
      ws: { type: 'websocket', options: { max_connections: 0, auto_ping_interval: 30_000 } },
      cookie: { type: 'websocket' },
      auth: PATHS.auth,
      options: { type: 'path', paths: { cookie: PROXIED } },
      mqtt: { type: 'reverseproxy', path: '/mqtt', endpoint: { type: 'unix', path: SOCKET } },
      poll: { type: 'reverseproxy', path: '/poll' },
    },
  });
  const { paths } = halves(web).atFront as unknown as { readonly paths: Readonly<Record<string, object>> };
  expect(Object.keys(paths['cookie'] ?? {})).not.toContain('auth');
  expect(Object.keys(paths['cookie'] ?? {})).not.toContain('cookie');
});

it('counts at the router, and pings at the front only those whose connections a front has', () => {
  const { paths } = web as unknown as { readonly paths: Readonly<Record<string, { readonly options: object }>> };
  expect(halves(web).atRouter).toMatchObject({
    endpoint: { type: 'unix', path: SOCKET, mode: '0600' },
    paths: {
      ws: { options: { max_connections: 9, auto_ping_interval: 0 } },
      cookie: PATHS.cookie,
      auth: PATHS.auth,
      mqtt: { options: paths['mqtt']?.options },
      poll: { options: paths['poll']?.options },
    },
  });
});

it('divides a universal transport as those that it is made of', () => {
  const config = {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [],
        transports: [
          {
            type: 'universal',
            endpoint: { type: 'tcp', port: 0 },
            rawsocket: { options: { max_connections: 3 }, auth: PATHS.cookie.auth },
            websocket: { auth: { options: { max_connections: 4 }, auth: PATHS.cookie.auth } },
            web: { paths: { cookie: PATHS.auth } },
          },
        ],
      },
    ],
  };
  const universal = transportOf(config);
  const front = halves(universal).atFront as unknown as { readonly rawsocket: object };
  expect(front).toMatchObject({
    rawsocket: { options: { max_connections: 0 } },
    websocket: { auth: { options: { max_connections: 0 } } },
    web: { paths: { cookie: PATHS.auth } },
  });
  expect(JSON.stringify(front)).not.toContain('anonymous');
  expect(halves(universal).atRouter).toMatchObject({
    rawsocket: { options: { max_connections: 3, auto_ping_interval: 0 }, auth: PATHS.cookie.auth },
    websocket: { auth: { options: { max_connections: 4, auto_ping_interval: 0 }, auth: PATHS.cookie.auth } },
    web: { paths: { cookie: PATHS.auth } },
  });
});

it.each(['stream.testee', 'websocket.testee', 'flashpolicy'])('leaves nothing of %s to the router', (type) => {
  const transport = { type, id: 'echo', endpoint: { type: 'tcp', port: 0 } } as unknown as TransportConfig;
  expect(transportTypeOf(transport, SHIPPED).halves?.(transport, SOCKET, SHIPPED)).toEqual({ atFront: transport });
});

it('is not there for clients of MQTT', () => {
  const transport = { type: 'mqtt', id: 'mqtt1' } as unknown as TransportConfig;
  expect('halves' in transportTypeOf(transport, SHIPPED)).toBe(false);
});
