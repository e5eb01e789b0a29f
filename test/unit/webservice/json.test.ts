import { expect, it } from 'vitest';

import { createWebService } from '../../../src/webservice/registry.js';
import type { WebService } from '../../../src/http/service.js';
import { webServiceContract } from '../../contract/web-service.js';
import { exchange } from '../../support/exchange.js';
import { serviceDeps } from '../../support/web.js';

const VALUE = { title: 'Grüße', list: [1, null, { deep: true }] };

function json(
  options: { prettify?: boolean; allow_cross_origin?: boolean; discourage_caching?: boolean } = {},
): WebService {
  const all = { prettify: false, allow_cross_origin: false, discourage_caching: false, ...options };
  return createWebService({ type: 'json', value: VALUE, options: all }, serviceDeps());
}

it('serves the value compactly, without saying who may read it', async () => {
  const { headers, body } = await exchange(json());
  expect(body).toBe(`${JSON.stringify(VALUE)}\n`);
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
  });
  expect(headers).not.toHaveProperty('access-control-allow-origin');
  expect(headers).not.toHaveProperty('cache-control');
});

it('prettify indents it', async () => {
  expect((await exchange(json({ prettify: true }))).body).toBe(`${JSON.stringify(VALUE, null, 2)}\n`);
});

it('allow_cross_origin lets every page read it, but none as the visitor', async () => {
  const { headers } = await exchange(json({ allow_cross_origin: true }), {
    headers: { origin: 'https://example.com' },
  });
  expect(headers['access-control-allow-origin']).toBe('*');
  expect(headers).not.toHaveProperty('access-control-allow-credentials');
});

it('discourage_caching forbids keeping it', async () => {
  expect((await exchange(json({ discourage_caching: true }))).headers['cache-control']).toBe('no-store');
});

it('has nothing below itself', async () => {
  expect((await exchange(json(), { mount: '/config', rest: '' })).status).toBe(200);
  expect((await exchange(json(), { mount: '/config', rest: '/favicon.ico' })).status).toBe(404);
});

it('knows a validator in a list, weak or strong, and the star', async () => {
  const { etag = '' } = (await exchange(json())).headers;
  for (const known of [`"x", W/${etag}`, `${etag},"y"`, '*']) {
    expect((await exchange(json(), { headers: { 'if-none-match': known } })).status).toBe(304);
  }
});

webServiceContract('json', { create: json, validators: true, upgrades: false });
