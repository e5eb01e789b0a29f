/** What a checked config looks like: complete, absolute, frozen. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { checkConfig } from '../../../src/config/check.js';
import { parserFor } from '../../../src/config/source/formats.js';
import type { NodeConfig } from '../../../src/config/schema.js';
import { parseYaml } from '../../../src/config/source/yaml.js';
import { check, node, problemsOf, problemsOfText } from './configs.js';
import { routerOf } from '../../support/checked.js';

describe('defaults', () => {
  it('of a cookie are the documented ones', () => {
    expect(websocketOf(check(node({ websocket: { cookie: {} } })).config).cookie).toEqual({
      name: 'cbtid',
      length: 24,
      max_age: 86_400,
      store: { type: 'memory' },
      same_site: 'Lax',
      path: '/',
      sliding: false,
      max_unreturned: 10_000,
      close_expired: false,
      rotate: false,
      rotate_grace: 60,
      authid: 'cookie',
    });
  });

  it('of a WebSocket are all there', () => {
    const { serializers, options } = websocketOf(check(node()).config);
    expect(serializers).toEqual(['json', 'msgpack', 'cbor']);
    expect(options).toMatchObject({
      allowed_origins: ['*'],
      max_message_size: 16_777_216,
      auto_ping_interval: 30_000,
      auto_ping_timeout: 20_000,
      open_handshake_timeout: 10_000,
      close_handshake_timeout: 2000,
      hello_timeout: 5000,
      max_unsent_bytes: 16_777_216,
      slow_consumer: 'disconnect',
    });
    expect(options).not.toHaveProperty('compression');
  });

  it('reach into nested paths', () => {
    const config = check(
      node({ web: { paths: { a: { type: 'path', paths: { b: { type: 'static', directory: 'x' } } } } } }),
    );
    expect(config.config).toHaveProperty(
      ['workers', 0, 'transports', 0, 'paths', 'a', 'paths', 'b', 'options', 'enable_directory_listing'],
      false,
    );
  });

  it('of one place are not shared with another', () => {
    const paths = { a: { type: 'static', directory: 'x' }, b: { type: 'static', directory: 'y' } };
    const config: unknown = check(node({ web: { paths } })).config;
    expect(config).toHaveProperty(['workers', 0, 'transports', 0, 'paths', 'a', 'directory'], '/node/x');
    expect(config).toHaveProperty(['workers', 0, 'transports', 0, 'paths', 'b', 'directory'], '/node/y');
  });
});

describe('names', () => {
  it('are made up in the order of the file, past those that are taken', () => {
    const socket = { type: 'websocket', endpoint: { type: 'tcp', port: 0 } };
    const { config } = check(node({ worker: { transports: [{ ...socket, id: 'transport002' }, socket, socket] } }));
    expect(config.workers[0]?.id).toBe('worker001');
    expect(routerOf(config)?.realms[0]?.id).toBe('realm001');
    expect(routerOf(config)?.transports.map(({ id }) => id)).toEqual(['transport002', 'transport003', 'transport004']);
  });
});

describe('paths', () => {
  it('are resolved against the node directory', () => {
    const cookie = { store: { type: 'file', filename: 'cookies.dat' } };
    const { config } = check(node({ websocket: { cookie } }));
    expect(websocketOf(config).cookie?.store).toEqual({
      type: 'file',
      filename: '/node/cookies.dat',
      purge_on_startup: false,
      sync: 'always',
      checksum: false,
    });
  });

  it('stay when they are absolute', () => {
    const cookie = { store: { type: 'file', filename: '/var/cookies.dat' } };
    expect(websocketOf(check(node({ websocket: { cookie } })).config).cookie?.store).toHaveProperty(
      'filename',
      '/var/cookies.dat',
    );
  });

  it('named like a part of every object are found only where they are configured', () => {
    const { config } = check(node());
    const [transport] = routerOf(config)?.transports ?? [];
    const paths: Record<string, unknown> = transport?.type === 'web' ? transport.paths : {};
    expect(paths['ws']).toBeDefined();
    expect(paths['constructor']).toBeUndefined();
  });
});

describe('permissions', () => {
  it('with a star become prefixes, others say what they are', () => {
    const permissions = [{ uri: 'a.*' }, { uri: '*' }, { uri: 'b' }, { uri: 'a..c', match: 'wildcard' }];
    const { config } = check(
      node({ worker: { realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions }] }] } }),
    );
    expect(routerOf(config)?.realms[0]?.roles[0]?.permissions).toMatchObject([
      { uri: 'a.', match: 'prefix' },
      { uri: '', match: 'prefix' },
      { uri: 'b', match: 'exact' },
      { uri: 'a..c', match: 'wildcard', allow: { call: false }, disclose: { publisher: false }, cache: false },
    ]);
  });
});

describe('environment variables', () => {
  const web = { endpoint: { type: 'tcp', port: '$PORT' } };

  it.each([
    ['0', 0],
    ['8081', 8081],
    ['65535', 65_535],
  ])('PORT=%s is port %i', (text, port) => {
    expect(routerOf(check(node({ web }), { PORT: text }).config)?.transports[0]?.endpoint).toMatchObject({ port });
  });

  it.each(['', ' 80', '65536', '80a', '-1', '1e3', '0x50', '999999999'])(
    'PORT="%s" is refused and not shown',
    (text) => {
      expect(problemsOf(node({ web }), { PORT: text })).toEqual([
        '/workers/0/transports/0/endpoint/port: the environment variable "PORT" is no port number (allowed: a port from 0 to 65535)',
      ]);
    },
  );

  it.each([
    [{ OFF: 'yes' }, true],
    [{ OFF: '' }, false],
    [{}, false],
  ])('a worker with "${OFF}" and the environment %j is disabled: %s', (env, disabled) => {
    const worker = { options: { disabled: '${OFF}' } };
    expect(check(node({ worker }), env).config.workers[0]?.options.disabled).toBe(disabled);
  });

  it('that collide on one port are found', () => {
    const socket = (port: unknown) => ({ type: 'websocket', endpoint: { type: 'tcp', port } });
    expect(
      problemsOf(node({ worker: { transports: [socket('$A'), socket('$B')] } }), { A: '8080', B: '8080' }),
    ).toEqual([
      '/workers/0/transports/1/endpoint/port: port 8080 is taken by /workers/0/transports/0 (allowed: another port, another interface, or "shared": true in both)',
    ]);
  });
});

describe('a checked config', () => {
  it('is frozen all the way down', () => {
    const { config } = check(node({ websocket: { cookie: {} } }));
    const open: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(value);
      Object.values(value).forEach(visit);
    };
    visit(config);
    expect(open).toEqual([]);
  });

  it('is the same from JSON and from YAML', () => {
    const value = node({
      websocket: {
        cookie: { authid: 'derived', store: { type: 'file', filename: 'c.dat' } },
        options: { compression: {} },
      },
      worker: { realms: [{ name: 'realm1', roles: [{ name: 'anonymous' }] }] },
    });
    const yaml = checkConfig(stringify(value), 'config.yaml', { parse: parseYaml, cbdir: '/node', env: {} });
    const { sights, problemAt, ...json } = check(value);
    expect(problemAt([], 'x')).toMatchObject({ file: 'config.json', line: 1 });
    // The function in it knows its own file.
    const withFile = sights.map((sight) => ({ ...sight, problem: expect.any(Function) as unknown }));
    expect(yaml).toEqual({ ...json, sights: withFile, problemAt: expect.any(Function) as unknown });
  });

  it('has the same problems in JSON and in YAML', () => {
    const value = node({ websocket: { cookie: { max_agee: 1, length: 5 }, auth: { ticket: {} } }, web: { option: 1 } });
    const problems = problemsOf(value);
    expect(problems).toHaveLength(4);
    expect(problemsOfText(stringify(value), 'config.yml')).toEqual(problems);
  });
});

describe('ports', () => {
  const socket = (endpoint: object) => ({ type: 'websocket', endpoint: { type: 'tcp', port: 8080, ...endpoint } });
  const collide = (a: object, b: object) =>
    problemsOf(node({ worker: { transports: [socket(a), socket(b)] } })).length > 0;

  it.each([
    [{}, {}, true],
    [{}, { interface: '127.0.0.1' }, true],
    [{ interface: '0.0.0.0' }, { interface: '127.0.0.1' }, true],
    [{ interface: '127.0.0.1' }, { interface: '127.0.0.2' }, false],
    [{ interface: '127.0.0.1' }, { interface: '::1' }, false],
    [{ version: 4 }, { version: 6 }, true],
    [{ interface: '127.0.0.1' }, { interface: '::' }, true],
    [{ version: 4 }, { interface: '::1' }, false],
    [{ port: 0 }, { port: 0 }, false],
    [{ port: 8080 }, { port: 8081 }, false],
  ])('%j and %j collide: %s', (a, b, expected) => {
    expect(collide(a, b)).toBe(expected);
  });
});

describe('warnings', () => {
  it('tell of a realm that nobody can join and of a role that no realm has', () => {
    const { warnings } = check(node({ worker: { realms: [{ name: 'realm1' }] } }));
    expect(warnings.map(({ pointer, text }) => `${pointer}: ${text}`)).toEqual([
      '/workers/0/realms/0: realm "realm1" has no roles, so nobody can join it',
      '/workers/0/transports/0/paths/ws: clients of this WebSocket get the role "anonymous", but no realm of the worker has it',
    ]);
  });
});

describe('secrets', () => {
  it('are never shown, whatever is wrong with them', () => {
    const values = node({ websocket: { secret: 'hunter2', cookie: { ticket: 'hunter2', name: 'x' } } });
    const url = 'http://joe:hunter2@example.com/ ';
    const problems = [...problemsOf(values), ...problemsOf(node({ web: { paths: { a: { type: 'redirect', url } } } }))];
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('what is found', () => {
  it('is shortened and stays on one line', () => {
    const [problem = ''] = problemsOf(node({ websocket: { cookie: { name: `A\n${'b'.repeat(10_000)}` } } }));
    expect(problem.length).toBeLessThan(300);
    expect(problem).not.toContain('\n');
  });

  it('is told with a key of odd characters on one line too', () => {
    const [problem = ''] = problemsOf({ ...node(), 'a\nb': 1 });
    expect(problem).toMatch(/^\/a\\nb: unknown key "a\\nb" /);
  });
});

describe('a file name', () => {
  it('must end in a known way', async () => {
    await expect(parserFor('config.toml')).rejects.toThrow(/ends in \.json, \.yaml or \.yml/);
  });
});

function websocketOf(config: NodeConfig) {
  const [transport] = routerOf(config)?.transports ?? [];
  const service = transport?.type === 'web' ? transport.paths['ws'] : undefined;
  if (service?.type !== 'websocket') throw new Error('there is no WebSocket on /ws');
  return service;
}
