/** What a router worker in a process of its own cannot have, and that it may have all else. */
import { describe, expect, it } from 'vitest';

import { check, problemsOf } from './configs.js';

const endpoint = { type: 'tcp', port: 8080 };
const realms = [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [] }] }];

const cookieIn = (store?: object): object => ({
  type: 'web',
  endpoint,
  paths: { '/': { type: 'json', value: 1 }, ws: { type: 'websocket', cookie: { ...(store && { store }) } } },
});

const router = (more: object = {}, isApart = true): object => ({
  type: 'router',
  options: { process: isApart },
  realms,
  transports: [{ type: 'websocket', endpoint }],
  ...more,
});

const node = (worker: object, more: object = {}): object => ({ version: 2, workers: [worker], ...more });

const cluster = { type: 'nats', name: 'prod', servers: ['nats://127.0.0.1:4222'] };
const ports = (shared: boolean): object => ({ transports: [{ type: 'websocket', endpoint: { ...endpoint, shared } }] });

describe('options.process', () => {
  it.each<[string, object]>([
    ['a router worker', node(router())],
    ['cookies in memory', node(router({ transports: [cookieIn()] }))],
    ['cookies in a file', node(router({ transports: [cookieIn({ type: 'file', filename: 'c' })] }))],
    ['a database of cookies', node(router({ transports: [cookieIn({ type: 'database', path: 'cookies' })] }))],
    ['a bucket of cookies', node(router({ transports: [cookieIn({ type: 'nats', bucket: 'cookies' })] }), { cluster })],
    ['a cluster, whose realms are elsewhere', node(router(), { cluster })],
  ])('may be true for %s', (_name, config) => {
    expect(check(config).config.workers[0]).toMatchObject({ options: { process: true } });
  });

  it.each<[string, object, string, string]>([
    [
      'a realm of a cluster',
      node(router({ realms: [{ ...realms[0], cluster: true }] }), { cluster }),
      '/workers/0/realms/0/cluster',
      'one link to its cluster',
    ],
    [
      'a socket of systemd',
      node(router({ transports: [{ type: 'websocket', endpoint: { type: 'systemd', name: 'web' } }] })),
      '/workers/0/transports/0/endpoint/type',
      'systemd gives its sockets to the process of the node',
    ],
    [
      'a port that is shared',
      node(router(ports(true))),
      '/workers/0/transports/0/endpoint/shared',
      'a port of its own',
    ],
    [
      'an audit log',
      node(router(), { controller: { options: { audit: { file: 'audit.log' } } } }),
      '/workers/0/options/process',
      '"audit"',
    ],
    ['a word', node(router({ options: { process: 'yes' } })), '/workers/0/options/process', 'true or false'],
  ])('cannot be true with %s', (_name, config, pointer, text) => {
    const problems = problemsOf(config);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(pointer);
    expect(problems[0]).toContain(text);
  });

  it('leaves all of that to a worker in the process of the node', () => {
    const realm = { ...realms[0], cluster: true };
    expect(problemsOf(node(router({ realms: [realm], ...ports(true) }, false), { cluster }))).toEqual([]);
  });

  it('and has no proxy worker without fronts in front', () => {
    const file = { type: 'unix', path: 'a.sock' };
    const proxy = {
      type: 'proxy',
      connections: { behind: { transport: { type: 'rawsocket', endpoint: file } } },
      routes: { realm1: { anonymous: 'behind' } },
      transports: [{ type: 'websocket', endpoint }],
    };
    const behind = router({ transports: [{ type: 'rawsocket', endpoint: file }] });
    const problems = problemsOf({ version: 2, workers: [behind, proxy] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('leads to /workers/0, which has a process of its own');
  });
});
