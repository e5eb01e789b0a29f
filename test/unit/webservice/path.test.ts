import { describe, expect, it } from 'vitest';

import { createWebService } from '../../../src/webservice/registry.js';
import type { WebRequest, WebService } from '../../../src/http/service.js';
import { webServiceContract } from '../../contract/web-service.js';
import { CatchingSocket, exchange, openExchange, parseResponse } from '../../support/exchange.js';
import { jsonConfig, serviceDeps } from '../../support/web.js';

/** A tree of `path` services whose leaves say which one was asked and for what. */
type Tree = { readonly [key: string]: Tree | 'plain' | 'upgrades' };

interface Seen {
  readonly leaf: string;
  readonly mount: string;
  readonly rest: string;
}

function build(tree: Tree): { readonly root: WebService; readonly upgraded: Seen[] } {
  const upgraded: Seen[] = [];
  const leaf = (name: string, takesUpgrades: boolean): WebService => ({
    handle: ({ mount, rest }: WebRequest, res) => void res.end(JSON.stringify({ leaf: name, mount, rest })),
    ...(takesUpgrades && { upgrade: ({ mount, rest }: WebRequest) => void upgraded.push({ leaf: name, mount, rest }) }),
  });
  const config = (node: Tree): Parameters<typeof createWebService>[0] => ({
    type: 'path',
    paths: Object.fromEntries(
      Object.entries(node).map(([key, below]) => [
        key,
        typeof below === 'string' ? jsonConfig([key, below]) : config(below),
      ]),
    ),
  });
  const deps = serviceDeps({
    createService: (child, childDeps) => {
      if (child.type !== 'json') return createWebService(child, childDeps);
      const [name, kind] = child.value as [string, string];
      return leaf(name, kind === 'upgrades');
    },
  });
  return { root: createWebService(config(tree), deps), upgraded };
}

const TREE: Tree = {
  '/': 'plain',
  ws: 'upgrades',
  docs: 'plain',
  a: { b: { '/': 'plain', c: 'plain' }, ws: 'upgrades' },
};

describe('the path tree', () => {
  it.each([
    ['/', '/', '/', '/'],
    ['/index.html', '/', '/', '/index.html'],
    ['/docs', 'docs', '/docs', ''],
    ['/docs/', 'docs', '/docs', '/'],
    ['/docs/x/y', 'docs', '/docs', '/x/y'],
    ['/docsx', '/', '/', '/docsx'],
    ['/doc', '/', '/', '/doc'],
    ['/DOCS', '/', '/', '/DOCS'],
    ['/d%6fcs/%20', 'docs', '/docs', '/%20'],
    ['/docs%2Fx', '/', '/', '/docs%2Fx'],
    ['//docs', '/', '/', '//docs'],
    ['/ws/foo', 'ws', '/ws', '/foo'],
    ['/a/b', '/', '/a/b', ''],
    ['/a/b/x', '/', '/a/b', '/x'],
    ['/a/b/c', 'c', '/a/b/c', ''],
    ['/a/b/c/d', 'c', '/a/b/c', '/d'],
    ['/__proto__', '/', '/', '/__proto__'],
  ])('%s reaches %s at %s with %j', async (path, leaf, mount, rest) => {
    const { status, body } = await exchange(build(TREE).root, { rest: path });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ leaf, mount, rest });
  });

  it.each(['/a', '/a/', '/a/x', '/a/bb', '/a//b'])(
    'has nothing at %s, though there is a service at /',
    async (path) => {
      expect((await exchange(build(TREE).root, { rest: path })).status).toBe(404);
    },
  );

  it('has nothing beside its paths when there is no service at /', async () => {
    expect((await exchange(build({ ws: 'plain' }).root, { rest: '/' })).status).toBe(404);
  });

  it('brings upgrades to their service', () => {
    const { root, upgraded } = build(TREE);
    for (const rest of ['/ws', '/ws/foo', '/a/ws']) {
      root.upgrade?.(openExchange({ rest }).request, new CatchingSocket(), Buffer.alloc(0));
    }
    expect(upgraded).toEqual([
      { leaf: 'ws', mount: '/ws', rest: '' },
      { leaf: 'ws', mount: '/ws', rest: '/foo' },
      { leaf: 'ws', mount: '/a/ws', rest: '' },
    ]);
  });

  it.each([
    ['/docs', 400, 'There is no WebSocket at this path.'],
    ['/', 400, 'There is no WebSocket at this path.'],
    ['/a/x', 404, 'There is nothing here.'],
  ])('refuses an upgrade at %s with %d', (rest, status, text) => {
    const socket = new CatchingSocket();
    build(TREE).root.upgrade?.(openExchange({ rest }).request, socket, Buffer.alloc(0));
    const answer = parseResponse(socket.sent);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(text);
    expect(answer.headers).toMatchObject({ connection: 'close' });
  });
});

describe('starting and stopping', () => {
  function family(services: Readonly<Record<string, Partial<WebService>>>): WebService {
    const deps = serviceDeps({
      createService: (config, childDeps) => {
        if (config.type !== 'json') return createWebService(config, childDeps);
        return { handle: () => undefined, ...services[config.value as string] };
      },
    });
    const paths = Object.fromEntries(Object.keys(services).map((name) => [name, jsonConfig(name)]));
    return createWebService({ type: 'path', paths }, deps);
  }

  it('starts in order and stops at the first failure', async () => {
    const calls: string[] = [];
    const called = (name: string) => (): Promise<void> => {
      calls.push(name);
      return Promise.resolve();
    };
    const root = family({
      a: { start: called('start a') },
      b: { start: () => Promise.reject(new Error('no b')) },
      c: { start: called('start c') },
    });
    await expect(root.start?.()).rejects.toThrow('no b');
    expect(calls).toEqual(['start a']);
  });

  it('stops all services, also behind one that fails to', async () => {
    const stopped: string[] = [];
    const root = family({
      a: { stop: () => Promise.reject(new Error('a hangs')) },
      b: {
        stop: () => {
          stopped.push('b');
          return Promise.resolve();
        },
      },
    });
    await expect(root.stop?.()).rejects.toMatchObject({ errors: [{ message: 'a hangs' }] });
    expect(stopped).toEqual(['b']);
  });
});

webServiceContract('path', {
  create: () => createWebService({ type: 'path', paths: { '/': jsonConfig(1), x: jsonConfig(2) } }, serviceDeps()),
  path: '/x',
  validators: true,
  upgrades: true,
});
