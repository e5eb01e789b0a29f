/**
 * Where things are in a config: the paths to everything that rules and finishing have to visit.
 */
import { Cursor } from './cursor.js';

export function workersOf(node: Cursor): Cursor[] {
  return node.get('workers').items();
}

/** Every transport of a node. */
export function transportsOf(node: Cursor): Cursor[] {
  return workersOf(node).flatMap((worker) => worker.get('transports').items());
}

/** Every path service of a transport, however deep. */
export function servicesOf(transport: Cursor): Cursor[] {
  if (!isUniversal(transport)) return servicesBelow(transport);
  return [...servicesBelow(transport.get('web')), ...transport.get('websocket').entries()];
}

function servicesBelow(place: Cursor): Cursor[] {
  return place
    .get('paths')
    .entries()
    .flatMap((service) => [service, ...(service.get('type').value === 'path' ? servicesBelow(service) : [])]);
}

export function isUniversal(transport: Cursor): boolean {
  return transport.get('type').value === 'universal';
}

/** A place where WAMP clients connect. */
export interface WampPlace {
  readonly kind: 'websocket' | 'rawsocket';
  readonly place: Cursor;
  /** The `cookie` section in force: its own, or the nearest one above. */
  readonly cookie: Cursor;
}

/** Every place of a transport where WAMP clients connect: itself, or services on its paths. */
export function wampPlacesOf(outer: Cursor, inherited: Cursor = NOTHING): WampPlace[] {
  if (isUniversal(outer)) return universalPlacesOf(outer);
  const cookie = cookieInForce(outer, inherited);
  const type = outer.get('type').text() ?? '';
  const here = type === 'websocket' || type === 'rawsocket' ? [{ kind: type, place: outer, cookie } as const] : [];
  const inside = WITH_PATHS.has(type) ? outer.get('paths').entries() : [];
  return [...here, ...inside.flatMap((service) => wampPlacesOf(service, cookie))];
}

function universalPlacesOf(transport: Cursor): WampPlace[] {
  const [rawsocket, web] = [transport.get('rawsocket'), transport.get('web')];
  const cookie = cookieInForce(web, NOTHING);
  return [
    ...(rawsocket.missing ? [] : [{ kind: 'rawsocket', place: rawsocket, cookie: NOTHING } as const]),
    ...transport
      .get('websocket')
      .entries()
      .map((place) => ({ kind: 'websocket', place, cookie: cookieInForce(place, cookie) }) as const),
    ...web
      .get('paths')
      .entries()
      .flatMap((service) => wampPlacesOf(service, cookie)),
  ];
}

function cookieInForce(place: Cursor, inherited: Cursor): Cursor {
  const own = place.get('cookie');
  return own.missing ? inherited : own;
}

const NOTHING = new Cursor(undefined);
const WITH_PATHS: ReadonlySet<string> = new Set(['web', 'path']);

/** Everybody that the config knows, method by method: the principals of an `auth` section by authid. */
export function principalsOf(auth: Cursor): Cursor[] {
  return [...PRINCIPALS].flatMap(([method, key]) => auth.at(method, key).entries());
}

/** method -> the key that its principals stand under */
export const PRINCIPALS: ReadonlyMap<string, string> = new Map([
  ['ticket', 'principals'],
  ['wampcra', 'users'],
  ['scram', 'principals'],
  ['cryptosign', 'principals'],
  ['tls', 'principals'],
]);

/** Where secrets stand that may come from elsewhere. */
export function secretsOf(node: Cursor): { readonly holder: Cursor; readonly key: string }[] {
  return transportsOf(node)
    .flatMap((transport) => wampPlacesOf(transport))
    .flatMap(({ place }) => principalsOf(place.get('auth')))
    .flatMap((holder) => SECRET_KEYS.filter((key) => !holder.get(key).missing).map((key) => ({ holder, key })));
}

const SECRET_KEYS: readonly string[] = ['ticket', 'secret'];

/** Every `cookie` section of a node. */
export function cookiesOf(node: Cursor): Cursor[] {
  return transportsOf(node)
    .flatMap((transport) => [transport, transport.get('web'), ...servicesOf(transport)])
    .map((place) => place.get('cookie'))
    .filter((cookie) => !cookie.missing);
}
