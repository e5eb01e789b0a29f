import { expect, it } from 'vitest';

import type { WebService } from '../../../src/http/service.js';
import { exchange } from '../../support/exchange.js';

const ALL = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'OPTIONS'];

function service(methods?: WebService['methods']): WebService {
  return { ...(methods !== undefined && { methods }), handle: ({ req }, res) => void res.end(`served ${req.method}`) };
}

async function servedOf(subject: WebService): Promise<string[]> {
  const served = [];
  for (const method of ALL) {
    const { body, status } = await exchange(subject, { method });
    if (body.startsWith('served') || (method === 'HEAD' && status === 200)) served.push(method);
  }
  return served;
}

it('lets through what the service takes', async () => {
  expect(await servedOf(service(['POST', 'PUT']))).toEqual(['POST', 'PUT']);
});

it('lets GET and HEAD through where the service says nothing', async () => {
  expect(await servedOf(service())).toEqual(['GET', 'HEAD']);
});

it('lets everything through to a level of the path tree, which asks the services below', async () => {
  expect(await servedOf(service('any'))).toEqual(ALL);
});

it('answers anything else with 405 and OPTIONS with 204, and says what is allowed', async () => {
  for (const [method, status] of [
    ['DELETE', 405],
    ['get', 405],
    ['OPTIONS', 204],
  ] as const) {
    const answer = await exchange(service(['POST', 'PUT']), { method });
    expect([answer.status, answer.headers['allow']]).toEqual([status, 'POST, PUT, OPTIONS']);
  }
});

it('leaves OPTIONS to a service that answers it itself, as one with rules for other origins does', async () => {
  const subject = service(['POST', 'OPTIONS']);
  expect((await exchange(subject, { method: 'OPTIONS' })).body).toBe('served OPTIONS');
  expect((await exchange(subject)).headers['allow']).toBe('POST, OPTIONS');
});
