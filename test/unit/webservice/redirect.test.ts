import { expect, it } from 'vitest';

import { createWebService } from '../../../src/webservice/registry.js';
import { webServiceContract } from '../../contract/web-service.js';
import { exchange } from '../../support/exchange.js';
import { serviceDeps } from '../../support/web.js';

const redirect = (url: string) => createWebService({ type: 'redirect', url }, serviceDeps());

it.each([
  ['https://example.com/a?b=c#d', ''],
  ['/elsewhere', '/below'],
  ['../up', '/'],
])('sends to %s as it is written, from %j too', async (url, rest) => {
  const { status, headers } = await exchange(redirect(url), { mount: '/old', rest, query: '?secret=1' });
  expect(status).toBe(302);
  expect(headers['location']).toBe(url);
});

it('shows the URL harmlessly', async () => {
  const { body } = await exchange(redirect('/"><script>alert(1)</script>'));
  expect(body).not.toContain('<script>');
  expect(body).toContain('href="/&quot;&gt;&lt;script&gt;');
});

it('redirects GET, HEAD and POST, nothing else', async () => {
  const service = redirect('/');
  const statuses = [];
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE']) {
    statuses.push((await exchange(service, { method })).status);
  }
  expect(statuses).toEqual([302, 302, 302, 405, 405, 405]);
  expect((await exchange(service, { method: 'HEAD' })).body).toBe('');
  const options = await exchange(service, { method: 'OPTIONS' });
  expect([options.status, options.headers['allow']]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
});

webServiceContract('redirect', {
  create: () => redirect('/elsewhere'),
  methods: ['GET', 'HEAD', 'POST'],
  status: 302,
  validators: false,
  upgrades: false,
});
