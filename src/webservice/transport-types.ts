/**
 * The transports that speak HTTP: `web` with its path tree, `websocket` with one WebSocket whatever the path, and `universal`,
 * which takes clients of RawSocket and MQTT on the same endpoint.
 */
import { frontOnly, halvesOf } from '../transport/apart/halves.js';
import { urlOf, wampOffer } from '../transport/transport-type.js';
import { universalHalves, webHalves } from './halves.js';
import { answeringServices, walkPaths } from './path-tree.js';
import { createTesteeServer, createWebServer, createWebSocketServer } from './server.js';
import { protocolsOf } from './universal/protocols.js';
import { createUniversalServer } from './universal/universal.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { EndpointConfig } from '../transport/endpoint-schema.js';
import type { BoundAddress } from '../transport/listen/listen.js';
import type { PathSummary, TransportOffer } from '../transport/offer.js';
import type { TransportDeps, TransportType, WampSections } from '../transport/transport-type.js';
import type { WebSocketTesteeTransportConfig } from '../transport/testee/schema.js';
import type { WebSocketTransportConfig } from '../transport/websocket/schema.js';
import type { ApplicationHost } from './python/application-host.js';
import type { PathServiceConfig, PathsConfig, WebTransportConfig } from './schema.js';
import type { ProgramDeps, WebFamilies } from './service.js';
import type { UniversalTransportConfig } from './universal/schema.js';

/** What the worker gives to the transports of this file. */
export interface WebTransportDeps extends TransportDeps {
  readonly families: WebFamilies;
  /** The environment of the node, for programs of services. */
  readonly env: ProgramDeps['env'];
  /** Ends them when the node is gone. */
  readonly warden: ProgramDeps['warden'];
  /** Runs the applications of Python of the worker. */
  readonly applications: ApplicationHost;
}

/** The config word `web`. */
export const webTransportType: TransportType<WebTransportConfig, WebTransportDeps> = {
  type: 'web',
  create: createWebServer,
  offer: ({ endpoint, paths }, bound) => ({
    url: urlOf('http', endpoint, bound),
    paths: pathSummaries(paths, endpoint, bound),
  }),
  cookieSections: (config) => [...ownSection(config), ...sectionsBelow(config.paths)],
  halves: webHalves,
};

/** The config word `websocket`. */
export const webSocketTransportType: TransportType<WebSocketTransportConfig, WebTransportDeps> = {
  type: 'websocket',
  create: createWebSocketServer,
  offer: (config, bound) => ({ url: urlOf('ws', config.endpoint, bound), wamp: wampOffer(config), paths: [] }),
  cookieSections: ownSection,
  halves: halvesOf,
};

/** The config word `websocket.testee`. */
export const webSocketTesteeTransportType: TransportType<WebSocketTesteeTransportConfig, WebTransportDeps> = {
  type: 'websocket.testee',
  create: createTesteeServer,
  offer: testeeOffer,
  cookieSections: () => [],
  halves: frontOnly,
};

/** What an echo offers: nothing that WAMP clients could use. */
export function testeeOffer(
  { endpoint }: Pick<WebSocketTesteeTransportConfig, 'endpoint'>,
  bound: BoundAddress,
): TransportOffer {
  return { url: urlOf('ws', endpoint, bound), paths: [] };
}

/** The config word `universal`. */
export const universalTransportType: TransportType<UniversalTransportConfig, WebTransportDeps> = {
  type: 'universal',
  create: createUniversalServer,
  offer: universalOffer,
  cookieSections: ({ web, websocket }) => [...ownSection(web), ...sectionsBelow({ ...web.paths, ...websocket })],
  halves: universalHalves,
};

function universalOffer(config: UniversalTransportConfig, bound: BoundAddress): TransportOffer {
  const { endpoint, websocket, web } = config;
  const raw = protocolsOf(config);
  const beside = raw.map(({ protocol: { type, scheme } }) => ({ type, url: urlOf(scheme, endpoint, bound) }));
  const clients = raw.map(({ protocol, section }) => wampOffer(protocol.clients(section)));
  const [serializers, auth] = [clients.flatMap((one) => one.serializers), clients.flatMap((one) => one.auth)];
  return {
    url: urlOf('http', endpoint, bound),
    ...(raw.length > 0 && { beside, wamp: { serializers: [...new Set(serializers)], auth: [...new Set(auth)] } }),
    paths: pathSummaries({ ...web.paths, ...websocket }, endpoint, bound),
  };
}

function pathSummaries(paths: PathsConfig, endpoint: EndpointConfig, bound: BoundAddress): PathSummary[] {
  return answeringServices(paths).map(({ path, service }) => {
    const { type } = service;
    const base = urlOf(type === 'websocket' || type === 'mqtt' ? 'ws' : 'http', endpoint, bound);
    const clients = clientsOf(service);
    return { path, type, url: `${base.slice(0, -1)}${path}`, ...(clients && { wamp: wampOffer(clients) }) };
  });
}

/** @returns who may be a client of a service, where it takes some. */
function clientsOf(service: PathServiceConfig): WampSections | undefined {
  if (service.type === 'mqtt') return { auth: service.options.auth, serializers: [] };
  return 'serializers' in service ? service : undefined;
}

function ownSection({ cookie }: { readonly cookie?: CookieConfig }): CookieConfig[] {
  return cookie === undefined ? [] : [cookie];
}

function sectionsBelow(paths: PathsConfig): CookieConfig[] {
  return [...walkPaths(paths)].flatMap(({ service }) => ownSection(service));
}
