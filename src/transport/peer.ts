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
  /** Also undefined where a proxy does not tell it. */
  readonly remotePort?: number | undefined;
  /** Whether it came by TLS, as far as a trusted proxy says so; undefined where the connection itself tells it. */
  readonly isSecure?: boolean;
  /** The trusted proxy that it came by, an address or `unix`; undefined where it came by itself. */
  readonly via?: string;
}

/** connection -> where its client is, as far as that was decided */
const decided = new WeakMap<object, ClientAddress>();

/** connection -> where its client is, as the proxy says that opened it */
const placed = new WeakMap<object, ClientAddress>();

/** The client of a connection is there as long as it lasts, as far as its headers do not say more (`proxies/proxy-gate.ts`). */
export function placeAt(connection: object, client: ClientAddress): void {
  placed.set(connection, client);
  decided.set(connection, client);
}

/** What was said of a connection holds for the one that goes on in its place: TLS on top of it. */
export function continueAs(connection: ClientAddress, upper: object): void {
  const client = placed.get(connection);
  if (client !== undefined) placeAt(upper, client);
}

/** @returns where a connection comes from, whatever its headers say. */
export function placeOf(connection: ClientAddress): ClientAddress {
  return placed.get(connection) ?? connection;
}

/** From now on the client of a connection is there, for the limits, the log and everybody else who asks. */
export function decideAddress(connection: ClientAddress, client: ClientAddress): void {
  decided.set(connection, client);
}

/** @returns where the client of a connection is: as it was decided, or else where the connection comes from. */
export function addressOf(connection: ClientAddress): ClientAddress {
  return decided.get(connection) ?? connection;
}

/** From now on the connection itself tells where its client is: what was decided was said of somebody else. */
export function undecideAddress(connection: object): void {
  const client = placed.get(connection);
  if (client === undefined) decided.delete(connection);
  else decided.set(connection, client);
}

/** @returns `address:port`, or `address` where a proxy tells no port; `unix` for a socket of the file system, where peers have none. */
export function peerOf(socket: Socket): string {
  const { remoteAddress, remotePort, via } = addressOf(socket);
  if (remoteAddress === undefined || (remotePort === undefined && via === undefined)) {
    // TCP that was reset has no address of the other end any more, but one of ours.
    return socket.destroyed || socket.localAddress !== undefined ? 'unknown' : UNIX;
  }
  return remotePort === undefined ? shownAddress(remoteAddress) : `${shownAddress(remoteAddress)}:${remotePort}`;
}

/** @returns an address of the system as it is shown: IPv4 that came in by IPv6 is IPv4. */
export function shownAddress(remoteAddress: string): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
}

/**
 * @returns whether the client of a request came by TLS: to this node, or to a trusted proxy in front of it. For cookies, origins and
 *   URLs of our own. {@link isTls} tells of the connection itself.
 */
export function isSecure({ socket }: { readonly socket: Socket }): boolean {
  return decided.get(socket)?.isSecure ?? isTls(socket);
}

/** @returns whether the connection is TLS. */
export function isTls(socket: object): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/** @param peer as {@link peerOf} called it while the connection was there. @returns `facts` of a session's transport. */
export function clientInfoOf(
  socket: Socket,
  peer: string,
  framing: NonNullable<TransportFacts['channel_framing']>,
  serializer?: Serializer,
): TransportFacts {
  const { via } = addressOf(socket);
  return {
    peer,
    ...(via !== undefined && { via }),
    is_secure: isSecure({ socket }),
    channel_type: channelOf(socket, peer),
    channel_framing: framing,
    // Batches are a matter of the subprotocol: `json.batched` is JSON.
    ...(serializer !== undefined && { channel_serializer: serializer.type.replace('.batched', '') }),
  };
}

/** @returns what the connection itself is. @param peer as {@link peerOf} called it. */
export function channelOf(socket: Socket, peer: string): 'tls' | 'tcp' | 'unix' {
  if (isTls(socket)) return 'tls';
  return (addressOf(socket).via ?? peer) === UNIX ? 'unix' : 'tcp';
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
