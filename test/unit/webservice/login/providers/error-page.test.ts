import { expect, it } from 'vitest';

import { errorPage } from '../../../../../src/webservice/login/providers/error-page.js';

it('is a page without scripts that nobody frames, keeps or passes on', () => {
  const { body, headers, status, type } = errorPage(
    { status: 400, text: 'Too late.' },
    '/login/id/start?return_to=%2F',
  );
  expect([status, type]).toEqual([400, 'text/html; charset=utf-8']);
  expect(body).toContain('<p>Too late.</p>');
  expect(body).toContain('<a href="/login/id/start?return_to=%2F">Try again</a>');
  expect(headers).toEqual({
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
  });
});

it('shows text as text', () => {
  const { body } = errorPage({ status: 400, text: '<script>"&\'' }, '/"><script>');
  expect(body).not.toContain('<script>');
  expect(body).toContain('&lt;script&gt;&quot;&amp;&#39;');
});

it('says when to come again, and offers nothing where that is of no use', () => {
  const { body, headers } = errorPage({ status: 503, text: 'Away.', retryAfterS: 10 }, undefined);
  expect(headers).toMatchObject({ 'Retry-After': '10' });
  expect(body).not.toContain('<a ');
});
