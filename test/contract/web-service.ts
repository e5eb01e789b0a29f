/**
 * What every web service keeps, whatever it serves. Call it from the unit test of a service. It goes by methods: for each one
 * that the service says it takes, and for those that it does not.
 */
import { afterEach, describe, expect, it } from 'vitest';

import { READ_ONLY } from '../../src/http/methods.js';
import type { WebService } from '../../src/http/service.js';
import { silentLogger } from '../../src/log/logger.js';
import { CookieSection, TrackedService } from '../../src/webservice/cookies.js';
import { CatchingSocket, exchange, openExchange } from '../support/exchange.js';
import type { ExchangeRequest } from '../support/exchange.js';
import { cookieConfig, serviceDeps } from '../support/web.js';

/** A request that a service answers, without its method. */
type Request = Omit<ExchangeRequest, 'method' | 'mount' | 'isCut'>;

export interface WebServiceSubject {
  /** A new service, not started. */
  readonly create: () => WebService;
  /** A path below the mount that is answered with 200; `/` by default. */
  readonly path?: string;
  /** What the service takes there, in the order in which it says so; GET and HEAD by default. */
  readonly methods?: readonly string[];
  /** With which status it answers; 200 by default. */
  readonly status?: number;
  /** Whether answers carry an ETag, and requests may be conditional. */
  readonly validators: boolean;
  /** Whether the service takes upgrades. It tracks cookies itself then. */
  readonly upgrades: boolean;
  /** Whether its type says so: it is never behind a `cookie` section. */
  readonly tracksItself?: boolean;
  /** For a service that takes bodies: one that it answers, and its media type. */
  readonly body?: { readonly type: string; readonly text: string };
}

/** What comes over the wire, and what only somebody who tries things sends. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPPATCH'];

/** Paths that pass the check of the server and are nobody's business all the same. */
const ODD_PATHS = [
  '',
  '/',
  '//',
  '//example.com/x',
  '/a//b',
  '/...',
  '/%2f',
  '/..%2f..%2f..%2fetc%2fpasswd',
  '/%5c..%5c..%5cwindows',
  '/%252e%252e/%252e%252e/etc/passwd',
  '/%E2%98%83',
  '/%F0%9F%92%A9/',
  '/__proto__',
  '/constructor/prototype',
  '/index.html/',
  '/index.html/x',
  `/${'a'.repeat(4000)}`,
  `/${'a/'.repeat(2000)}`,
];

export function webServiceContract(
  name: string,
  {
    create,
    path = '/',
    methods = READ_ONLY,
    status = 200,
    validators,
    upgrades,
    tracksItself = false,
    body,
  }: WebServiceSubject,
): void {
  const [anyMethod = 'GET'] = methods;
  const others = METHODS.filter((method) => !methods.includes(method));
  const request: Request = {
    rest: path,
    ...(body !== undefined && { body: body.text, headers: { 'Content-Type': body.type } }),
  };

  describe(`${name} as a web service`, () => {
    const started: WebService[] = [];

    async function start(made = create()): Promise<WebService> {
      started.push(made);
      await made.start?.();
      return made;
    }

    afterEach(async () => {
      for (const service of started.splice(0)) await service.stop?.();
    });

    methodContract({ start, create, request, methods, others, status });
    if (methods.includes('GET')) readContract({ start, request, validators });
    if (body !== undefined) bodyContract({ start, request, method: anyMethod });
    if (!upgrades && !tracksItself) {
      cookieContract({ create, start, request, methods, others, status });
    }

    it.each(ODD_PATHS.map((odd) => [odd.slice(0, 40), odd]))('is not upset by the path %j', async (_shown, rest) => {
      const answer = await exchange(await start(), { ...request, method: anyMethod, mount: '/mount', rest });
      expect(answer.status).toBeGreaterThanOrEqual(200);
      expect(answer.status).toBeLessThan(500);
    });

    it('is not upset by a visitor who has left', async () => {
      const service = await start();
      const left = openExchange({ ...request, method: anyMethod });
      const closed = new Promise((resolve) => left.res.once('close', resolve));
      left.socket.destroy();
      await closed;
      await service.handle(left.request, left.res);
      expect(left.socket.sent).toBe('');
    });

    it('takes upgrades only if it says so', () => {
      expect(create().upgrade !== undefined).toBe(upgrades);
    });

    it.runIf(upgrades)('does not throw at an upgrade whose socket is gone', async () => {
      const service = await start();
      const gone = openExchange({ rest: path, headers: { upgrade: 'websocket', connection: 'upgrade' } });
      const socket = new CatchingSocket();
      socket.destroy();
      service.upgrade?.(gone.request, socket, Buffer.alloc(0));
      expect(socket.sent).toBe('');
    });

    it('stops twice, and also when it never started', async () => {
      const service = await start();
      await service.stop?.();
      await expect(service.stop?.() ?? Promise.resolve()).resolves.toBeUndefined();
      await expect(create().stop?.() ?? Promise.resolve()).resolves.toBeUndefined();
    });
  });
}

/** What the parts of the suite work with. */
interface Parts {
  readonly create: () => WebService;
  readonly start: (made?: WebService) => Promise<WebService>;
  readonly request: Request;
  readonly methods: readonly string[];
  /** Those that the service does not take. */
  readonly others: readonly string[];
  readonly status: number;
}

function methodContract({ start, request, methods, others, status }: Parts): void {
  it('says which methods it takes', async () => {
    const said = (await start()).methods ?? READ_ONLY;
    // A level of the path tree leaves it to the services below.
    if (said !== 'any') expect(said).toEqual(methods);
  });

  it('takes HEAD where it takes GET', () => {
    expect(methods.includes('HEAD')).toBe(methods.includes('GET'));
  });

  it.each(methods.filter((method) => method !== 'OPTIONS'))('answers %s', async (method) => {
    const answer = await exchange(await start(), { ...request, method });
    expect(answer.status).toBe(status);
    if (status !== 204) expect(answer.headers['content-type']).toMatch(/^[a-z]+\/[a-z+.-]+/);
    expect(answer.body === '').toBe(method === 'HEAD' || status === 204);
  });

  it.each(others)('refuses %s and says what it takes', async (method) => {
    const answer = await exchange(await start(), { ...request, method });
    expect(answer.status).toBe(405);
    for (const taken of methods) expect(answer.headers['allow']).toMatch(new RegExp(`\\b${taken}\\b`));
    expect(answer.headers['allow']).not.toMatch(new RegExp(`\\b${method}\\b`));
  });

  it('says what is allowed when asked with OPTIONS', async () => {
    const answer = await exchange(await start(), { rest: request.rest ?? '/', method: 'OPTIONS' });
    expect(methods.includes('OPTIONS') ? [200, 204] : [204]).toContain(answer.status);
    for (const taken of methods) expect(answer.headers['allow']).toMatch(new RegExp(`\\b${taken}\\b`));
  });
}

function readContract({
  start,
  request,
  validators,
}: Pick<Parts, 'start' | 'request'> & { validators: boolean }): void {
  it('answers HEAD as GET, without the body', async () => {
    const service = await start();
    const get = await exchange(service, { ...request });
    const head = await exchange(service, { ...request, method: 'HEAD' });
    expect(head.status).toBe(get.status);
    for (const name of ['content-type', 'content-length', 'cache-control', 'etag', 'location', 'vary']) {
      expect(head.headers[name]).toBe(get.headers[name]);
    }
    expect(head.body).toBe('');
  });

  it.runIf(validators)('has nothing new for a visitor who knows its validator', async () => {
    const service = await start();
    const { etag = '' } = (await exchange(service, { ...request })).headers;
    expect(etag).toMatch(/^(W\/)?".+"$/);
    for (const method of ['GET', 'HEAD']) {
      for (const known of [etag, `"other", ${etag}`, '*']) {
        const again = await exchange(service, { ...request, method, headers: { 'If-None-Match': known } });
        expect([again.status, again.headers['etag'], again.body]).toEqual([304, etag, '']);
      }
      const other = await exchange(service, { ...request, method, headers: { 'If-None-Match': '"other"' } });
      expect(other.status).toBe(200);
    }
  });

  it.runIf(!validators)('does not mind a validator that it never gave', async () => {
    const service = await start();
    const plain = await exchange(service, { ...request });
    const conditional = await exchange(service, { ...request, headers: { 'If-None-Match': '"other"' } });
    expect([conditional.status, conditional.body]).toEqual([plain.status, plain.body]);
  });
}

function bodyContract({ start, request, method }: Pick<Parts, 'start' | 'request'> & { method: string }): void {
  it('refuses a body that is compressed', async () => {
    const headers = { ...request.headers, 'Content-Encoding': 'gzip' };
    const { status } = await exchange(await start(), { ...request, method, headers });
    expect([400, 415]).toContain(status);
  });

  it('does not go on without the end of a body whose sender has left', async () => {
    const service = await start();
    const half = openExchange({ ...request, method, isCut: true });
    const handled = service.handle(half.request, half.res);
    half.socket.destroy();
    half.request.req.destroy();
    await handled;
    expect(half.socket.sent).toBe('');
  });
}

/** Who comes to a service behind a `cookie` section, whatever it serves. */
function cookieContract({ create, start, request, methods, others, status }: Parts): void {
  const startTracked = (): Promise<WebService> =>
    start(new TrackedService(create(), new CookieSection(cookieConfig(), serviceDeps()), silentLogger()));

  it.each(methods.filter((method) => method !== 'OPTIONS'))('hands out a cookie with %s, once', async (method) => {
    const service = await startTracked();
    const first = await exchange(service, { ...request, method });
    expect(first.status).toBe(status);
    expect(first.headers['set-cookie']).toMatch(/^cbtid=/);
    expect(first.headers['cache-control']).toMatch(/\bprivate\b/);
    const cookie = first.headers['set-cookie']?.split(';')[0] ?? '';
    const again = await exchange(service, { ...request, method, headers: { ...request.headers, cookie } });
    expect(again.status).toBe(status);
    expect(again.headers).not.toHaveProperty('set-cookie');
  });

  it('hands out none with OPTIONS, nor where it refuses the method', async () => {
    const service = await startTracked();
    for (const method of ['OPTIONS', ...others]) {
      const answer = await exchange(service, { ...request, method });
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
  });
}
