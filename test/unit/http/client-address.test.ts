import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { NO_PROXIES, clientAddressOf } from '../../../src/http/client-address.js';
import { addressOf, clientOf, decideAddress, peerOf } from '../../../src/transport/peer.js';

/** A request on a socket that comes from `remoteAddress`. */
function requestFrom(remoteAddress: string | undefined, headers: IncomingMessage['headers'] = {}): IncomingMessage {
  const socket = new Socket();
  const remotePort = remoteAddress === undefined ? undefined : 4711;
  Object.defineProperties(socket, { remoteAddress: { value: remoteAddress }, remotePort: { value: remotePort } });
  const req = new IncomingMessage(socket);
  Object.assign(req.headers, headers);
  return req;
}

const CLAIMS = {
  'x-forwarded-for': '203.0.113.9, 10.0.0.1',
  'x-real-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9',
};

describe('the address of a client', () => {
  it('is that of its connection', () => {
    const client = clientAddressOf(requestFrom('192.0.2.1'), NO_PROXIES);
    expect(client).toMatchObject({ remoteAddress: '192.0.2.1', remotePort: 4711 });
  });

  it.each(['192.0.2.1', '127.0.0.1', '::1'])('of %s is not what its headers claim', (remoteAddress) => {
    expect(clientAddressOf(requestFrom(remoteAddress, CLAIMS), NO_PROXIES).remoteAddress).toBe(remoteAddress);
  });

  it('is not known on a socket of the file system', () => {
    const { remoteAddress, remotePort } = clientAddressOf(requestFrom(undefined, CLAIMS), NO_PROXIES);
    expect([remoteAddress, remotePort]).toEqual([undefined, undefined]);
  });

  it('is not read from headers for anybody, as long as nobody has said how', () => {
    expect(() => clientAddressOf(requestFrom('192.0.2.1', CLAIMS), new Set(['192.0.2.1']))).toThrow(RangeError);
  });

  it('is what the log and the limit on failed logins go by', () => {
    const { socket } = requestFrom('192.0.2.1');
    expect([peerOf(socket), clientOf(socket).address]).toEqual(['192.0.2.1:4711', '192.0.2.1']);
    decideAddress(socket, { remoteAddress: '2001:db8:1:2:3:4:5:6', remotePort: 99 });
    expect(addressOf(socket).remoteAddress).toBe('2001:db8:1:2:3:4:5:6');
    expect(peerOf(socket)).toBe('2001:db8:1:2:3:4:5:6:99');
    expect(clientOf(socket)).toMatchObject({ peer: '2001:db8:1:2:3:4:5:6:99', address: '2001:db8:1:2::/64' });
  });

  it('stays known when the connection is gone', () => {
    const req = requestFrom('192.0.2.1');
    clientAddressOf(req, NO_PROXIES);
    req.socket.destroy();
    expect(peerOf(req.socket)).toBe('192.0.2.1:4711');
  });
});
