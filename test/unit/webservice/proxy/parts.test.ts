/** The pure parts of a proxy, and the contract of both services. */
import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CookieSection } from '../../../../src/webservice/cookies.js';
import { adaptedSetCookie, withoutCookies } from '../../../../src/webservice/proxy/cookies.js';
import { forwardedHeaders } from '../../../../src/webservice/proxy/headers.js';
import { Places } from '../../../../src/webservice/proxy/places.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { exchange } from '../../../support/exchange.js';
import { answering, reverseProxyConfig, webSocketProxyConfig } from '../../../support/proxy.js';
import { RawBackend } from '../../../support/raw-backend.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const NAMES = new Set(['cbtid', 'other']);

describe('a Cookie header', () => {
  it.each([
    ['a=1; cbtid=x; b=2', 'a=1; b=2'],
    ['cbtid=x', undefined],
    ['cbtid=x; a=1', 'a=1'],
    ['a=cbtid', 'a=cbtid'],
    ['cbtid2=1; xcbtid=2', 'cbtid2=1; xcbtid=2'],
    ['cbtid=x;cbtid=y; other=3;; a=1', '; a=1'],
    ['a="x;cbtid=y"', 'a="x'],
    ['a=1', 'a=1'],
  ])('%j goes on as %j', (header, expected) => {
    expect(withoutCookies(header, NAMES)).toBe(expected);
  });
});

describe('places of a backend', () => {
  const cases: readonly (readonly [mount: string, path: string, value: string, expected: string])[] = [
    ['/', '/', '/x?y#z', '/x?y#z'],
    ['/', '/', 'http://back:81/x', '/x'],
    ['/app', '/', '/x', '/app/x'],
    ['/app', '/', 'http://back:81', '/app/'],
    ['/app', '/', '//back:81/x', '/app/x'],
    ['/app', '/base', '/base', '/app'],
    ['/app', '/base/', '/base/x', '/app/x'],
    ['/app', '/base', '/basement', '/basement'],
    ['/app', '/base', '/x', '/x'],
    ['/app', '/base', 'http://back:81/x', 'http://back:81/x'],
    ['/app', '/', 'http://elsewhere/x', 'http://elsewhere/x'],
    ['/app', '/', 'http://user@back:81/x', 'http://user@back:81/x'],
    ['/app', '/', 'x/y', 'x/y'],
    ['/app', '/', '?x', '?x'],
    ['/', '/base', '/base//evil.example', '/evil.example'],
    ['/', '/', 'http://back:81//evil.example', '/evil.example'],
    ['/', '/', 'http://[', 'http://['],
  ];
  it.each(cases)('at %s, before %s: Location %j is %j', (mount, path, value, expected) => {
    expect(new Places(mount, path, 'http://back:81').location(value)).toBe(expected);
  });

  it.each([
    ['/app', '/', '/', '/app'],
    ['/app', '/', '/x', '/app/x'],
    ['/', '/base', '/base', '/'],
    ['/app', '/base', '/', '/app'],
    ['/app', '/base', '/base/x/', '/app/x'],
    ['/app', '/base', '/other', '/other'],
    ['/', '/', '/', '/'],
  ])('at %s, before %s: the path %j of a cookie is %j', (mount, path, value, expected) => {
    expect(new Places(mount, path, 'http://back:81').cookiePath(value)).toBe(expected);
  });

  it.each([
    ['/app', '/', '', '', '/'],
    ['/app', '/base/', '', '?q', '/base/?q'],
    ['/app', '/base', '', '', '/base'],
    ['/app', '/base/', '/x', '?q', '/base/x?q'],
    ['/', '/', '//', '', '//'],
  ])('at %s, before %s: %j and %j are asked for as %j', (mount, path, rest, query, expected) => {
    expect(new Places(mount, path, 'http://back:81').target(rest, query)).toBe(expected);
  });

  it.each([
    ['a=1; Path=/; Domain=back; HttpOnly', 'a=1; Path=/app; HttpOnly'],
    ['a=1; domain=.BACK ;path=/x', 'a=1; Path=/app/x'],
    ['a=1; Domain=example.com', 'a=1; Domain=example.com'],
    ['__Host-a=1; Path=/; Secure', '__Host-a=1; Path=/; Secure'],
    ['a="Path=/;x"', 'a="Path=/;x"'],
  ])('%j is set as %j', (header, expected) => {
    expect(adaptedSetCookie(header, new Places('/app', '/', 'http://back:81'))).toBe(expected);
  });
});

describe('what a backend is told of the client', () => {
  const came = {
    peer: '10.0.0.1',
    client: '2001:db8::1',
    chain: '9.9.9.9, 2001:db8::1',
    host: 'a:1',
    port: '1',
  } as const;

  it('is appended to what trusted proxies said', () => {
    expect(forwardedHeaders({ ...came, proto: 'https' }, true)).toEqual([
      ...['X-Forwarded-For', '9.9.9.9, 2001:db8::1, 10.0.0.1', 'X-Real-IP', '2001:db8::1', 'X-Forwarded-Host', 'a:1'],
      ...[
        'X-Forwarded-Port',
        '1',
        'X-Forwarded-Proto',
        'https',
        'Forwarded',
        'for="[2001:db8::1]";host="a:1";proto=https',
      ],
    ]);
  });

  it('is little on a socket of the file system', () => {
    const unknown = { peer: undefined, client: undefined, chain: undefined, host: undefined, port: '80' };
    expect(forwardedHeaders({ ...unknown, proto: 'http' }, true)).toEqual([
      ...['X-Forwarded-Port', '80', 'X-Forwarded-Proto', 'http', 'Forwarded', 'for=unknown;proto=http'],
    ]);
  });
});

const TAKEN = METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE');
const backend = new RawBackend(
  answering(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAllow: ${TAKEN.join(', ')}\r\nContent-Length: 2\r\n\r\nok`),
);
let port = 0;

beforeAll(async () => {
  port = await backend.listen();
});
afterAll(() => backend.stop());

describe('reverseproxy', () => {
  const tracked = () => {
    const deps = serviceDeps();
    const cookies = new CookieSection(cookieConfig(), deps);
    return createWebService(reverseProxyConfig({ host: '127.0.0.1', port }), { ...deps, cookies });
  };

  it('hands out a cookie, once, and not to preflights', async () => {
    const service = tracked();
    await service.start?.();
    const first = await exchange(service, {});
    expect([first.status, first.body, first.headers['cache-control']]).toEqual([200, 'ok', 'private']);
    const cookie = first.headers['set-cookie']?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^cbtid=/);
    expect((await exchange(service, { headers: { Cookie: cookie } })).headers).not.toHaveProperty('set-cookie');
    expect((await exchange(service, { method: 'OPTIONS' })).headers).not.toHaveProperty('set-cookie');
    await service.stop?.();
  });
});

webServiceContract('reverseproxy', {
  create: () => createWebService(reverseProxyConfig({ host: '127.0.0.1', port }), serviceDeps()),
  methods: TAKEN,
  validators: false,
  upgrades: true,
});

webServiceContract('websocket-reverseproxy', {
  create: () => createWebService(webSocketProxyConfig('ws://127.0.0.1:1/ws'), serviceDeps()),
  status: 426,
  validators: false,
  upgrades: true,
});
