import { describe, expect, it } from 'vitest';

import type { CookieStore } from '../../../src/cookie/store.js';
import { CookieStoreError } from '../../../src/cookie/error.js';
import { CookieStores } from '../../../src/cookie/stores.js';
import { createLogger, silentLogger } from '../../../src/log/logger.js';
import { CookieSection, TrackedService } from '../../../src/webservice/cookies.js';
import { createWebService } from '../../../src/webservice/registry.js';
import type { PathServiceConfig } from '../../../src/webservice/schema.js';
import type { WebRequest, WebService } from '../../../src/http/service.js';
import type { WebServiceDeps } from '../../../src/webservice/service.js';
import { exchange, openExchange } from '../../support/exchange.js';
import { cookieConfig, jsonConfig, serviceDeps, webSocketConfig } from '../../support/web.js';

async function start(config: PathServiceConfig, deps: Partial<WebServiceDeps> = {}): Promise<WebService> {
  const service = createWebService(config, serviceDeps(deps));
  await service.start?.();
  return service;
}

/** `a=b; Path=/` -> `a=b`, as a browser sends it back */
function asCookie(setCookie: string | undefined): Readonly<Record<string, string>> {
  return { cookie: setCookie?.split(';')[0] ?? '' };
}

/** Stores of which every one is made by `change` from a working one. */
function changedStores(change: (store: CookieStore) => Partial<CookieStore>): CookieStores {
  return new (class extends CookieStores {
    override async acquire(): Promise<CookieStore> {
      const store = await super.acquire({ type: 'memory' });
      const bound: CookieStore = {
        open: () => store.open(),
        get: (cbtid) => store.get(cbtid),
        create: (record) => store.create(record),
        update: (cbtid, change) => store.update(cbtid, change),
        rotate: (cbtid, successor, rotated) => store.rotate(cbtid, successor, rotated),
        delete: (cbtid, deleted) => store.delete(cbtid, deleted),
        unreturned: () => store.unreturned(),
        evict: (cbtid) => store.evict(cbtid),
        list: () => store.list(),
        close: () => store.close(),
      };
      return { ...bound, ...change(bound) };
    }
  })({ clock: Date.now, log: silentLogger() });
}

/** A tracked service that keeps the cookies of its requests, and the store that they are in. */
async function startSeeing({ methods }: Pick<WebService, 'methods'> = {}): Promise<{
  readonly service: WebService;
  readonly store: () => CookieStore;
  readonly seen: WebRequest['cookie'][];
}> {
  let opened: CookieStore | undefined;
  const stores = changedStores((store) => {
    opened = store;
    return {};
  });
  const section = new CookieSection(cookieConfig(), serviceDeps({ stores }));
  const seen: WebRequest['cookie'][] = [];
  const inner: WebService = {
    methods,
    handle({ cookie }, res) {
      seen.push(cookie);
      res.end('.');
    },
  };
  const service = new TrackedService(inner, section, silentLogger());
  await service.start();
  const store = (): CookieStore => {
    if (opened === undefined) throw new Error('the store has not been opened');
    return opened;
  };
  return { service, store, seen };
}

describe('a visitor', () => {
  it('gets a cookie with the first response and none with the next', async () => {
    const service = await start({ ...jsonConfig(1), cookie: cookieConfig() });
    const first = await exchange(service);
    expect(first.headers['set-cookie']).toMatch(/^cbtid=[A-Za-z0-9+/]{24};/);
    expect(first.headers['cache-control']).toBe('private');
    const second = await exchange(service, { headers: asCookie(first.headers['set-cookie']) });
    expect(second.headers).not.toHaveProperty('set-cookie');
    expect(second.headers).not.toHaveProperty('cache-control');
  });

  it('gets one with HEAD, 304 and 404 too, but not with a preflight', async () => {
    const service = await start({ ...jsonConfig(1), cookie: cookieConfig() });
    const { etag = '' } = (await exchange(service)).headers;
    const answers = [
      await exchange(service, { method: 'HEAD' }),
      await exchange(service, { headers: { 'if-none-match': etag } }),
      await exchange(service, { rest: '/favicon.ico' }),
      await exchange(service, { method: 'OPTIONS' }),
    ];
    expect(answers.map(({ status, headers }) => [status, 'set-cookie' in headers])).toEqual([
      [200, true],
      [304, true],
      [404, true],
      [204, false],
    ]);
  });

  it('is known to the service: by the id of its record, and as whom it is logged in', async () => {
    const { service, store, seen } = await startSeeing({ methods: ['GET', 'OPTIONS'] });
    const headers = asCookie((await exchange(service)).headers['set-cookie']);
    const cbtid = headers['cookie']?.split('=')[1] ?? '';
    const auth = { authid: 'alice', authrole: 'user', authmethod: 'ticket', authrealm: 'realm1', authextra: null };
    await store().update(cbtid, { auth, modified: '2026-01-01T00:00:00.000Z' });
    await exchange(service, { headers });
    await exchange(service, { method: 'OPTIONS', headers });
    expect(seen).toEqual([
      { cbtid, authid: undefined, isHeld: true },
      { cbtid, authid: 'alice', authrole: 'user', authrealm: 'realm1', isHeld: true },
      undefined,
    ]);
  });

  it.each([
    ['has expired', { expires: '2026-01-01T00:00:00.000Z' }],
    ['was made by a service that is gone', {}],
  ])('is not logged in for the service when the login %s', async (_why, source) => {
    const { service, store, seen } = await startSeeing();
    const headers = asCookie((await exchange(service)).headers['set-cookie']);
    const cbtid = headers['cookie']?.split('=')[1] ?? '';
    const auth = { authid: 'alice', authrole: 'user', authmethod: 'ticket', authrealm: 'realm1', authextra: null };
    await store().update(cbtid, { auth: { ...auth, source }, modified: '2026-01-01T00:00:00.000Z' });
    await exchange(service, { headers });
    expect(seen[1]).toEqual({ cbtid, authid: undefined, isHeld: true });
  });

  it('is known by an id that was replaced, too, and told apart from one who has the id of now', async () => {
    const { service, store, seen } = await startSeeing();
    const headers = asCookie((await exchange(service)).headers['set-cookie']);
    const successor = 'n'.repeat(24);
    await store().rotate(headers['cookie']?.split('=')[1] ?? '', successor, new Date().toISOString());
    await exchange(service, { headers });
    expect(seen[1]).toEqual({ cbtid: successor, authid: undefined, isHeld: false });
  });

  it('is known on all paths that share a section, and not on those with another', async () => {
    const service = await start({
      type: 'path',
      cookie: cookieConfig(),
      paths: {
        a: jsonConfig('a'),
        deep: { type: 'path', paths: { b: jsonConfig('b') } },
        own: { ...jsonConfig('own'), cookie: cookieConfig({ name: 'mine', length: 6 }) },
        nest: { type: 'path', cookie: cookieConfig({ name: 'nested' }), paths: { c: jsonConfig('c') } },
      },
    });
    const headers = asCookie((await exchange(service, { rest: '/a' })).headers['set-cookie']);
    const given = async (rest: string): Promise<string | undefined> =>
      (await exchange(service, { rest, headers })).headers['set-cookie']?.split('=')[0];
    expect(await given('/a')).toBeUndefined();
    expect(await given('/deep/b')).toBeUndefined();
    expect(await given('/own')).toBe('mine');
    expect(await given('/nest/c')).toBe('nested');
  });

  it('gets none where nothing is mounted, nor from the status page of a WebSocket', async () => {
    const service = await start({ type: 'path', cookie: cookieConfig(), paths: { ws: webSocketConfig() } });
    for (const rest of ['/', '/ws']) {
      expect((await exchange(service, { rest })).headers).not.toHaveProperty('set-cookie');
    }
    await service.stop?.();
  });

  it('who leaves while the store is asked costs nothing more', async () => {
    let release: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => (release = resolve));
    let answer: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (answer = resolve));
    const stores = changedStores((store) => ({
      create: async (record) => {
        release?.();
        await gate;
        await store.create(record);
      },
    }));
    const section = new CookieSection(cookieConfig(), serviceDeps({ stores }));
    let served = false;
    const service = new TrackedService({ handle: () => void (served = true) }, section, silentLogger());
    await service.start();
    const { request, res, socket } = openExchange();
    const handled = service.handle(request, res);
    await asked;
    const closed = new Promise((resolve) => res.once('close', resolve));
    socket.destroy();
    await closed;
    answer?.();
    await handled;
    expect(served).toBe(false);
  });
});

describe('a store that fails', () => {
  it('is answered with 503 and logged, without any cookie in the log', async () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'error', destination: { write: (line) => void lines.push(line) } });
    const stores = changedStores(() => ({ create: () => Promise.reject(new CookieStoreError('the disk is full')) }));
    const service = await start({ ...jsonConfig('secret'), cookie: cookieConfig() }, { stores, log });
    const { status, headers, body } = await exchange(service, { headers: { cookie: `cbtid=${'x'.repeat(24)}` } });
    expect(status).toBe(503);
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers['cache-control']).toBe('no-store');
    expect(body).not.toMatch(/secret|disk/);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'error', msg: 'cookie store failed, request refused', err: { message: 'the disk is full' } },
    ]);
    expect(lines.join('')).not.toContain('xxxx');
  });

  it('is told apart from a fault of ours', async () => {
    const stores = changedStores(() => ({ create: () => Promise.reject(new TypeError('a fault')) }));
    const service = await start({ ...jsonConfig(1), cookie: cookieConfig() }, { stores });
    const { request, res } = openExchange();
    await expect(service.handle(request, res)).rejects.toThrow(TypeError);
  });

  it('keeps the service from starting when it cannot be opened', async () => {
    const stores = new (class extends CookieStores {
      override acquire(): Promise<CookieStore> {
        return Promise.reject(new CookieStoreError('locked by another process'));
      }
    })({ clock: Date.now, log: silentLogger() });
    const cookie = cookieConfig();
    await expect(start({ ...jsonConfig(1), cookie }, { stores })).rejects.toThrow('locked by another process');
    await expect(start(webSocketConfig({ cookie }), { stores })).rejects.toThrow('locked by another process');
  });
});
