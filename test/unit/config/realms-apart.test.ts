/** A proxy worker with fronts may lead to router workers with processes of their own, each with realms of its own. */
import { describe, expect, it } from 'vitest';
import { check, problemsOf } from './configs.js';

const endpointOf = (name: string): object => ({ type: 'unix', path: `${name}.sock` });
const connectionTo = (name: string): object => ({ transport: { type: 'rawsocket', endpoint: endpointOf(name) } });
const roles = [
  { name: 'anonymous', permissions: [] },
  { name: 'member', permissions: [] },
];

const router = (id: string, realm: string, process = true): object => ({
  ...{ type: 'router', id, options: { process }, realms: [{ name: realm, roles }] },
  transports: [{ type: 'rawsocket', endpoint: endpointOf(id), serializers: ['json'] }],
});

interface ProxyOptions {
  readonly names?: readonly string[];
  readonly routes: object;
  readonly paths?: object;
  readonly instances?: number;
}

const proxy = ({ names = ['one', 'two', 'home'], routes, paths = {}, instances = 2 }: ProxyOptions): object => ({
  ...{ type: 'proxy', id: 'fronts', ...(instances > 0 && { instances }) },
  connections: Object.fromEntries(names.map((name) => [name, connectionTo(name)])),
  routes,
  transports: [
    {
      ...{ type: 'web', endpoint: { type: 'tcp', port: 8080 } },
      paths: { '/': { type: 'json', value: 1 }, ws: { type: 'websocket' }, ...paths },
    },
  ],
});

const ROUTERS = [router('one', 'realm1'), router('two', 'realm2'), router('home', 'realm3', false)];
const ROUTES = {
  realm1: { anonymous: 'one' },
  realm2: { anonymous: 'two', member: 'two' },
  realm3: { anonymous: 'home' },
};
const node = (options: ProxyOptions, routers: readonly object[] = ROUTERS): object => ({
  ...{ version: 2, workers: [...routers, proxy(options)] },
});

describe('realms of workers with processes of their own', () => {
  it('are led to by a proxy worker with fronts, beside those of the process of the node', () => {
    const { config } = check(node({ routes: ROUTES }));
    expect(config.workers[3]).toMatchObject({ front: { worker: 'home', apart: { realm1: 'one', realm2: 'two' } } });
  });

  it('may be all that it leads to', () => {
    const { realm1, realm2 } = ROUTES;
    const { config } = check(node({ routes: { realm1, realm2 }, names: ['one', 'two'] }));
    const { front } = config.workers[3] as { readonly front?: object };
    expect(front).toEqual({ apart: { realm1: 'one', realm2: 'two' }, silent: [] });
  });

  it('have the roles that their own worker has', () => {
    const { notes } = check(node({ routes: { ...ROUTES, realm1: { anonymous: 'one', stranger: 'one' } } }));
    expect(notes.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('/workers/0 has no realm "realm1" with a role "stranger"'),
    );
  });

  it('cannot be joined by long-poll, and are named where they cannot', () => {
    const notesOn = (routes: object): readonly object[] =>
      check(node({ routes, paths: { lp: { type: 'longpoll' } } })).notes.filter(({ text }) =>
        text.includes('long-poll'),
      );
    expect(notesOn(ROUTES)).toEqual([
      expect.objectContaining({ text: expect.stringContaining('cannot join "realm1", "realm2" here') as string }),
    ]);
    expect(notesOn({ realm3: ROUTES.realm3 })).toEqual([]);
  });

  it.each<[string, object, string, string]>([
    [
      'without fronts',
      node({ routes: { realm1: { anonymous: 'one' } }, instances: 0 }),
      '/workers/3',
      'allowed: with "instances"',
    ],
    [
      'where another worker has some of its roles',
      node({ routes: { ...ROUTES, realm1: { anonymous: 'one', member: 'home' } } }),
      '/workers/3/routes/realm1',
      'one router worker for each realm',
    ],
    [
      'for a web service',
      node({ routes: ROUTES, paths: { publish: { type: 'publisher', realm: 'realm1', role: 'anonymous' } } }),
      '/workers/3/transports/0/paths/publish/realm',
      'its web services are those of its own transports',
    ],
    [
      'for a web service below a path',
      node({
        routes: ROUTES,
        paths: { api: { type: 'path', paths: { call: { type: 'caller', realm: 'realm2', role: 'anonymous' } } } },
      }),
      '/workers/3/transports/0/paths/api/paths/call/realm',
      'its web services are those of its own transports',
    ],
  ])('are refused %s', (_name, config, pointer, text) => {
    const [problem, ...others] = problemsOf(config);
    expect(others).toEqual([]);
    expect(problem).toContain(`${pointer}: `);
    expect(problem).toContain(text);
  });

  it('leaves two workers in the process of the node refused', () => {
    const routers = [router('one', 'realm1', false), router('two', 'realm2'), router('home', 'realm3', false)];
    const problems = problemsOf(node({ routes: ROUTES }, routers));
    expect(problems).toEqual([expect.stringContaining('one router worker for all routes')]);
  });

  it('may be named by a web service of the realm that the process of the node has', () => {
    const paths = { publish: { type: 'publisher', realm: 'realm3', role: 'anonymous' } };
    expect(() => check(node({ routes: ROUTES, paths }))).not.toThrow();
  });
});
