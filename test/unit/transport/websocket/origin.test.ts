import { describe, expect, it } from 'vitest';
import { originCheck } from '../../../../src/transport/websocket/origin.js';

describe('a list of origins', () => {
  it.each([
    ['https://example.com', 'https://example.com', true],
    ['https://example.com', 'https://EXAMPLE.com', true],
    ['https://example.com:443', 'https://example.com', true],
    ['https://example.com', 'https://example.com:8443', false],
    ['https://example.com', 'http://example.com', false],
    ['https://example.com', 'https://example.com.evil.example', false],
    ['https://example.com', 'https://notexample.com', false],
    ['https://*.example.com', 'https://a.b.example.com', true],
    ['https://*.example.com', 'https://example.com', false],
    ['https://*.example.com:*', 'https://a.example.com', true],
    ['*', 'https://anything.example', true],
    ['https://example.com', 'https://example.com:443', true],
    ['http://example.com:80', 'http://example.com', true],
    ['http://example.com:*', 'http://example.com', true],
    ['https://*.example.com', 'https://evil.example?.example.com', false],
    ['https://*.example.com', 'https://evil.example/.example.com', false],
    ['http://localhost:*', 'http://localhost:80@evil.example', false],
    ['*', 'not an origin', false],
    ['https://example.com/', 'https://example.com', true],
    ['wss://example.com', 'wss://example.com', true],
    ['wss://example.com', 'wss://example.com:443', true],
    ['capacitor://localhost', 'capacitor://localhost', true],
    ['https://exampleXcom', 'https://example.com', false],
    ['https://example.com', 'https://exampleXcom', false],
  ])('pattern %s, origin %s: %s', (pattern, origin, expected) => {
    expect(originCheck([pattern], false)(origin, 'example.com')).toBe(expected);
  });

  it('lets clients without origin in, and "null" only where it is allowed', () => {
    expect(originCheck([], false)(undefined, undefined)).toBe(true);
    expect(originCheck(['*'], false)('null', undefined)).toBe(false);
    expect(originCheck([], true)('null', undefined)).toBe(true);
  });
});

describe('a page without an origin', () => {
  it.each(['null', '', 'NULL', 'file://', 'file:///home/x', 'content://', 'content://com.example', 'app://'])(
    'such as "%s" connects where allow_null_origin says so, and only there',
    (origin) => {
      expect(originCheck([], true)(origin, 'example.com')).toBe(true);
      expect(originCheck(['*', 'self', origin], false)(origin, 'example.com')).toBe(false);
    },
  );
});

describe('the origin "self"', () => {
  it.each([
    ['the same host', 'https://example.com', 'example.com', true],
    ['another port', 'https://example.com:8443', 'example.com:443', true],
    ['another scheme', 'http://example.com', 'example.com', true],
    ['the scheme of a WebSocket', 'wss://example.com:443', 'example.com', true],
    ['another host', 'https://evil.example', 'example.com', false],
    ['a host behind it', 'https://example.com.evil.example', 'example.com', false],
    ['a host before it', 'https://notexample.com', 'example.com', false],
    ['a subdomain', 'https://www.example.com', 'example.com', false],
    ['the domain above', 'https://example.com', 'www.example.com', false],
    ['upper case in one', 'https://Example.COM', 'example.com', true],
    ['upper case in the other', 'https://example.com', 'EXAMPLE.com:80', true],
    ['a dot at the end of one', 'https://example.com.', 'example.com', true],
    ['a dot at the end of the other', 'https://example.com', 'example.com.:8080', true],
    ['an IDN, as browsers write it', 'https://xn--bcher-kva.example', 'xn--bcher-kva.example', true],
    ['an IDN written out', 'https://b\u00fccher.example', 'xn--bcher-kva.example', true],
    ['an IDN that looks like it', 'https://xn--bchr-0ra.example', 'xn--bcher-kva.example', false],
    ['IPv4', 'http://127.0.0.1:3000', '127.0.0.1:8080', true],
    ['IPv6', 'http://[::1]:3000', '[::1]:8080', true],
    ['IPv6 written otherwise', 'http://[::1]', '[0:0:0:0:0:0:0:1]:80', true],
    ['another IPv6', 'http://[::2]', '[::1]', false],
    ['no host asked for', 'https://example.com', undefined, false],
    ['an empty host', 'https://example.com', '', false],
    ['a host that is none', 'https://exa mple.com', 'exa mple.com', false],
    ['a user before the host', 'https://example.com@evil.example', 'example.com', false],
    ['a path in the host', 'https://evil.example', 'evil.example/.example.com', false],
    ['an extension', 'chrome-extension://example.com', 'example.com', false],
    ['no origin', undefined, 'example.com', true],
    ['null', 'null', 'null', false],
  ])('with %s: %s for %s is %s', (_what, origin, host, expected) => {
    expect(originCheck(['self'], false)(origin, host)).toBe(expected);
  });

  const LOOPBACK = [
    'localhost',
    'LOCALHOST',
    'localhost.',
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
  ];
  /** They look like this machine, are it by another address, or are pointed at it. */
  const OTHERS = [
    ...['example.com', 'localhost.example.com', '127.0.0.1.example.com', 'notlocalhost', 'localhost.localdomain'],
    ...['app.localhost', '127.0.0.2', '0.0.0.0', '[::]', '[::2]', '[::ffff:127.0.0.1]', '192.168.1.1', 'self'],
  ];
  const PAIRS = [...LOOPBACK, ...OTHERS].flatMap((page) =>
    [...LOOPBACK, ...OTHERS].map((asked) => [page, asked] as const),
  );

  it('takes the names of loopback for one host, where page and node both have one, and no others', () => {
    const allows = originCheck(['self'], false);
    const wrong = PAIRS.filter(([page, asked]) => {
      const isMeant = LOOPBACK.includes(page) && LOOPBACK.includes(asked);
      const answers = ['http', 'https', 'ws', 'wss'].flatMap((scheme) =>
        ['', ':80', ':5173'].flatMap((port) =>
          ['', ':8080'].map((askedPort) => allows(`${scheme}://${page}${port}`, `${asked}${askedPort}`)),
        ),
      );
      return answers.some((answer) => answer !== (isMeant || isSameHost(page, asked)));
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    'capacitor://localhost',
    'chrome-extension://localhost',
    'http://localhost@evil.example',
    'http://localhost/x',
  ])('does not take %s for a page of this machine', (origin) => {
    expect(originCheck(['self'], false)(origin, '127.0.0.1:8080')).toBe(false);
  });

  it('stands beside others', () => {
    const allows = originCheck(['self', 'https://app.example.net'], false);
    const origins = ['https://example.com', 'https://app.example.net', 'https://evil.example', 'https://self'];
    expect(origins.filter((origin) => allows(origin, 'example.com'))).toEqual(origins.slice(0, 2));
  });
});

/** Whether two hosts are the same for browsers. */
function isSameHost(page: string, asked: string): boolean {
  const [one, other] = [page, asked].map((host) => new URL(`http://${host}`).hostname.replace(/\.$/, ''));
  return one === other;
}
