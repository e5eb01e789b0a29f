/**
 * The transport `stream.testee`: every octet comes back. A client that does not read is not read either. For the limit of all
 * connections of the process a connection always waits, so it makes room for others.
 */
import type { Socket } from 'node:net';
import type { Acceptor } from '../endpoint.js';
import { frontOnly } from '../apart/halves.js';
import { EndpointServer } from '../endpoint.js';
import { trustedProxiesOf } from '../proxies/trusted-proxies.js';
import { urlOf } from '../transport-type.js';
import type { TransportType } from '../transport-type.js';
import type { StreamTesteeTransportConfig } from './schema.js';

class StreamEcho implements Acceptor {
  accept(socket: Socket): void {
    // Whoever resets the connection has what they want: the socket is destroyed, and the pipe with it.
    socket.on('error', () => socket.destroy()).pipe(socket);
  }

  /** There is no end that could be told: the endpoint cuts the connections. */
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** The config word `stream.testee`. */
export const streamTesteeTransportType: TransportType<StreamTesteeTransportConfig> = {
  type: 'stream.testee',
  create: ({ id, endpoint }, { log, sharedPorts, proxyTrust }) =>
    new EndpointServer(endpoint, new StreamEcho(), log.child({ transport: id }), {
      shared: sharedPorts?.of(endpoint),
      trustedProxies: trustedProxiesOf({}, proxyTrust),
    }),
  offer: ({ endpoint }, bound) => ({ url: urlOf('tcp', endpoint, bound), paths: [] }),
  cookieSections: () => [],
  halves: frontOnly,
};
