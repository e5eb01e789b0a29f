/**
 * Where things are in a config: the paths to everything that rules and finishing have to visit.
 */
import type { Cursor } from './cursor.js';

export function workersOf(node: Cursor): Cursor[] {
  return node.get('workers').items();
}

/** Every transport of a node. */
export function transportsOf(node: Cursor): Cursor[] {
  return workersOf(node).flatMap((worker) => worker.get('transports').items());
}

/** Every path service of a transport, however deep. */
export function servicesOf(transport: Cursor): Cursor[] {
  return transport
    .get('paths')
    .entries()
    .flatMap((service) => [service, ...(service.get('type').value === 'path' ? servicesOf(service) : [])]);
}

/** Every place of a transport where WAMP clients connect: itself, or services on its paths. */
export function wampPlacesOf(transport: Cursor): Cursor[] {
  return [transport, ...servicesOf(transport)].filter((place) =>
    ['websocket', 'rawsocket'].includes(place.get('type').text() ?? ''),
  );
}

/** Every `cookie` section of a node. */
export function cookiesOf(node: Cursor): Cursor[] {
  return transportsOf(node)
    .flatMap((transport) => [transport, ...servicesOf(transport)])
    .map((place) => place.get('cookie'))
    .filter((cookie) => !cookie.missing);
}
