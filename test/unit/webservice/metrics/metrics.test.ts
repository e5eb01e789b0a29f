import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import type { WebService } from '../../../../src/http/service.js';
import { NodeMetrics } from '../../../../src/metrics/node-metrics.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import type { MetricsConfig } from '../../../../src/webservice/metrics/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { exchange, openExchange } from '../../../support/exchange.js';
import { MetricsText } from '../../../support/metrics-text.js';
import { serviceDeps } from '../../../support/web.js';

/** Its texts are never too old. */
function metricsService(config: Partial<MetricsConfig> = {}): WebService {
  const metrics = new NodeMetrics(
    () => Promise.resolve(),
    () => 0,
  );
  return createWebService({ type: 'metrics', uris: [], call_durations: true, ...config }, serviceDeps({ metrics }));
}

webServiceContract('metrics', {
  create: metricsService,
  validators: false,
  upgrades: false,
  tracksItself: true,
});

const HERE = { client: { remoteAddress: '127.0.0.1' } };
const THERE = { client: { remoteAddress: '192.0.2.7' } };

async function statusOf(config: Partial<MetricsConfig>, request: Parameters<typeof exchange>[1]): Promise<number> {
  return (await exchange(metricsService(config), request)).status;
}

describe('the text', () => {
  it('is that of Prometheus', async () => {
    const { headers, body } = await exchange(metricsService(), HERE);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'Accept, Accept-Encoding',
    });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(new MetricsText(body).metrics.has('wamp_messages_received_total')).toBe(true);
  });

  it.each([
    // Prometheus 2.42 itself.
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      true,
    ],
    ['application/openmetrics-text', true],
    ['text/plain, application/openmetrics-text;q=0.5', false],
    ['application/openmetrics-text;q=0', false],
    ['*/*', false],
    ['text/html', false],
  ])('is OpenMetrics for those who want it: %s', async (accept, isOpenMetrics) => {
    const { headers, body } = await exchange(metricsService(), { ...HERE, headers: { accept } });
    expect(headers['content-type']?.startsWith('application/openmetrics-text; version=1.0.0')).toBe(isOpenMetrics);
    expect(body.endsWith('# EOF\n')).toBe(isOpenMetrics);
    expect(new MetricsText(body, isOpenMetrics ? 'openmetrics' : 'prometheus').metrics.size).toBeGreaterThan(1);
  });

  it('is compressed for those who take that', async () => {
    const service = metricsService();
    const { request, res, socket } = openExchange({ ...HERE, headers: { 'accept-encoding': 'br, gzip' } });
    const chunks: Buffer[] = [];
    socket._write = (chunk: Buffer | string, encoding, done) => {
      chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      done();
    };
    socket._writev = (written, done) => {
      for (const { chunk, encoding } of written as { chunk: Buffer | string; encoding: BufferEncoding }[]) {
        chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      }
      done();
    };
    const finished = new Promise((resolve) => res.once('finish', resolve));
    await Promise.all([service.handle(request, res), finished]);
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    expect(all.subarray(0, end).toString().toLowerCase()).toContain('content-encoding: gzip');
    const plain = await exchange(service, HERE);
    expect(gunzipSync(all.subarray(end + 4)).toString()).toBe(plain.body);
  });

  it('is at the path alone', async () => {
    expect(await statusOf({}, { ...HERE, rest: '/x' })).toBe(404);
  });
});

describe('who may see it', () => {
  it.each([
    ['127.0.0.1', 200],
    ['127.8.9.10', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['192.0.2.1', 403],
    ['::ffff:192.0.2.1', 403],
    ['2001:db8::1', 403],
    ['1270.0.0.1', 403],
    [undefined, 200],
  ])('is who comes from this machine: %s', async (remoteAddress, status) => {
    expect(await statusOf({}, { client: { remoteAddress } })).toBe(status);
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via'])(
    'is nobody whom a proxy brings whose word does not count: %s',
    async (name) => {
      const headers = { [name]: '192.0.2.1' };
      const { status, body } = await exchange(metricsService(), { ...HERE, headers });
      expect([status, body]).toEqual([403, '403 Forbidden\nclients behind a proxy may not see the metrics\n']);
      expect(
        await statusOf({ token: 'secret' }, { ...HERE, headers: { ...headers, authorization: 'Bearer secret' } }),
      ).toBe(200);
    },
  );

  it('is where a trusted proxy says that the client is', async () => {
    const headers = { 'x-forwarded-for': '127.0.0.1' };
    expect(await statusOf({}, { headers, client: { remoteAddress: '127.0.0.1', via: '192.0.2.9' } })).toBe(200);
    expect(await statusOf({}, { headers, client: { remoteAddress: '192.0.2.1', via: '127.0.0.1' } })).toBe(403);
  });

  it('is who is in a network of the config, and nobody else, this machine included', async () => {
    const config = { require_ip: ['192.0.2.0/24'] };
    expect(await statusOf(config, THERE)).toBe(200);
    expect(await statusOf(config, HERE)).toBe(403);
  });

  it('is who has the token, from wherever', async () => {
    const config = { token: 'secret' };
    const { status, headers } = await exchange(metricsService(config), HERE);
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
    for (const [authorization, expected] of [
      ['Bearer secret', 200],
      ['bearer secret', 200],
      ['Bearer secre', 401],
      ['Bearer secret2', 401],
      ['Basic secret', 401],
      ['Bearer', 401],
    ] as const) {
      expect(await statusOf(config, { ...THERE, headers: { authorization } })).toBe(expected);
    }
  });

  it('is who has both, where both are asked for', async () => {
    const config = { token: 'secret', require_ip: ['192.0.2.0/24'] };
    const headers = { authorization: 'Bearer secret' };
    expect(await statusOf(config, { ...THERE, headers })).toBe(200);
    expect(await statusOf(config, { ...HERE, headers })).toBe(403);
    expect(await statusOf(config, THERE)).toBe(401);
  });
});

describe('what costs something', () => {
  it('begins with the service and ends with it', async () => {
    const metrics = new NodeMetrics();
    const uris = [{ uri: 'com.', match: 'prefix' }] as const;
    const config = { type: 'metrics', uris, call_durations: true } as const;
    const service = createWebService(config, serviceDeps({ metrics }));
    const counts = metrics.realm('realm1');
    expect(counts.durations).toBeUndefined();
    await service.start?.();
    expect([counts.durations, counts.uris].every((each) => each !== undefined)).toBe(true);
    await service.stop?.();
    expect([counts.durations, counts.uris]).toEqual([undefined, undefined]);
  });
});
