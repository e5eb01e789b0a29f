/**
 * Where the client of a request is. It is decided here, once for each request, plain or upgrade; the limits on connections, the
 * limit on failed logins, the log and what sessions learn of each other take it from there (`transport/peer.ts`).
 *
 * The connection tells it, unless a proxy stands in between: then the headers do, if the proxy is one whose word counts.
 */
import type { IncomingMessage } from 'node:http';
import { decideAddress } from '../transport/peer.js';
import type { ClientAddress } from '../transport/peer.js';

/** No proxy is trusted: what headers say of the client is not looked at, because anybody can write them. */
export const NO_PROXIES: ReadonlySet<string> = new Set();

/**
 * @param proxies the addresses of the proxies whose word counts.
 * @throws RangeError when there are any: the config has no place for them.
 */
export function clientAddressOf(
  req: Pick<IncomingMessage, 'socket' | 'headers'>,
  proxies: ReadonlySet<string>,
): ClientAddress {
  // What the connection says needs no decision, which would cost every request something.
  if (proxies.size === 0) return req.socket;
  const client = addressByHeaders();
  decideAddress(req.socket, client);
  return client;
}

function addressByHeaders(): ClientAddress {
  throw new RangeError('no headers of proxies are read');
}
