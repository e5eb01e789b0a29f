/** Where a transport connects: its endpoint, else its URL. */
import { expect, it } from 'vitest';

import { endpointOf, endpointText } from '../../../src/remote/endpoint.js';

it.each([
  ['ws://localhost/ws', { type: 'tcp', host: 'localhost', port: 80, timeout: 10 }, 'localhost:80'],
  ['ws://127.0.0.1:8080/ws', { type: 'tcp', host: '127.0.0.1', port: 8080, timeout: 10 }, '127.0.0.1:8080'],
  [
    'wss://example.com/ws',
    { type: 'tcp', host: 'example.com', port: 443, timeout: 10, tls: {} },
    'example.com:443 (TLS)',
  ],
  ['wss://[::1]:8443/', { type: 'tcp', host: '::1', port: 8443, timeout: 10, tls: {} }, '[::1]:8443 (TLS)'],
  ['rs://localhost:8081', { type: 'tcp', host: 'localhost', port: 8081, timeout: 10 }, 'localhost:8081'],
  ['rss://localhost', { type: 'tcp', host: 'localhost', port: 443, timeout: 10, tls: {} }, 'localhost:443 (TLS)'],
  ['rs://unix:/run/router.sock', { type: 'unix', path: '/run/router.sock', timeout: 10 }, '/run/router.sock'],
])('%s', (url, endpoint, text) => {
  expect(endpointOf({ url })).toEqual(endpoint);
  expect(endpointText(endpointOf({ url }))).toBe(text);
});

it('an endpoint counts, whatever the URL says', () => {
  const endpoint = { type: 'unix', path: '/run/a.sock', timeout: 1 } as const;
  expect(endpointOf({ url: 'ws://localhost/', endpoint })).toBe(endpoint);
});
