import { describe, expect, it } from 'vitest';

import { mqttOptionsSchema } from '../../../src/mqtt/schema.js';
import { originCheck } from '../../../src/transport/websocket/origin.js';
import { negotiateMqtt } from '../../../src/webservice/mqtt/handshake.js';
import { mqttServiceSchema } from '../../../src/webservice/mqtt/schema.js';
import type { MqttServiceConfig } from '../../../src/webservice/mqtt/schema.js';
import { createMqttService } from '../../../src/webservice/mqtt/service.js';
import { webServiceContract } from '../../contract/web-service.js';
import { CatchingSocket, openExchange, parseResponse } from '../../support/exchange.js';
import { defaultsOf } from '../../support/mqtt-transport.js';
import { serviceDeps } from '../../support/web.js';

const config = {
  type: 'mqtt',
  options: { ...defaultsOf(mqttOptionsSchema), ...defaultsOf(mqttServiceSchema.properties.options), realm: 'realm1' },
} as unknown as MqttServiceConfig;

const service = () => createMqttService(config, serviceDeps());

const HANDSHAKE = {
  upgrade: 'websocket',
  connection: 'upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

function negotiate(headers: Readonly<Record<string, string>>) {
  return negotiateMqtt(
    openExchange({ headers: { ...HANDSHAKE, ...headers } }).request.req,
    originCheck(['self'], false),
  );
}

it('refuses connections until it is started', () => {
  const socket = new CatchingSocket();
  service().upgrade?.(openExchange().request, socket, Buffer.alloc(0));
  expect(parseResponse(socket.sent).status).toBe(503);
});

describe('a handshake', () => {
  it.each([
    ['mqtt', 'mqtt'],
    ['mqttv3.1', 'mqttv3.1'],
    ['x, mqtt , mqttv3.1', 'mqtt'],
  ])('with %j agrees on %s', (offered, subprotocol) => {
    expect(negotiate({ 'sec-websocket-protocol': offered })).toEqual({ subprotocol });
  });

  it('without a subprotocol of MQTT is refused, and the log says what helps', () => {
    expect(negotiate({})).toMatchObject({
      status: 400,
      text: 'this server only speaks the WebSocket subprotocols mqtt, mqttv3.1',
      kind: 'subprotocol',
      remedy: 'let the client name the subprotocol "mqtt"',
      facts: { offered: '(none)' },
    });
    expect(negotiate({ 'sec-websocket-protocol': 'wamp.2.json' })).toMatchObject({
      remedy: 'let clients of WAMP connect to the path of a "websocket" service',
      facts: { offered: 'wamp.2.json' },
    });
  });

  it('of a page of another origin is refused', () => {
    const headers = { 'sec-websocket-protocol': 'mqtt', host: 'here.example', origin: 'https://elsewhere.example' };
    expect(negotiate(headers)).toMatchObject({ status: 403, kind: 'origin' });
    expect(negotiate({ ...headers, origin: 'https://here.example' })).toEqual({ subprotocol: 'mqtt' });
  });
});

webServiceContract('mqtt', { create: service, validators: false, upgrades: true });
