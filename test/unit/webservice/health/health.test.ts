import { describe, expect, it } from 'vitest';

import type { WebService } from '../../../../src/http/service.js';
import type { Readiness } from '../../../../src/transport/transport-type.js';
import { CookieSection } from '../../../../src/webservice/cookies.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import type { PathServiceConfig } from '../../../../src/webservice/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { exchange } from '../../../support/exchange.js';
import type { ExchangeRequest } from '../../../support/exchange.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const READY: Readiness = { isReady: true, checks: { start: 'ok', stop: 'ok' } };
const STOPPING: Readiness = { isReady: false, checks: { start: 'ok', stop: 'the node is stopping' } };

/** A service behind a `cookie` section, in a node of which this is so. */
function service(config: PathServiceConfig, readiness = READY): WebService {
  const deps = serviceDeps({ nodeInfo: { readiness: () => readiness } });
  return createWebService(config, { ...deps, cookies: new CookieSection(cookieConfig(), deps) });
}

const plain = { validators: false, upgrades: false, tracksItself: true } as const;
webServiceContract('healthz', { ...plain, create: () => service({ type: 'healthz' }) });
webServiceContract('readyz', { ...plain, create: () => service({ type: 'readyz' }) });
webServiceContract('health', { ...plain, create: () => service({ type: 'health' }), path: '/readyz' });

const ELSEWHERE = { client: { remoteAddress: '192.0.2.7', remotePort: 1 } };
const HERE = { client: { remoteAddress: '127.0.0.1', remotePort: 1 } };

describe('healthz', () => {
  it('is ok whatever state the node is in', async () => {
    const { status, body, headers } = await exchange(service({ type: 'healthz' }, STOPPING), ELSEWHERE);
    expect([status, body, headers['cache-control']]).toEqual([200, 'ok\n', 'no-store']);
  });
});

describe('readyz', () => {
  const ask = async (readiness: Readiness, request: ExchangeRequest, token?: string) => {
    const config: PathServiceConfig = { type: 'readyz', ...(token !== undefined && { token }) };
    const { status, body, headers } = await exchange(service(config, readiness), request);
    expect(headers['cache-control']).toBe('no-store');
    return [status, body];
  };

  it('has one word for strangers', async () => {
    expect(await ask(READY, ELSEWHERE)).toEqual([200, 'ready\n']);
    expect(await ask(STOPPING, ELSEWHERE)).toEqual([503, 'not ready\n']);
  });

  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', undefined])(
    'tells programs of this machine what the checks have found: %s',
    async (remoteAddress) => {
      const [status, body] = await ask(STOPPING, { client: { remoteAddress } });
      expect(status).toBe(503);
      expect(JSON.parse(String(body))).toEqual({ status: 'not ready', checks: STOPPING.checks });
    },
  );

  it('has one word for who comes by a proxy of this machine, whether the node trusts it or not', async () => {
    expect(await ask(READY, { ...HERE, headers: { 'X-Forwarded-For': '192.0.2.7' } })).toEqual([200, 'ready\n']);
    const trusted = { client: { remoteAddress: '127.0.0.1', via: '127.0.0.1' } };
    expect(await ask(READY, trusted)).toEqual([200, 'ready\n']);
  });

  it('tells who sends the token', async () => {
    const [, body] = await ask(READY, { ...ELSEWHERE, headers: { Authorization: 'bearer s3cret' } }, 's3cret');
    expect(JSON.parse(String(body))).toEqual({ status: 'ready', checks: READY.checks });
  });

  it.each(['Bearer s3cre', 'Bearer', 's3cret', 'Basic s3cret', 'Bearer s3cret s3cret', ''])(
    'has one word for who sends %j',
    async (sent) => {
      expect(await ask(READY, { ...ELSEWHERE, headers: { Authorization: sent } }, 's3cret')).toEqual([200, 'ready\n']);
      expect(await ask(READY, { ...ELSEWHERE, headers: { Authorization: sent } })).toEqual([200, 'ready\n']);
    },
  );
});

describe('health', () => {
  it('has both below its path, and nothing else', async () => {
    const answers = ['/healthz', '/readyz', '/readyz/', '/healthz/x', '/', ''].map(async (rest) => {
      return (await exchange(service({ type: 'health' }, STOPPING), { ...ELSEWHERE, rest })).status;
    });
    expect(await Promise.all(answers)).toEqual([200, 503, 503, 404, 404, 404]);
  });
});
