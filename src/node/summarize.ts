/**
 * From the checked config, and the addresses that the transports got, to the summary of a node.
 */
import type { RouterWorkerConfig, TransportConfig } from '../config/schema.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { BoundAddress } from '../transport/listen.js';
import type { PathServiceConfig, PathsConfig, WebTransportConfig } from '../webservice/schema.js';
import type { CookieStoreSummary, ListeningSummary, RealmSummary } from './summary.js';

/** Of a plain connection; over TLS an `s` follows. */
const SCHEMES = { web: 'http', universal: 'http', websocket: 'ws', rawsocket: 'rs' } as const;

/** @returns what a transport that got `bound` offers. */
export function listeningSummary(worker: string, transport: TransportConfig, bound: BoundAddress): ListeningSummary {
  const { id, type, endpoint } = transport;
  const secure = endpoint.type === 'tcp' && endpoint.tls !== undefined ? 's' : '';
  const host = 'path' in bound ? `unix:${bound.path}:` : `${urlHost(bound.address)}:${bound.port}`;
  const place = 'path' in bound ? { address: bound.path } : bound;
  const paths = [...servicesOf(pathsOf(transport))];
  const takesRawSockets = transport.type === 'universal' && transport.rawsocket !== undefined;
  return {
    transport: id,
    worker,
    type,
    ...place,
    url: `${SCHEMES[type]}${secure}://${host}/`,
    ...(takesRawSockets && { rawsocketUrl: `${SCHEMES.rawsocket}${secure}://${host}/` }),
    paths: paths.map(({ path, service }) => ({ path, type: service.type })),
  };
}

function pathsOf(transport: TransportConfig): PathsConfig {
  if (transport.type === 'web') return transport.paths;
  return transport.type === 'universal' ? { ...transport.web.paths, ...transport.websocket } : {};
}

/** @returns the realms of a worker. */
export function realmSummaries({ id, realms }: RouterWorkerConfig): RealmSummary[] {
  return realms.map(({ name, roles }) => ({ realm: name, worker: id, roles: roles.map((role) => role.name) }));
}

/** @returns every `cookie` section of the workers. */
export function cookieSectionsOf(workers: readonly RouterWorkerConfig[]): CookieConfig[] {
  const places = workers.flatMap(({ transports }) => transports.flatMap(sectionsOf));
  return places.flatMap(({ cookie }) => (cookie === undefined ? [] : [cookie]));
}

/** @returns the stores that the `cookie` sections of the workers name, each file or directory once. */
export function cookieStoreSummaries(workers: readonly RouterWorkerConfig[]): CookieStoreSummary[] {
  const stores = new Map<string, CookieStoreSummary>();
  for (const { store } of cookieSectionsOf(workers)) {
    if (store.type === 'file') stores.set(store.filename, { type: store.type, filename: store.filename });
    else if (store.type === 'database') stores.set(store.path, { type: store.type, path: store.path });
    else stores.set('', { type: store.type });
  }
  return [...stores.values()];
}

function sectionsOf(transport: TransportConfig): Pick<WebTransportConfig, 'cookie'>[] {
  if (transport.type === 'rawsocket') return [];
  if (transport.type === 'universal') return [transport.web, ...cookieSections(pathsOf(transport))];
  return transport.type === 'web' ? [transport, ...cookieSections(transport.paths)] : [transport];
}

function cookieSections(paths: PathsConfig): PathServiceConfig[] {
  return Object.values(paths).flatMap((service) =>
    service.type === 'path' ? [service, ...cookieSections(service.paths)] : [service],
  );
}

function* servicesOf(paths: PathsConfig, above = ''): Generator<{ path: string; service: PathServiceConfig }> {
  for (const [key, service] of Object.entries(paths)) {
    const path = key === '/' ? above : `${above}/${key}`;
    if (service.type === 'path') yield* servicesOf(service.paths, path);
    else yield { path: path === '' ? '/' : path, service };
  }
}

function urlHost(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return address.includes(':') ? `[${address}]` : address;
}
