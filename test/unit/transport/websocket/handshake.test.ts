import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { jsonSerializer } from '../../../../src/serializer/json.js';
import { SERIALIZERS } from '../../../../src/serializer/registry.js';
import { originCheck } from '../../../../src/transport/websocket/origin.js';
import { isByPlantedHost, negotiate } from '../../../../src/transport/websocket/handshake.js';

const rules = {
  allowsOrigin: originCheck(['*'], true),
  subprotocols: new Map([['wamp.2.json', jsonSerializer]]),
  requireSubprotocol: true,
  formats: SERIALIZERS,
};

function request(headers: Record<string, string | undefined> = {}, method = 'GET'): IncomingMessage {
  const parts: unknown = {
    method,
    headers: {
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'wamp.2.json',
      ...headers,
    },
  };
  return parts as IncomingMessage;
}

describe('the WebSocket handshake', () => {
  it.each<[string, IncomingMessage, number]>([
    ['another method', request({}, 'POST'), 405],
    ['another protocol', request({ upgrade: 'h2c' }), 400],
    ['no version', request({ 'sec-websocket-version': undefined }), 426],
    ['an unknown version', request({ 'sec-websocket-version': '12' }), 426],
    ['no key', request({ 'sec-websocket-key': undefined }), 400],
    ['a short key', request({ 'sec-websocket-key': 'AAAA' }), 400],
    ['no subprotocol', request({ 'sec-websocket-protocol': undefined }), 400],
    ['an unknown subprotocol', request({ 'sec-websocket-protocol': 'wamp.2.msgpack, chat' }), 400],
  ])('refuses %s', (_what, req, status) => {
    expect(negotiate(req, rules)).toMatchObject({ status });
  });

  it("takes the first of the client's subprotocols that is known", () => {
    const agreement = negotiate(request({ 'sec-websocket-protocol': 'chat , wamp.2.json' }), rules);
    expect(agreement).toEqual({ serializer: jsonSerializer, subprotocol: 'wamp.2.json' });
  });

  it('speaks JSON to a client that names no subprotocol where that is allowed, and still refuses unknown ones', () => {
    const lenient = { ...rules, requireSubprotocol: false };
    expect(negotiate(request({ 'sec-websocket-protocol': undefined }), lenient)).toEqual({
      serializer: jsonSerializer,
      subprotocol: undefined,
    });
    expect(negotiate(request({ 'sec-websocket-protocol': 'chat' }), lenient)).toMatchObject({ status: 400 });
  });

  it('refuses a foreign origin with 403, in the header of either version', () => {
    const strict = { ...rules, allowsOrigin: originCheck(['https://example.com'], false) };
    expect(negotiate(request({ origin: 'https://example.com' }), strict)).toHaveProperty('serializer');
    expect(negotiate(request({ origin: 'https://evil.example' }), strict)).toMatchObject({ status: 403 });
    const old = { 'sec-websocket-version': '8', 'sec-websocket-origin': 'https://evil.example' };
    expect(negotiate(request(old), strict)).toMatchObject({ status: 403 });
  });

  it('with version 8 and the origin in both headers is for the stricter of the two', () => {
    const strict = { ...rules, allowsOrigin: originCheck(['https://example.com'], false) };
    const [good, evil] = ['https://example.com', 'https://evil.example'];
    const old = (headers: Record<string, string>): unknown =>
      negotiate(request({ 'sec-websocket-version': '8', ...headers }), strict);
    expect(old({ origin: evil })).toMatchObject({ status: 403 });
    expect(old({ origin: evil, 'sec-websocket-origin': good })).toMatchObject({ status: 403 });
    expect(old({ origin: good, 'sec-websocket-origin': evil })).toMatchObject({ status: 403 });
    expect(old({ origin: good, 'sec-websocket-origin': good })).toHaveProperty('serializer');
  });

  it.each([
    [
      'a name of the Internet on loopback',
      { host: 'a.example:8080', origin: 'http://a.example:8080' },
      '127.0.0.1',
      true,
    ],
    ['the same, IPv4 in IPv6', { host: 'a.example', origin: 'http://a.example' }, '::ffff:127.0.0.1', true],
    ['the same through a proxy', { host: 'a.example', origin: 'https://a.example', via: '1.1 p' }, '127.0.0.1', false],
    ['the same on another address', { host: 'a.example', origin: 'https://a.example' }, '192.0.2.1', false],
    ['a name that the config has', { host: 'b.example', origin: 'https://b.example' }, '127.0.0.1', false],
    ['an address', { host: '192.0.2.1', origin: 'http://192.0.2.1' }, '127.0.0.1', false],
    ['an address of IPv6', { host: '[::1]:8080', origin: 'http://[::1]:8080' }, '::1', false],
    ['a name of this network', { host: 'mybox:8080', origin: 'http://mybox:8080' }, '127.0.1.1', false],
    ['a name for development', { host: 'shop.localhost', origin: 'http://shop.localhost' }, '127.0.0.1', false],
    ['no page', { host: 'a.example', origin: undefined }, '127.0.0.1', false],
  ])('from the host itself, which is %s', (_what, headers, localAddress, isPlanted) => {
    const self = { ...rules, allowsOrigin: originCheck(['self', 'https://b.example'], false) };
    expect(negotiate(request(headers), self)).toHaveProperty('serializer');
    expect(isByPlantedHost(request(headers), self, { localAddress })).toBe(isPlanted);
  });
});
