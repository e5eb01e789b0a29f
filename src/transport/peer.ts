/** Who is at the other end of a connection: its name in the log, and what other sessions may learn. */
import type { Socket } from 'node:net';
import { countedAddress } from './connection-limits.js';
import { tlsClientOf } from './tls/peer.js';
import type { ClientInfo } from '../auth/method.js';
import type { Serializer } from '../serializer/serializer.js';
import type { TransportFacts } from '../session/transport.js';

const UNIX = 'unix';

/** Where a client is. Both are undefined for a socket of the file system, and for one that is gone. */
export interface ClientAddress {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** connection -> where its client is, as far as that was decided */
const decided = new WeakMap<object, ClientAddress>();

/** From now on the client of a connection is there, for the limits, the log and everybody else who asks. */
export function decideAddress(connection: ClientAddress, client: ClientAddress): void {
  decided.set(connection, client);
}

/** @returns where the client of a connection is: as it was decided, or else where the connection comes from. */
export function addressOf(connection: ClientAddress): ClientAddress {
  return decided.get(connection) ?? connection;
}

/** @returns `address:port`; `unix` for a socket of the file system, where peers have no address. */
export function peerOf(socket: Socket): string {
  const { remoteAddress, remotePort } = addressOf(socket);
  if (remoteAddress === undefined || remotePort === undefined) return socket.destroyed ? 'unknown' : UNIX;
  // IPv4 that came in by IPv6 is IPv4.
  return `${remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')}:${remotePort}`;
}

/** @returns whether the connection is TLS. */
export function isTls(socket: Socket): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/** @param peer as {@link peerOf} called it while the connection was there. @returns `facts` of a session's transport. */
export function clientInfoOf(
  socket: Socket,
  peer: string,
  framing: 'websocket' | 'rawsocket',
  serializer: Serializer,
): TransportFacts {
  const secure = isTls(socket);
  return {
    peer,
    is_secure: secure,
    channel_type: secure ? 'tls' : peer === UNIX ? 'unix' : 'tcp',
    channel_framing: framing,
    // Batches are a matter of the subprotocol: `json.batched` is JSON.
    channel_serializer: serializer.type.replace('.batched', ''),
  };
}

/** What HTTP tells of a client beside what its socket does. */
export type HttpClient = Pick<ClientInfo, 'liveCookie' | 'heldCookie' | 'headers' | 'query'>;

const WITHOUT_HTTP: HttpClient = { liveCookie: undefined, heldCookie: undefined, headers: undefined, query: undefined };

/** @returns what is known of a client, in one object of one shape: spreading one into another is dear at every connection. */
export function clientOf(socket: Socket, { liveCookie, heldCookie, headers, query } = WITHOUT_HTTP): ClientInfo {
  return {
    peer: peerOf(socket),
    address: countedAddress(addressOf(socket).remoteAddress) ?? '',
    liveCookie,
    heldCookie,
    headers,
    query,
    tls: tlsClientOf(socket),
  };
}
