import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/log/logger.js';
import { serializers } from '../../support/serializers.js';
import type { Serializer } from '../../../src/serializer/serializer.js';
import { unsentLimits } from '../../../src/transport/outbox/outbox.js';
import { RawSocketWire } from '../../../src/transport/rawsocket/wire.js';
import type { TransportHost } from '../../../src/transport/transport-host.js';
import { EVENT, PUBLISHED } from '../../../src/wamp/message.js';
import { payloadOf } from '../../../src/wamp/payload.js';

const open: Socket[] = [];
afterEach(() => open.splice(0).forEach((socket) => socket.destroy()));

async function acceptedSocket(): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(client, accepted);
  return accepted;
}

describe('a client that was given up', () => {
  it('costs nothing more: no message is encoded for it', async () => {
    let encoded = 0;
    const json = serializers.get('json') as Serializer;
    const counting: Serializer = {
      ...json,
      encode: (...given) => ((encoded += 1), json.encode(...given)),
      encodeShared: (...given) => ((encoded += 1), json.encodeShared(...given)),
    };
    const host = {
      unsent: unsentLimits(65_536, false),
      log: silentLogger(),
      sessions: {},
      counts: { sentBytes: 0 },
      awaitHello: () => undefined,
      closed: () => undefined,
    } as unknown as TransportHost;
    const terms = { serializer: counting, maxMessageBytes: 2 ** 20, peerMaxBytes: 2 ** 24 };
    const { connection: transport } = new RawSocketWire(await acceptedSocket(), terms, host);
    const payload = payloadOf(['x'.repeat(50_000)]);
    const send = (subscription: number): void =>
      transport.send({ type: EVENT, subscription, publication: 1, details: {}, payload, frames: [] });
    send(1);
    expect(encoded).toBe(1);
    transport.terminate();
    for (let subscription = 2; subscription < 1000; subscription++) send(subscription);
    transport.send({ type: PUBLISHED, requestId: 1, publication: 1 });
    expect(encoded).toBe(1);
  });
});
