/** Headers at random in front of what a proxy writes: the search that `client-address.test.ts` leaves out, because it takes a while. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';

import { clientAddressOf } from '../../../src/http/client-address.js';
import { TrustedProxies } from '../../../src/transport/proxies/trusted-proxies.js';
import { isSecure, peerOf } from '../../../src/transport/peer.js';
import { requestFrom } from '../../support/request-from.js';

type Headers = IncomingMessage['headers'];

/** A generator of numbers below 1, the same ones in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('whatever a client writes', () => {
  const PIECES = [
    '1.2.3.4',
    '10.0.0.7',
    ', ',
    ',',
    '"',
    '\\',
    ';',
    '=',
    'for=',
    'for="',
    'proto=https',
    '[',
    ']',
    ':',
    '::1',
  ];
  PIECES.push(
    'unknown',
    '_x',
    ' ',
    '2001:db8::9',
    '\t',
    'host=evil',
    ':80',
    'x'.repeat(400),
    '10.0.0.2, '.repeat(20),
    'é',
  );
  const random = randomFrom(7);
  const nonsense = (): string =>
    Array.from({ length: Math.floor(random() * 12) }, () => PIECES[Math.floor(random() * PIECES.length)]).join('');

  it('does not change what a proxy writes behind it, in either header', () => {
    const { socket } = requestFrom('10.0.0.1');
    const proxies = new TrustedProxies({ trusted_proxies: ['10.0.0.0/8', '2001:db8:aa::/48'] });
    const faults: object[] = [];
    let asked = 0;
    /** Each time the proxy writes another address, so that none of an earlier request passes for it. */
    const check = (headersWith: (address: string) => Headers): void => {
      const address = `1.1.${++asked & 255}.1`;
      const headers = headersWith(address);
      const { remoteAddress } = clientAddressOf({ socket, headers }, proxies);
      if (remoteAddress !== address) faults.push({ headers, remoteAddress });
    };
    for (let round = 0; round < 20_000; round++) {
      const written = nonsense();
      const port = random() < 0.5 ? '' : ':4040';
      check((address) => ({ 'x-forwarded-for': `${written}, ${address}${port}` }));
      check((address) => ({ 'x-forwarded-for': `${written}, ${address}, 10.0.0.2` }));
      const isLong = random() < 0.5;
      const element = (address: string): string =>
        isLong ? `for="${address}${port}";proto=http;by="[::1]:4"` : `for=${address}`;
      check((address) => ({ forwarded: `${written}, ${element(address)}` }));
      check((address) => ({ forwarded: `${written}, ${element(address)}, for="10.0.0.2"` }));
    }
    expect(asked).toBe(80_000);
    expect(faults).toEqual([]);
  });

  it('changes nothing behind a peer that is not trusted', () => {
    const proxies = new TrustedProxies({ trusted_proxies: ['10.0.0.0/8', 'unix', 'loopback'], trust_host: true });
    for (let round = 0; round < 2000; round++) {
      const names = ['x-forwarded-for', 'forwarded', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'];
      const req = requestFrom('192.0.2.1', {
        host: 'us',
        ...Object.fromEntries(names.map((name) => [name, nonsense()])),
      });
      expect(clientAddressOf(req, proxies)).toBe(req.socket);
      expect([isSecure(req), req.headers.host, peerOf(req.socket)]).toEqual([false, 'us', '192.0.2.1:4711']);
    }
  });
});
