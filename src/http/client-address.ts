/**
 * Where the client of a request is, and whether it came by TLS. It is decided here, once for each request, plain or upgrade; the limits
 * on connections, the limit on failed logins, cookies, the log and what sessions learn of each other take it from there
 * (`transport/peer.ts`).
 *
 * The connection tells it, or the header of the PROXY protocol at its beginning, unless a proxy stands in between: then the headers do, if the proxy is one whose word counts. The requests
 * of one connection of a proxy come from many clients, one after the other; what is decided holds until the next request of the
 * connection, and for good where it becomes a WebSocket.
 */
import type { IncomingMessage } from 'node:http';
import { readForwarded } from '../transport/proxies/forwarded.js';
import { decideAddress, isTls, placeOf, shownAddress } from '../transport/peer.js';
import type { ClientAddress } from '../transport/peer.js';
import type { TrustedProxies } from '../transport/proxies/trusted-proxies.js';

/**
 * Decides where the client of a request is. Where the config trusts the proxy for it, the request gets the host that the client asked
 * for as its `Host`.
 *
 * @param proxies those whose word counts; undefined where headers of proxies are not looked at.
 */
export function clientAddressOf(
  req: Pick<IncomingMessage, 'socket' | 'headers'>,
  proxies: TrustedProxies | undefined,
): ClientAddress {
  const { socket, headers } = req;
  // What the connection says needs no decision, which would cost every request something.
  if (proxies === undefined) return socket;
  const from = placeOf(socket);
  if (!proxies.hasPeer(from)) return from;
  const said = readForwarded(headers, proxies);
  if (said.host !== undefined) headers.host = said.host;
  const client: ClientAddress = {
    remoteAddress: said.address ?? from.remoteAddress,
    remotePort: said.address === undefined ? from.remotePort : said.port,
    isSecure: said.isSecure ?? from.isSecure ?? isTls(socket),
    via: viaOf(from),
  };
  decideAddress(socket, client);
  return client;
}

function viaOf({ remoteAddress }: ClientAddress): string {
  return remoteAddress === undefined ? 'unix' : shownAddress(remoteAddress);
}
