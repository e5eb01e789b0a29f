/** What is new in a config, and what of it a running node takes over. */
import { describe, expect, it } from 'vitest';

import { checkObject } from '../../../../src/config/check.js';
import { compareConfigs } from '../../../../src/config/reload/comparison.js';
import type { Comparison } from '../../../../src/config/reload/comparison.js';
import { nodeSchemaTree } from '../../../../src/config/schema.js';
import type { ConfigSchema } from '../../../../src/schema/dialect.js';

const TLS = { key: '/a.key', certificate: '/a.pem' };
const endpoint = { type: 'tcp', port: 8080, interface: '127.0.0.1' };
const websocket = { type: 'websocket', auth: { anonymous: { type: 'static', role: 'guest' } } };
const role = (name: string, ...uris: string[]): object => ({
  name,
  permissions: uris.map((uri) => ({ uri, allow: { subscribe: true } })),
});

interface Parts {
  readonly controller?: object;
  readonly realms?: readonly object[];
  readonly transports?: readonly object[];
  readonly components?: readonly object[];
  readonly more?: readonly object[];
}

const config = ({ controller = {}, realms, transports, components = [], more = [] }: Parts): object => ({
  version: 2,
  controller,
  workers: [
    {
      type: 'router',
      realms: realms ?? [{ name: 'realm1', roles: [role('guest', 'a.')] }],
      transports: transports ?? [{ type: 'web', endpoint, paths: { ws: websocket } }],
      components,
    },
    ...more,
  ],
});

function compare(old: Parts, next: Parts): Comparison {
  const checked = (parts: Parts) => checkObject(config(parts), { cbdir: '/node', env: {} }).config;
  return compareConfigs(checked(old), checked(next), nodeSchemaTree);
}

const changed = (old: Parts, next: Parts): string[] =>
  compare(old, next).changes.map(({ pointer, how }) => `${pointer}: ${how}`);
const pending = (old: Parts, next: Parts): string[] => compare(old, next).pending.map(({ pointer }) => pointer);

describe('the comparison of two configs', () => {
  it('finds nothing in the same, and gives back the same object', () => {
    const { config: result, changes, pending: waiting } = compare({}, {});
    expect([changes, waiting]).toEqual([[], []]);
    expect(result.workers).toHaveLength(1);
  });

  it('leaves alone what did not change: it is the same object', () => {
    const one = checkObject(config({}), { cbdir: '/node', env: {} }).config;
    const other = checkObject(config({ transports: [] }), { cbdir: '/node', env: {} }).config;
    const { config: result } = compareConfigs(one, other, nodeSchemaTree);
    const realmsOf = ({ workers: [worker] }: typeof one) => (worker?.type === 'router' ? worker.realms : undefined);
    expect(realmsOf(result)).toBe(realmsOf(one));
    expect(result.controller).toBe(one.controller);
  });

  it('knows a transport again that has another number in the file now', () => {
    const at = (port: number) => ({ type: 'rawsocket', endpoint: { ...endpoint, port } });
    const [one, two] = [at(8081), at(8082)];
    const first = { type: 'web', endpoint, paths: { ws: websocket }, cookie: { name: 'first' } };
    const both = { transports: [first, one, two] };
    expect(changed(both, { transports: [one, two] })).toEqual([
      '/workers/0/transports/0/id: at once',
      '/workers/0/transports/1/id: at once',
      '/workers/0/transports/0: at once',
    ]);
    expect(changed({ transports: [one, two] }, both)).toEqual([
      '/workers/0/transports/0: at once',
      '/workers/0/transports/1/id: at once',
      '/workers/0/transports/2/id: at once',
    ]);
    expect(pending(both, { transports: [two, first] })).toEqual([]);
  });

  it('names realms and roles by their names, whatever their places', () => {
    const [a, b] = [{ name: 'realm1', roles: [role('guest', 'a.'), role('other')] }, { name: 'realm2' }];
    expect(changed({ realms: [a] }, { realms: [b, a] })).toEqual([
      '/workers/0/realms/0: at once',
      '/workers/0/realms/1/id: at once',
    ]);
    expect(changed({ realms: [a, b] }, { realms: [a] })).toEqual(['/workers/0/realms/1: at once']);
    const other = { name: 'realm1', roles: [role('other'), role('guest', 'b.')] };
    expect(changed({ realms: [a] }, { realms: [other] })).toEqual(['/workers/0/realms/0/roles/1/permissions: at once']);
  });

  it.each<[string, Parts, Parts, string[], string[]]>([
    ['the title of the node', {}, { controller: { options: { title: 'x' } } }, [], ['/controller/options/title']],
    [
      'its connections',
      {},
      { controller: { options: { max_connections: 9 } } },
      ['/controller/options/max_connections: at once'],
      [],
    ],
    ['a worker more', {}, { more: [{ type: 'router' }] }, [], ['/workers/1']],
    ['a worker less', { more: [{ type: 'router' }] }, {}, [], ['/workers/1']],
    [
      'a component',
      {},
      { components: [{ type: 'module', module: './x.mjs', realm: 'realm1', role: 'trusted' }] },
      [],
      ['/workers/0/components/0'],
    ],
    [
      'an option of a realm',
      {},
      { realms: [{ name: 'realm1', options: { max_retained_events: 5 }, roles: [role('guest', 'a.')] }] },
      ['/workers/0/realms/0/options/max_retained_events: at once'],
      [],
    ],
    [
      'its meta API',
      {},
      { realms: [{ name: 'realm1', options: { enable_meta_api: false }, roles: [role('guest', 'a.')] }] },
      [],
      ['/workers/0/realms/0/options/enable_meta_api'],
    ],
    [
      'a new port',
      {},
      { transports: [{ type: 'web', endpoint: { ...endpoint, port: 8081 }, paths: { ws: websocket } }] },
      ['/workers/0/transports/0/endpoint/port: at once'],
      [],
    ],
    [
      'TLS that comes',
      {},
      { transports: [{ type: 'web', endpoint: { ...endpoint, tls: TLS }, paths: { ws: websocket } }] },
      ['/workers/0/transports/0/endpoint/tls: new connections'],
      [],
    ],
    [
      'a path that comes',
      {},
      { transports: [{ type: 'web', endpoint, paths: { ws: websocket, x: { type: 'json', value: 1 } } }] },
      ['/workers/0/transports/0/paths/x: new requests'],
      [],
    ],
    [
      'other limits and principals of a WebSocket',
      {},
      {
        transports: [
          {
            type: 'web',
            endpoint,
            paths: {
              ws: {
                ...websocket,
                options: { max_message_size: 1000 },
                auth: {
                  ...websocket.auth,
                  ticket: { type: 'static', principals: { joe: { ticket: 'xyz-123', role: 'guest' } } },
                },
              },
            },
          },
        ],
      },
      [
        '/workers/0/transports/0/paths/ws/auth/ticket: new sessions',
        '/workers/0/transports/0/paths/ws/options/max_message_size: new connections',
      ],
      [],
    ],
    [
      'a cookie with another name and another age',
      { transports: [{ type: 'web', endpoint, paths: { ws: websocket }, cookie: { store: { type: 'memory' } } }] },
      {
        transports: [
          {
            type: 'web',
            endpoint,
            paths: { ws: websocket },
            cookie: { name: 'other', max_age: 60, store: { type: 'memory' } },
          },
        ],
      },
      ['/workers/0/transports/0/cookie/max_age: new requests'],
      ['/workers/0/transports/0/cookie/name'],
    ],
  ])('knows what becomes of %s', (_what, old, next, changes, waiting) => {
    expect(changed(old, next).sort()).toEqual([...changes].sort());
    expect(pending(old, next)).toEqual(waiting);
  });

  it('lets nothing below a proxy change, also what could elsewhere', () => {
    const proxy = (port: number) => ({
      type: 'proxy',
      routes: { realm1: { guest: 'backend' } },
      connections: {
        backend: {
          transport: {
            type: 'websocket',
            endpoint: { type: 'tcp', host: '127.0.0.1', port: 8080 },
            url: 'ws://127.0.0.1:8080/ws',
          },
        },
      },
      transports: [{ type: 'web', endpoint: { ...endpoint, port }, paths: { ws: { type: 'websocket' } } }],
    });
    const parts = [{ more: [proxy(9001)] }, { more: [proxy(9002)] }] as const;
    expect(pending(...parts)).toEqual(['/workers/1/transports/0/endpoint/port']);
    expect(changed(...parts)).toEqual([]);
  });

  it('takes components of JavaScript on demand, and none of Python', () => {
    const withComponents = (...components: readonly object[]) => {
      const filled = components.map((component) => ({ realm: 'realm1', ...component }));
      const worker = {
        type: 'router',
        realms: [{ name: 'realm1', roles: [{ name: 'anonymous' }] }],
        components: filled,
      };
      return checkObject({ version: 2, workers: [worker] }, { cbdir: '/node', env: {} }).config;
    };
    const module = { type: 'module', id: 'one', module: './one.mjs' };
    const python = { type: 'class', id: 'two', classname: 'a.B' };
    const before = withComponents(module, python);
    const after = withComponents(
      { ...module, extra: 1 },
      { ...python, extra: 1 },
      { ...python, id: 'three', classname: 'a.D' },
    );
    const places = ['0/extra', '1/extra', '2'].map((place) => `/workers/0/components/${place}`);
    expect(compareConfigs(before, after, nodeSchemaTree)).toMatchObject({
      changes: [],
      pending: places.map((pointer, index) => ({ pointer, how: index === 0 ? 'on demand' : 'restart' })),
    });
    const demanded = compareConfigs(before, after, nodeSchemaTree, true);
    expect(demanded.changes).toEqual([{ pointer: places[0], how: 'on demand' }]);
    expect(demanded.pending.map(({ pointer }) => pointer)).toEqual(places.slice(1));
    // One that takes the place of the other kind, and one that goes.
    const swapped = withComponents({ ...python, id: 'one', classname: 'a.C' });
    expect(compareConfigs(before, swapped, nodeSchemaTree, true).changes).toEqual([]);
    const gone = compareConfigs(before, withComponents(), nodeSchemaTree, true);
    expect([gone.changes.length, gone.pending.length]).toEqual([1, 1]);
  });

  it('goes back: what waited for a restart does not wait any more', () => {
    const titled = { controller: { options: { title: 'x' } } };
    const one = checkObject(config({}), { cbdir: '/node', env: {} }).config;
    const other = checkObject(config(titled), { cbdir: '/node', env: {} }).config;
    const first = compareConfigs(one, other, nodeSchemaTree);
    expect(first.pending).toHaveLength(1);
    expect(compareConfigs(first.config, one, nodeSchemaTree)).toMatchObject({ changes: [], pending: [] });
  });
});

describe('every key', () => {
  /** Those whose change is no part of a larger one. */
  const sections: Record<string, readonly string[]> = {};
  const visit = (schema: ConfigSchema, seen = new Set<ConfigSchema>()): void => {
    if (seen.has(schema) || schema.reload === 'restart of all') return;
    seen.add(schema);
    const { section = '', properties = {}, oneOf = [], items } = schema;
    if (/^(The node|Router worker|Realm|Transport ".*"|Universal: .*)$/.test(section)) {
      sections[section] = Object.entries(properties)
        .filter(([key, { reload }]) => key !== 'type' && reload === undefined && schema.reload === undefined)
        .map(([key]) => key);
    }
    for (const inner of [...Object.values(properties), ...oneOf, ...(items ? [items] : [])]) visit(inner, seen);
  };
  visit(nodeSchemaTree.root);

  it('of a part that can change says how', () => {
    expect(Object.keys(sections).length).toBeGreaterThan(6);
    expect(Object.entries(sections).filter(([, silent]) => silent.length > 0)).toEqual([]);
  });
});
