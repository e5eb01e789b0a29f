/**
 * Where a proxy worker leads. Crossbar.io connects to a listener of a router worker for each client; here the listener only says which
 * worker that is, and the clients join its realms in the same process.
 */
import { resolve } from 'node:path';

import type { Front, FrontOf, Neighbours, Place } from '../../schema/rules.js';

/** Of the workers, only these have realms. */
const WITH_REALMS = 'router';
const THIS_MACHINE = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const EVERYWHERE = [undefined, '0.0.0.0', '::'];

/** The keyword `front` of a proxy worker. */
export const frontOf: FrontOf = (proxy, neighbours) => {
  const targets = targetsOf(proxy, neighbours);
  const target = targetOf(proxy, neighbours);
  const silent = new Map<number, Place>();
  if (target !== undefined) {
    const earlier = transportsBefore(proxy, target, neighbours);
    for (const [index, transport] of proxy.get('transports').items().entries()) {
      const other = earlier.find((listening) => isSameAddress(listening, transport, neighbours));
      if (other === undefined) earlier.push(transport);
      else silent.set(index, other);
    }
  }
  return { target, targets, silent, apart: apartOf(proxy, neighbours) } satisfies Front;
};

/** @returns whether a worker has a process of its own. */
export function isApart(worker: Place): boolean {
  return worker.at('options', 'process').value === true;
}

/** @returns the workers to which the routes of a realm lead. */
export function workersOf(routes: readonly WrittenRoute[], proxy: Place, neighbours: Neighbours): Place[] {
  const names = new Set(routes.flatMap(({ names: named }) => named.map((place) => place.text() ?? '')));
  const found = [...names].flatMap((name) => workerBehind(proxy.at('connections', name), neighbours) ?? []);
  return [...new Map(found.map((worker) => [worker.path[1], worker])).values()];
}

/** @returns the routes of each realm. */
export function routesByRealm(proxy: Place): ReadonlyMap<string, readonly WrittenRoute[]> {
  const found = new Map<string, WrittenRoute[]>();
  for (const route of routesOf(proxy)) {
    const known = found.get(route.realm);
    if (known === undefined) found.set(route.realm, [route]);
    else known.push(route);
  }
  return found;
}

function apartOf(proxy: Place, neighbours: Neighbours): ReadonlyMap<string, Place> {
  const apart = new Map<string, Place>();
  for (const [realm, routes] of routesByRealm(proxy)) {
    const [worker] = workersOf(routes, proxy, neighbours);
    if (worker !== undefined && isApart(worker)) apart.set(realm, worker);
  }
  return apart;
}

/** @returns the connections that routes name, each once; those that are not there have no value. */
export function routedConnections(proxy: Place): Place[] {
  const names = routesOf(proxy).flatMap(({ names: named }) => named.map((place) => place.text() ?? ''));
  return [...new Set(names)].map((name) => proxy.at('connections', name));
}

/** A route of the config: from a role of a realm to connections. */
export interface WrittenRoute {
  readonly realm: string;
  readonly role: string;
  readonly place: Place;
  readonly names: readonly Place[];
}

export function routesOf(proxy: Place): WrittenRoute[] {
  return proxy
    .get('routes')
    .entries()
    .flatMap((realm) =>
      realm.entries().map((place) => ({
        realm: realm.path.at(-1) ?? '',
        role: place.path.at(-1) ?? '',
        place,
        names: place.text() === undefined ? place.items() : [place],
      })),
    );
}

/** @returns the worker with realms to which a connection leads. */
export function workerBehind(connection: Place, { workers, cbdir, portOf }: Neighbours): Place | undefined {
  const endpoint = connection.at('transport', 'endpoint');
  const isThere = (transport: Place): boolean => {
    const listening = transport.get('endpoint');
    if (endpoint.get('type').value !== listening.get('type').value) return false;
    const path = endpoint.get('path').text();
    if (path !== undefined) return isSamePath(path, listening.get('path').text(), cbdir);
    const port = portOf(endpoint.get('port').value);
    return port !== undefined && port === portOf(listening.get('port').value) && isHere(endpoint, listening);
  };
  return workers.find(
    (worker) => worker.get('type').value === WITH_REALMS && worker.get('transports').items().some(isThere),
  );
}

function isHere(endpoint: Place, listening: Place): boolean {
  const host = endpoint.get('host').text();
  const address = listening.get('interface').text();
  if (host === undefined) return false;
  return (
    host === address || (THIS_MACHINE.test(host) && (EVERYWHERE.includes(address) || THIS_MACHINE.test(address ?? '')))
  );
}

function isSamePath(one: string, other: string | undefined, cbdir: string): boolean {
  return other !== undefined && resolve(cbdir, one) === resolve(cbdir, other);
}

function targetsOf(proxy: Place, neighbours: Neighbours): Place[] {
  const found = routedConnections(proxy).flatMap((connection) => workerBehind(connection, neighbours) ?? []);
  return [...new Map(found.map((worker) => [worker.path[1], worker])).values()];
}

function targetOf(proxy: Place, neighbours: Neighbours): Place | undefined {
  const targets = targetsOf(proxy, neighbours);
  return targets.find((worker) => !isApart(worker)) ?? targets[0];
}

/** The transports of the proxies before this one that lead to the same worker. */
function transportsBefore(proxy: Place, target: Place, neighbours: Neighbours): Place[] {
  const index = Number(proxy.path[1]);
  return neighbours.workers.slice(0, index).flatMap((other) => {
    if (other.get('type').value !== proxy.get('type').value) return [];
    return targetOf(other, neighbours)?.path[1] === target.path[1] ? other.get('transports').items() : [];
  });
}

/** Whether both say that they share one port: Crossbar.io would let the system choose between their processes. */
function isSameAddress(one: Place, other: Place, { portOf }: Neighbours): boolean {
  const [a, b] = [one.get('endpoint'), other.get('endpoint')];
  const port = portOf(a.get('port').value);
  const isSamePort = port !== undefined && port !== 0 && port === portOf(b.get('port').value);
  const areEqual = ['type', 'interface', 'version'].every((key) => a.get(key).value === b.get(key).value);
  return isSamePort && areEqual && [a, b].every((endpoint) => endpoint.get('shared').value === true);
}
