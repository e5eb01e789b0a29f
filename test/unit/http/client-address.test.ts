import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';

import { clientAddressOf } from '../../../src/http/client-address.js';
import { TrustedProxies, trustedProxiesOf } from '../../../src/transport/proxies/trusted-proxies.js';
import type { ProxyTrustConfig } from '../../../src/transport/proxies/schema.js';
import {
  addressOf,
  channelOf,
  clientOf,
  continueAs,
  decideAddress,
  isSecure,
  peerOf,
  placeAt,
  undecideAddress,
} from '../../../src/transport/peer.js';
import { requestFrom } from '../../support/request-from.js';
import { cameBy } from '../../../src/webservice/proxy/request-head.js';

type Headers = IncomingMessage['headers'];

const trusting = (...trusted_proxies: string[]): TrustedProxies => new TrustedProxies({ trusted_proxies });

/** @returns the address of the client of a request that came from 10.0.0.1, which is trusted with its network. */
function clientWith(headers: Headers, more: ProxyTrustConfig = {}): string | undefined {
  const proxies = new TrustedProxies({ trusted_proxies: ['10.0.0.0/8', '2001:db8:aa::/48'], ...more });
  return clientAddressOf(requestFrom('10.0.0.1', headers), proxies).remoteAddress;
}

const CLAIMS = {
  'x-forwarded-for': '203.0.113.9, 10.0.0.1',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-real-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9;proto=https;host=evil.example',
};

describe('the address of a client', () => {
  it('is that of its connection', () => {
    const client = clientAddressOf(requestFrom('192.0.2.1'), undefined);
    expect(client).toMatchObject({ remoteAddress: '192.0.2.1', remotePort: 4711 });
  });

  it.each(['192.0.2.1', '127.0.0.1', '::1'])('of %s is not what its headers claim', (remoteAddress) => {
    expect(clientAddressOf(requestFrom(remoteAddress, CLAIMS), undefined).remoteAddress).toBe(remoteAddress);
  });

  it.each(['192.0.2.1', '11.0.0.1', '::1', '2001:db8:ab::1', '::ffff:192.0.2.1'])(
    'of %s, which is no proxy of ours, is not what its headers claim',
    (remoteAddress) => {
      const req = requestFrom(remoteAddress, { ...CLAIMS, host: 'us.example' });
      const proxies = new TrustedProxies({
        trusted_proxies: ['10.0.0.0/8', '2001:db8:aa::/48', 'unix'],
        trust_host: true,
      });
      expect(clientAddressOf(req, proxies)).toBe(req.socket);
      expect([isSecure(req), req.headers.host]).toEqual([false, 'us.example']);
    },
  );

  it('is not known on a socket of the file system', () => {
    const { remoteAddress, remotePort } = clientAddressOf(requestFrom(undefined, CLAIMS), trusting('loopback'));
    expect([remoteAddress, remotePort]).toEqual([undefined, undefined]);
  });

  it('is what a proxy on a socket of the file system says, if the config says "unix"', () => {
    const req = requestFrom(undefined, CLAIMS);
    expect(clientAddressOf(req, trusting('unix', '10.0.0.0/8'))).toMatchObject({
      remoteAddress: '203.0.113.9',
      via: 'unix',
    });
    expect(channelOf(req.socket, peerOf(req.socket))).toBe('unix');
  });

  it('is not what a connection says that has lost its address', () => {
    const req = requestFrom(undefined, CLAIMS);
    req.socket.destroy();
    expect(clientAddressOf(req, trusting('unix'))).toBe(req.socket);
    const reset = requestFrom(undefined, CLAIMS);
    Object.defineProperty(reset.socket, 'localAddress', { value: '192.0.2.80' });
    expect(clientAddressOf(reset, trusting('unix'))).toBe(reset.socket);
  });

  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])(
    'is said by %s, which is "loopback"',
    (remoteAddress) => {
      expect(clientAddressOf(requestFrom(remoteAddress, CLAIMS), trusting('loopback')).remoteAddress).toBe('10.0.0.1');
    },
  );

  it('is said by a proxy with a zone in its address', () => {
    expect(clientAddressOf(requestFrom('fe80::1%eth0', CLAIMS), trusting('fe80::/10')).remoteAddress).toBe('10.0.0.1');
  });
});

describe('a network of trusted proxies', () => {
  it.each(['::/0', '::/1', '::/64', '::/80'])('%s has no address of IPv4', (network) => {
    for (const remoteAddress of ['192.0.2.1', '::ffff:192.0.2.1']) {
      const req = requestFrom(remoteAddress, CLAIMS);
      expect(clientAddressOf(req, trusting(network))).toBe(req.socket);
    }
    expect(trusting(network).hasAddress('::7')).toBe(true);
  });

  it.each(['::ffff:10.0.0.0/104', '::ffff:a00:0/104', '10.0.0.0/8'])(
    '%s has those that begin as it does',
    (network) => {
      const proxies = trusting(network);
      expect(
        ['10.1.2.3', '::ffff:10.1.2.3', '11.0.0.1', '::ffff:11.0.0.1'].map((at) => proxies.hasAddress(at)),
      ).toEqual([true, true, false, false]);
    },
  );
});

describe('X-Forwarded-For of a trusted proxy', () => {
  it.each([
    ['9.9.9.9, 1.1.1.1', '1.1.1.1'],
    ['evil, 1.1.1.1, 10.0.0.2', '1.1.1.1'],
    ['1.1.1.1, unknown', '10.0.0.1'],
    ['1.1.1.1, ', '10.0.0.1'],
    ['1.1.1.1,, 10.0.0.2', '10.0.0.2'],
    ['1.1.1.1, _hidden', '10.0.0.1'],
    ['10.3.3.3, 10.0.0.2', '10.3.3.3'],
    ['', '10.0.0.1'],
    ['1.1.1.1:8080', '1.1.1.1'],
    ['[2001:db8::1]:47', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:DB8:0::0001', '2001:db8::1'],
    ['2001:db8::1, 2001:db8:aa::7', '2001:db8::1'],
    ['::ffff:1.1.1.1', '1.1.1.1'],
    ['::ffff:101:101', '1.1.1.1'],
    ['1.1.1.1, ::ffff:10.0.0.2', '1.1.1.1'],
    ['fe80::1%eth0', '10.0.0.1'],
    ['[1.1.1.1]', '10.0.0.1'],
    ['1.1.1', '10.0.0.1'],
    ['1.1.1.01', '10.0.0.1'],
    ['1.1.1.1:99999999', '10.0.0.1'],
  ])('%j says %s', (header, expected) => {
    expect(clientWith({ 'x-forwarded-for': header })).toBe(expected);
  });

  it('tells the port, if it has one', () => {
    const client = clientAddressOf(requestFrom('10.0.0.1', { 'x-forwarded-for': '1.1.1.1:81' }), trusting('10.0.0.1'));
    expect(client).toMatchObject({ remoteAddress: '1.1.1.1', remotePort: 81, via: '10.0.0.1' });
  });

  it('is read from the right when it is too long', () => {
    const many = Array.from({ length: 500 }, (_, at) => `9.9.9.${at % 256}`).join(', ');
    expect(clientWith({ 'x-forwarded-for': `${many}, 1.1.1.1` })).toBe('1.1.1.1');
    expect(clientWith({ 'x-forwarded-for': `${'x'.repeat(15_000)}, 1.1.1.1` })).toBe('1.1.1.1');
    expect(clientWith({ 'x-forwarded-for': `9.9.9.9, ${'10.0.0.2,'.repeat(40)}10.0.0.2` })).toBe('10.0.0.2');
    // What the limit cuts in two is no entry: of 211.1.1.1 it would leave another address.
    const long = `211.1.1.1, ${'10.100.100.100, '.repeat(30)}${' '.repeat(536)}10.0.0.2`;
    expect(clientWith({ 'x-forwarded-for': long })).not.toBe('11.1.1.1');
  });
});

describe('several lines of one header', () => {
  it('are one list', () => {
    expect(clientWith({ 'x-forwarded-for': ['9.9.9.9', '1.1.1.1'] as never })).toBe('1.1.1.1');
    expect(clientWith({ 'x-forwarded-for': ['9.9.9.9, 1.1.1.1', '10.0.0.2'] as never })).toBe('1.1.1.1');
  });
});

describe('Forwarded of a trusted proxy', () => {
  it.each([
    ['for=1.1.1.1', '1.1.1.1'],
    ['For="[2001:db8::1]:47"', '2001:db8::1'],
    ['for=9.9.9.9, for=1.1.1.1', '1.1.1.1'],
    ['for=9.9.9.9, for=1.1.1.1;proto=https, for="10.0.0.2:99"', '1.1.1.1'],
    ['proto=http;for=1.1.1.1;by=10.0.0.9', '1.1.1.1'],
    ['for=1.1.1.1, for=unknown', '10.0.0.1'],
    ['for=1.1.1.1, for=_x', '10.0.0.1'],
    ['for=1.1.1.1, proto=https', '10.0.0.1'],
    ['for="1.1.1.1', '10.0.0.1'],
    ['for=1.1.1.1;for=2.2.2.2', '10.0.0.1'],
    ['for="1.1.1.1\\"', '10.0.0.1'],
    ['for="evil, for=1.1.1.1', '1.1.1.1'],
    ['for=6.6.6.6;x=", for="[2001:db8::1]:47"', '2001:db8::1'],
    [`for=9.9.9.9, ${'for=10.0.0.2, '.repeat(40)}for=10.0.0.3`, '10.0.0.2'],
    [`${'"'.repeat(9000)}, for=1.1.1.1`, '1.1.1.1'],
  ])('%j says %s', (forwarded, expected) => {
    expect(clientWith({ forwarded })).toBe(expected);
  });

  it('counts for nothing beside X-Forwarded-*, which most proxies write', () => {
    const forwarded = 'for=9.9.9.9;proto=https';
    expect(clientWith({ forwarded, 'x-forwarded-for': '1.1.1.1' })).toBe('1.1.1.1');
    expect(clientWith({ forwarded, 'x-forwarded-proto': 'http' })).toBe('10.0.0.1');
  });

  it('counts alone, or not at all, if the config says so', () => {
    const both = { forwarded: 'for=2.2.2.2', 'x-forwarded-for': '1.1.1.1' };
    expect(clientWith(both, { proxy_headers: ['forwarded'] })).toBe('2.2.2.2');
    expect(clientWith(both, { proxy_headers: ['x-forwarded'] })).toBe('1.1.1.1');
    expect(clientWith({ forwarded: 'for=2.2.2.2' }, { proxy_headers: ['x-forwarded'] })).toBe('10.0.0.1');
    expect(clientWith({ 'x-forwarded-for': '1.1.1.1' }, { proxy_headers: ['forwarded'] })).toBe('10.0.0.1');
  });
});

describe('the scheme by which a client came', () => {
  it.each<[Headers, boolean]>([
    [{ 'x-forwarded-proto': 'https' }, true],
    [{ 'x-forwarded-proto': 'WSS' }, true],
    [{ 'x-forwarded-proto': 'http' }, false],
    [{ 'x-forwarded-proto': 'ws' }, false],
    [{ 'x-forwarded-proto': 'gopher' }, false],
    [{ 'x-forwarded-for': '1.1.1.1' }, false],
    [{ 'x-forwarded-for': '1.1.1.1, 10.0.0.2', 'x-forwarded-proto': 'https' }, true],
    [{ 'x-forwarded-for': '9.9.9.9, 1.1.1.1', 'x-forwarded-proto': 'https, http' }, false],
    [{ 'x-forwarded-for': '9.9.9.9, 1.1.1.1', 'x-forwarded-proto': 'http, https' }, true],
    [{ 'x-forwarded-for': '9.9.9.9, 1.1.1.1, 10.0.0.2', 'x-forwarded-proto': 'http, https, http' }, true],
    [{ 'x-forwarded-for': 'unknown', 'x-forwarded-proto': 'http, https' }, true],
    [{ forwarded: 'for=9.9.9.9;proto=https, for=1.1.1.1;proto=http' }, false],
    [{ forwarded: 'for=9.9.9.9;proto=http, for=1.1.1.1;proto=https, for=10.0.0.2;proto=http' }, true],
    [{ forwarded: 'for=1.1.1.1' }, false],
  ])('with %j: TLS is %s', (headers, expected) => {
    const req = requestFrom('10.0.0.1', headers);
    clientAddressOf(req, trusting('10.0.0.0/8'));
    expect(isSecure(req)).toBe(expected);
  });

  it('is that of the connection as long as nobody says more', () => {
    const req = requestFrom('10.0.0.1', { 'x-forwarded-for': '1.1.1.1' }, true);
    clientAddressOf(req, trusting('10.0.0.0/8'));
    expect([isSecure(req), channelOf(req.socket, '')]).toEqual([true, 'tls']);
    const plain = requestFrom('10.0.0.1', { 'x-forwarded-proto': 'http' }, true);
    clientAddressOf(plain, trusting('10.0.0.0/8'));
    expect([isSecure(plain), channelOf(plain.socket, '')]).toEqual([false, 'tls']);
  });
});

describe('the host that a client asked for', () => {
  const hostWith = (headers: Headers, trust_host = true): string | undefined => {
    const req = requestFrom('10.0.0.1', { host: 'inside:8080', ...headers });
    clientAddressOf(req, new TrustedProxies({ trusted_proxies: ['10.0.0.1'], trust_host }));
    return req.headers.host;
  };

  it.each<[Headers, string]>([
    [{ 'x-forwarded-host': 'example.com' }, 'example.com'],
    [{ 'x-forwarded-host': 'example.com:8443' }, 'example.com:8443'],
    [{ 'x-forwarded-host': '[2001:db8::1]:8443' }, '[2001:db8::1]:8443'],
    [{ 'x-forwarded-host': 'example.com', 'x-forwarded-port': '8443' }, 'example.com:8443'],
    [{ 'x-forwarded-host': 'example.com', 'x-forwarded-port': '443', 'x-forwarded-proto': 'https' }, 'example.com'],
    [{ 'x-forwarded-host': 'example.com', 'x-forwarded-port': '8443, 1' }, 'example.com'],
    [{ 'x-forwarded-host': 'evil.example, example.com' }, 'inside:8080'],
    [{ 'x-forwarded-host': 'example.com/x' }, 'inside:8080'],
    [{ 'x-forwarded-host': 'user@example.com' }, 'inside:8080'],
    [{ 'x-forwarded-host': '' }, 'inside:8080'],
    [{ forwarded: 'for=1.1.1.1;host="example.com:8443"' }, 'example.com:8443'],
    [{}, 'inside:8080'],
  ])('with %j is %s', (headers, expected) => {
    expect(hostWith(headers)).toBe(expected);
    expect(hostWith(headers, false)).toBe('inside:8080');
  });
});

describe('what was decided of a client', () => {
  it('is what the log and the limit on failed logins go by', () => {
    const { socket } = requestFrom('192.0.2.1');
    expect([peerOf(socket), clientOf(socket).address]).toEqual(['192.0.2.1:4711', '192.0.2.1']);
    decideAddress(socket, { remoteAddress: '2001:db8:1:2:3:4:5:6', remotePort: 99 });
    expect(addressOf(socket).remoteAddress).toBe('2001:db8:1:2:3:4:5:6');
    expect(peerOf(socket)).toBe('2001:db8:1:2:3:4:5:6:99');
    expect(clientOf(socket)).toMatchObject({ peer: '2001:db8:1:2:3:4:5:6:99', address: '2001:db8:1:2::/64' });
  });

  it('is an address without port where the proxy tells none', () => {
    const req = requestFrom('10.0.0.1', { 'x-forwarded-for': '1.1.1.1' });
    clientAddressOf(req, trusting('10.0.0.1'));
    expect([peerOf(req.socket), clientOf(req.socket).address]).toEqual(['1.1.1.1', '1.1.1.1']);
  });

  it('holds for one request of a connection: the next one has another client, or none that is told of', () => {
    const proxies = trusting('10.0.0.1');
    const req = requestFrom('10.0.0.1', { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https' });
    clientAddressOf(req, proxies);
    const { socket } = req;
    clientAddressOf({ socket, headers: { 'x-forwarded-for': '2.2.2.2' } }, proxies);
    expect([peerOf(socket), isSecure({ socket })]).toEqual(['2.2.2.2', false]);
    clientAddressOf({ socket, headers: {} }, proxies);
    expect([peerOf(socket), isSecure({ socket })]).toEqual(['10.0.0.1:4711', false]);
    clientAddressOf(req, proxies);
    undecideAddress(socket);
    expect([peerOf(socket), isSecure({ socket })]).toEqual(['10.0.0.1:4711', false]);
  });

  it('stays known when the connection is gone', () => {
    const req = requestFrom('192.0.2.1');
    clientAddressOf(req, undefined);
    req.socket.destroy();
    expect(peerOf(req.socket)).toBe('192.0.2.1:4711');
  });
});

describe('the proxies of a transport', () => {
  it('are its own, else those of the node, key by key', () => {
    const node: ProxyTrustConfig = { trusted_proxies: ['10.0.0.1'], trust_host: true };
    expect(trustedProxiesOf()).toBeUndefined();
    expect(trustedProxiesOf({ trust_host: true })).toBeUndefined();
    expect(trustedProxiesOf({ trusted_proxies: [] }, node)).toBeUndefined();
    expect(trustedProxiesOf({}, node)?.hasAddress('10.0.0.1')).toBe(true);
    const own = trustedProxiesOf({ trusted_proxies: ['10.0.0.2'] }, node);
    expect([own?.hasAddress('10.0.0.1'), own?.hasAddress('10.0.0.2'), own?.trustsHost]).toEqual([false, true, true]);
  });
});

describe('a connection whose client was told at its beginning', () => {
  const placed = (remoteAddress: string, headers: Headers = {}): IncomingMessage => {
    const req = requestFrom('10.0.0.1', headers);
    placeAt(req.socket, { remoteAddress, remotePort: 99, via: '10.0.0.1', isSecure: true });
    return req;
  };

  it('is one of that client, whatever its headers claim', () => {
    const req = placed('192.0.2.7', CLAIMS);
    const client = clientAddressOf(req, trusting('10.0.0.0/8'));
    expect(client).toEqual({ remoteAddress: '192.0.2.7', remotePort: 99, via: '10.0.0.1', isSecure: true });
    expect([peerOf(req.socket), isSecure(req), clientOf(req.socket).address]).toEqual([
      ...['192.0.2.7:99', true, '192.0.2.7'],
    ]);
    // What goes to a server behind the node is not what that client claims of others.
    expect(cameBy({ req, client } as never)).toMatchObject({ peer: '192.0.2.7', chain: undefined, proto: 'https' });
  });

  it('has others behind it, if it is one of a trusted proxy', () => {
    const req = placed('10.0.0.9', { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'http' });
    const client = clientAddressOf(req, trusting('10.0.0.0/8'));
    expect(client).toMatchObject({ remoteAddress: '1.1.1.1', via: '10.0.0.9', isSecure: false });
    expect(cameBy({ req, client } as never)).toMatchObject({ peer: '10.0.0.9', chain: '1.1.1.1', proto: 'http' });
    undecideAddress(req.socket);
    expect([peerOf(req.socket), isSecure(req)]).toEqual(['10.0.0.9:99', true]);
  });

  it('goes on by TLS', () => {
    const { socket } = placed('192.0.2.7');
    const upper = requestFrom('10.0.0.1').socket;
    continueAs(socket, upper);
    expect(peerOf(upper)).toBe('192.0.2.7:99');
  });
});
