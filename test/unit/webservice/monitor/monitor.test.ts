/** The service `monitor`: its files, what they are protected by, and its WebSocket. The page itself is tested in a browser. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import type { WebService } from '../../../../src/http/service.js';
import { createMonitorService } from '../../../../src/webservice/monitor/monitor.js';
import type { MonitorServiceConfig } from '../../../../src/webservice/monitor/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { CatchingSocket, exchange, openExchange } from '../../../support/exchange.js';
import { serviceDeps, webSocketOptions } from '../../../support/web.js';

const directory = mkdtempSync(path.join(tmpdir(), 'monitor-page-'));
for (const [name, text] of Object.entries({
  'index.html': '<!doctype html>',
  'monitor.js': 'export {};',
  'monitor.css': '*{}',
  'icon.svg': '<svg/>',
})) {
  writeFileSync(path.join(directory, name), text);
}
afterAll(() => rmSync(directory, { recursive: true }));

const TICKET = { type: 'static', principals: { joe: { ticket: 'secret', role: 'operator' } } } as const;

function config(): MonitorServiceConfig {
  return { type: 'monitor', realm: 'realm1', auth: { ticket: TICKET }, options: webSocketOptions() };
}

const created = (): WebService => createMonitorService(config(), serviceDeps(), directory);

async function monitor(): Promise<WebService> {
  const service = created();
  await service.start?.();
  return service;
}

webServiceContract('monitor', { create: created, validators: true, upgrades: true });

describe('the monitor', () => {
  it('serves its page, which nothing from elsewhere may touch', async () => {
    const service = await monitor();
    for (const rest of ['/', '/monitor.js', '/monitor.css', '/icon.svg', '/settings.json']) {
      const { status, headers } = await exchange(service, { rest });
      expect([status, headers['x-content-type-options'], headers['x-frame-options']]).toEqual([200, 'nosniff', 'DENY']);
      expect(headers['content-security-policy']).toMatch(/^default-src 'self'; .*frame-ancestors 'none'/);
      expect(headers['content-security-policy']).not.toContain('unsafe');
    }
  });

  it('tells no stranger more than how to log in', async () => {
    const { body } = await exchange(await monitor(), { rest: '/settings.json' });
    expect(JSON.parse(body)).toEqual({ realm: 'realm1', methods: ['ticket'] });
  });

  it('leads to the slash that the names of its files need', async () => {
    const { status, headers } = await exchange(await monitor(), { rest: '', mount: '/monitor' });
    expect([status, headers['location']]).toEqual([308, '/monitor/']);
  });

  it('has no other files', async () => {
    const service = await monitor();
    for (const rest of ['/licences.txt', '/index.html/x', '/ws/x', '/constructor']) {
      expect((await exchange(service, { rest })).status).toBe(404);
    }
  });

  it('takes WebSockets on one path', async () => {
    const service = await monitor();
    const refused = openExchange({ rest: '/', headers: { upgrade: 'websocket', connection: 'upgrade' } });
    const socket = new CatchingSocket();
    service.upgrade?.(refused.request, socket, Buffer.alloc(0));
    expect(socket.sent).toContain('404');
  });

  it('does not start without its files', async () => {
    const service = createMonitorService(config(), serviceDeps(), '/nowhere');
    await expect(service.start?.()).rejects.toThrow('ENOENT');
    await service.stop?.();
  });
});
