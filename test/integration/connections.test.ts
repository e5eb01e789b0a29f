/**
 * What the router knows and tells of a connection, on every transport.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../support/transports.js';
import { WampClient } from '../support/wamp-client.js';

const SOCKET_FILE = { type: 'rawsocket', endpoint: { type: 'unix', path: 'raw.sock' } };

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: nodeConfig({ transports: [...RAWSOCKET_TRANSPORTS, SOCKET_FILE] }) });
});
afterAll(() => daemon.dispose());

/** What `wamp.session.get` tells of a connection. */
async function transportOf({ sessionId }: { readonly sessionId: number }): Promise<unknown> {
  const asker = await WampClient.join(daemon.url('/ws', 'ws'));
  const [, , , [details]] = (await asker.ask([48, 1, {}, 'wamp.session.get', [sessionId]])) as [0, 0, 0, [unknown]];
  await asker.leave();
  return (details as { readonly transport: unknown }).transport;
}

describe('the transport of a session', () => {
  it.each(TRANSPORTS)('is shown to others: $transport, $serializer', async ({ transport, serializer, connect }) => {
    const client = await connect(daemon);
    const batched = transport === 'WebSocket, batched' ? '.batched' : '';
    expect(await transportOf(await client.hello('realm1'))).toEqual({
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      is_secure: false,
      channel_type: 'tcp',
      channel_framing: transport === 'RawSocket' ? 'rawsocket' : 'websocket',
      channel_serializer: serializer,
      ...(transport !== 'RawSocket' && { websocket_protocol: `wamp.2.${serializer}${batched}` }),
    });
    await client.leave();
  });

  it('is shown to others: a socket file', async () => {
    const client = await RawSocketClient.join(daemon.listening()[2]?.['url'] as string);
    expect(await transportOf(client)).toEqual({
      peer: 'unix',
      is_secure: false,
      channel_type: 'unix',
      channel_framing: 'rawsocket',
      channel_serializer: 'json',
    });
    await client.leave();
  });
});
