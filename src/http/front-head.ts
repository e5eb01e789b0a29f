/**
 * A request that a front has passed on to the other half of its transport: all headers are those of the client, also what it says of
 * proxies, and one more says where the client is. Nobody else can write it: the front takes away what a client sends under this name, and
 * the socket file of the other half is only for fronts.
 */
import type { IncomingMessage } from 'node:http';
import { decideAddress, isTls, placeAt, placeOf } from '../transport/peer.js';
import type { ClientAddress } from '../transport/peer.js';

/** The name of the header, as Node.js has it. */
const HEADER = 'crossbar-ts-front';

/** Where its connection comes from, and where the client is: another place only where a trusted proxy says so. */
interface Facts {
  readonly place: ClientAddress;
  readonly client?: ClientAddress;
}

/** @returns the headers of the client, but those of its connection, and who it is. @param own names and values in turn */
export function headOfFront(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  client: ClientAddress,
  own: readonly string[],
): string[] {
  const kept: string[] = [];
  for (let at = 0; at < own.length; at += 2) {
    const [name = '', value = ''] = [own[at], own[at + 1]];
    const key = name.toLowerCase();
    if (key !== HEADER && key !== 'host') kept.push(name, value);
  }
  const from = placeOf(socket);
  const facts: Facts = {
    place: factsOf({ ...factsOf(from), isSecure: from.isSecure ?? isTls(socket) }),
    ...(client !== from && { client: factsOf(client) }),
  };
  return ['Host', headers.host ?? '', ...kept, HEADER, encodeURI(JSON.stringify(facts))];
}

/** Decides where the client is, as the front says, and takes the header away. */
export function clientOfFront(req: Pick<IncomingMessage, 'socket' | 'headers' | 'rawHeaders'>): ClientAddress {
  const { socket, headers, rawHeaders } = req;
  const said = headers[HEADER];
  if (typeof said !== 'string') return socket;
  Reflect.deleteProperty(headers, HEADER);
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === HEADER);
  rawHeaders.splice(at, 2);
  const { place, client } = JSON.parse(decodeURI(said)) as Facts;
  placeAt(socket, place);
  if (client === undefined) return place;
  decideAddress(socket, client);
  return client;
}

function factsOf({ remoteAddress, remotePort, isSecure, via }: ClientAddress): ClientAddress {
  return {
    ...{ remoteAddress, remotePort },
    ...(isSecure !== undefined && { isSecure }),
    ...(via !== undefined && { via }),
  };
}
