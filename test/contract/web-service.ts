/**
 * What every web service keeps, whatever it serves. Call it from the unit test of a service.
 */
import { afterEach, describe, expect, it } from 'vitest';

import type { WebService } from '../../src/http/service.js';
import { CatchingSocket, exchange, openExchange } from '../support/exchange.js';

export interface WebServiceSubject {
  /** A new service, not started. */
  readonly create: () => WebService;
  /** A path below the mount that is answered with 200; `/` by default. */
  readonly path?: string;
  /** Whether answers carry an ETag. */
  readonly validators: boolean;
  /** Whether the service takes upgrades. */
  readonly upgrades: boolean;
}

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
  { create, path = '/', validators, upgrades }: WebServiceSubject,
): void {
  describe(`${name} as a web service`, () => {
    const started: WebService[] = [];

    async function start(): Promise<WebService> {
      const service = create();
      started.push(service);
      await service.start?.();
      return service;
    }

    afterEach(async () => {
      for (const service of started.splice(0)) await service.stop?.();
    });

    it('answers GET with 200 and a media type', async () => {
      const { status, headers, body } = await exchange(await start(), { rest: path });
      expect(status).toBe(200);
      expect(headers['content-type']).toMatch(/^[a-z]+\/[a-z+.-]+/);
      expect(body).not.toBe('');
    });

    it('answers HEAD as GET, without the body', async () => {
      const service = await start();
      const get = await exchange(service, { rest: path });
      const head = await exchange(service, { method: 'HEAD', rest: path });
      expect(head.status).toBe(get.status);
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
      expect(head.headers['etag']).toBe(get.headers['etag']);
      expect(head.body).toBe('');
    });

    it('refuses a method that it does not know and says which it does', async () => {
      const { status, headers } = await exchange(await start(), { method: 'PROPPATCH', rest: path });
      expect(status).toBe(405);
      expect(headers['allow']).toMatch(/\bGET\b/);
    });

    it('says what is allowed when asked with OPTIONS', async () => {
      const { status, headers } = await exchange(await start(), { method: 'OPTIONS', rest: path });
      expect([200, 204, 405]).toContain(status);
      expect(headers['allow']).toMatch(/\bGET\b/);
    });

    it.runIf(validators)('has nothing new for a visitor who knows its validator', async () => {
      const service = await start();
      const { etag = '' } = (await exchange(service, { rest: path })).headers;
      expect(etag).toMatch(/^(W\/)?".+"$/);
      const again = await exchange(service, { rest: path, headers: { 'If-None-Match': etag } });
      expect(again.status).toBe(304);
      expect(again.body).toBe('');
      const other = await exchange(service, { rest: path, headers: { 'If-None-Match': '"other"' } });
      expect(other.status).toBe(200);
    });

    it.each(ODD_PATHS.map((odd) => [odd.slice(0, 40), odd]))('is not upset by the path %j', async (_shown, rest) => {
      const { status } = await exchange(await start(), { mount: '/mount', rest });
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
    });

    it('is not upset by a visitor who has left', async () => {
      const service = await start();
      const { request, res, socket } = openExchange({ rest: path });
      const closed = new Promise((resolve) => res.once('close', resolve));
      socket.destroy();
      await closed;
      await service.handle(request, res);
      expect(socket.sent).toBe('');
    });

    it('takes upgrades only if it says so', () => {
      expect(create().upgrade !== undefined).toBe(upgrades);
    });

    it.runIf(upgrades)('does not throw at an upgrade whose socket is gone', async () => {
      const service = await start();
      const { request } = openExchange({ rest: path, headers: { upgrade: 'websocket', connection: 'upgrade' } });
      const socket = new CatchingSocket();
      socket.destroy();
      service.upgrade?.(request, socket, Buffer.alloc(0));
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
