/** Entries of `allowed_origins` that would keep out whom they should let in, and nodes that take every page. */
import { describe, expect, it } from 'vitest';

import { check, node } from './configs.js';

const withOrigins = (...origins: readonly string[]): object =>
  node({ websocket: { options: { allowed_origins: origins } } });

describe('an entry of allowed_origins', () => {
  it.each([
    'https://a.example',
    'https://a.example/',
    'https://A.example:8443',
    'http://localhost:*',
    'https://*.a.example',
    '*://a.example',
    '*.a.example',
    '*',
    'self',
    'wss://a.example',
    'capacitor://localhost',
    'ionic://localhost',
    'chrome-extension://abcdefgh',
    'https://[::1]:8080',
    'https://xn--bcher-kva.example',
  ])('may be %s', (origin) => {
    expect(check(withOrigins(origin)).warnings).toEqual([]);
  });

  it.each([
    ['a.example', '"https://a.example"'],
    ['a.example:8443', '"https://a.example:8443"'],
    ['localhost:*', '"https://localhost:*"'],
    ['https://a.example/page', '"https://a.example"'],
    ['https://user@a.example', '"https://a.example"'],
    ['https://a.example?x', '"https://a.example"'],
    ['https://a.example, https://b.example', 'one origin in each text: "https://a.example", "https://b.example"'],
    ['https://a.example https://b.example', 'one origin in each text: "https://a.example", "https://b.example"'],
    ['null', '"allow_null_origin": true'],
    ['file://', '"allow_null_origin": true'],
    ['Self', '"self"'],
    ['https://b\u00fccher.example', '"https://xn--bcher-kva.example"'],
    ['https://', 'such as "https://example.com:8443"'],
    ['/', 'such as "https://example.com:8443"'],
  ])('is warned of as %s, with what is meant', (origin, meant) => {
    const { warnings } = check(withOrigins(origin));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.pointer).toMatch(/\/options\/allowed_origins\/0$/);
    expect(warnings[0]?.text).toContain('so it lets nobody in');
    expect(warnings[0]?.text).toContain(meant);
  });
});

describe('a WebSocket on loopback that takes every page', () => {
  const loopback = { endpoint: { type: 'tcp', port: 0, interface: '127.0.0.1' } };
  const warningsOf = (websocket: object, web: object = loopback): readonly string[] =>
    check(node({ websocket, web })).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
  const ws = '/workers/0/transports/0/paths/ws';

  it('is warned of, said or unsaid', () => {
    expect(warningsOf({})).toEqual([expect.stringMatching(new RegExp(`^${ws}: every page.*"self"`))]);
    const said = { options: { allowed_origins: ['https://a.example', '*'] } };
    expect(warningsOf(said)).toEqual([
      expect.stringMatching(new RegExp(`^${ws}/options/allowed_origins/1: every page`)),
    ]);
  });

  it('is not when it names its pages, has a cookie or the logins of a web application, or serves the network', () => {
    expect(warningsOf({ options: { allowed_origins: ['self'] } })).toEqual([]);
    // Of its realm there is something else to say.
    expect(warningsOf({ cookie: {} }).filter((line) => !line.startsWith('/workers/0/realms'))).toEqual([]);
    const session = {
      type: 'express',
      secrets: ['s'.repeat(32)],
      store: { type: 'redis', url: 'redis://127.0.0.1' },
      authid: 'user',
      role: 'anonymous',
    };
    expect(warningsOf({ auth: { session } })).toEqual([]);
    expect(warningsOf({}, {})).toEqual([]);
  });
});
